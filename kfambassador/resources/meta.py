"""What is known at one moment, and where each piece of it came from."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import datetime

from kfambassador.problems import ObjectKey, Origin, Problem
from kfambassador.resources.endpoints import EndpointSlice
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.secret import Secret, SecretKey
from kfambassador.resources.service import Service, ServiceKey


@dataclass(frozen=True, slots=True)
class SourcedMapping:
    """A mapping and where it came from.

    Attributes:
        mapping: What was written.
        origin: Where.
        namespace: The namespace it belongs to: that of the object that carries it.
        created: The carrying object's creationTimestamp (RFC 3339, UTC), "" when it has none; older claims win.
    """

    mapping: Mapping
    origin: Origin
    namespace: str
    created: str = ""


@dataclass(frozen=True, slots=True)
class SourcedResource:
    """What the gateway's owner says once for everybody, and where it came from; see :class:`SourcedMapping`."""

    resource: GatewayResource
    origin: Origin
    namespace: str
    created: str = ""


def rank_by_age(sourced: SourcedMapping | SourcedResource) -> tuple[str, str, int]:
    """Give the key by which older claims come first: age, then the object's name and the place in it, so none tie.

    Example:
        >>> from kfambassador.resources.resolvers import KubernetesEndpointResolver
        >>> old, young = (
        ...     SourcedResource(KubernetesEndpointResolver(name="r"), Origin(), namespace="a", created=day)
        ...     for day in ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
        ... )
        >>> rank_by_age(old) < rank_by_age(young)
        True
    """
    origin = sourced.origin
    return sourced.created, f"{origin.object or ''} {origin.file}", origin.document or 0


@dataclass(frozen=True, slots=True)
class ResourceSet:
    """All that is known at one moment.

    Attributes:
        mappings: Every mapping that could be read, in any order.
        shared: What gateway owners say for everybody: Modules, TLSContexts, resolvers and the like, in any order.
        services: The Services of the cluster.
        endpoints: The EndpointSlices of each Service.
        secrets: The Secrets that may be read.
        sources: Each object that carries configuration, and the resourceVersion it was read at.
        expiries: Until when, in UTC, mappings are served, for each object that says so; some may have come already.
        expired: Those of them some of whose mappings are left out because their time is up.
        problems: What was found while reading.
        generation: Counts changes; never compared with a Kubernetes resourceVersion.
    """

    mappings: tuple[SourcedMapping, ...] = ()
    shared: tuple[SourcedResource, ...] = ()
    services: Dict[ServiceKey, Service] = field(default_factory=dict)
    endpoints: Dict[ServiceKey, tuple[EndpointSlice, ...]] = field(default_factory=dict)
    secrets: Dict[SecretKey, Secret] = field(default_factory=dict)
    sources: Dict[ObjectKey, str] = field(default_factory=dict)
    expiries: Dict[ObjectKey, datetime] = field(default_factory=dict)
    expired: frozenset[ObjectKey] = frozenset()
    problems: tuple[Problem, ...] = ()
    generation: int = 0
