"""Clusters: how a target's endpoints are found, and the name that tells two settings apart."""

import re
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Final, Self

from kfambassador.problems import Fault, Severity
from kfambassador.resources.endpoints import EndpointSlice
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.service import Service, ServiceKey
from kfambassador.routing.model import Cluster, Discovery, Endpoint, Target, UpstreamTls
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.references import is_forbidden_address
from kfambassador.routing.targets import is_address

#: What asks for Services to be found by their DNS names, once a mapping is completed; all else is by EndpointSlices.
DNS_RESOLVER: Final = "kubernetes-service"

#: The target of what could not be understood and must be there all the same: a cluster without endpoints.
NOWHERE: Final = Target("nowhere.invalid", 1)

_UNSAFE = re.compile(r"[^a-z0-9]+")
_LONGEST_READABLE = 40


@dataclass(frozen=True, slots=True)
class Upstream:
    """A cluster before its endpoints are looked for: all that whoever names it says of it.

    Attributes:
        name: Its name.
        target: Where it is.
        settings: A mapping whose cluster-scoped attributes are the cluster's.
        tls: How its connections are protected; None leaves them in clear.
        service: The Service the target would be, if there is one by that name.
    """

    name: str
    target: Target
    settings: Mapping
    tls: UpstreamTls | None
    service: ServiceKey | None

    @classmethod
    def of(cls, target: Target, settings: Mapping, tls: UpstreamTls | None) -> Self:
        """Name it by everything that is said of it."""
        return cls(name_cluster(target, settings, tls), target, settings, tls, target.service_key())


@dataclass(frozen=True, slots=True)
class ResolvedCluster:
    """A cluster, and what is to be told to everyone who uses it."""

    cluster: Cluster
    faults: tuple[Fault, ...] = ()


def name_cluster(target: Target, mapping: Mapping, tls: UpstreamTls | None = None) -> str:
    """Name the cluster of a target, a mapping's cluster-scoped attributes and the names its TLS goes by.

    The readable part is for people; the hash of the target and of *all* cluster-scoped attributes is what keeps two
    settings apart, so a new attribute can never be forgotten here.

    Example:
        >>> name_cluster(Target("test.kubeflow", 8000), Mapping(name="m", prefix="/m/", service="test.kubeflow:8000"))
        'cluster_test_kubeflow_8000_f0f8493ac6cdc27f'
    """
    # What is left out is not hashed: an attribute that a later release knows renames no cluster.
    said = mapping.model_fields_set
    settings = [
        (field, value)
        for field, default in _read_defaults()
        if field in said and (value := getattr(mapping, field)) != default
    ]
    names = (tls.context, tls.sni, *tls.verified_names) if tls else ()
    identity = repr((target.host, target.port, settings, *names))
    written = f"{mapping.cluster_tag}_{target}" if mapping.cluster_tag else str(target)
    readable = _UNSAFE.sub("_", written.lower()).strip("_")[:_LONGEST_READABLE]
    return f"cluster_{readable}_{blake2b(identity.encode(), digest_size=8).hexdigest()}"


@cache
def _read_defaults() -> tuple[tuple[str, object], ...]:
    return tuple((name, Mapping.model_fields[name].default) for name in Mapping.cluster_fields())


def resolve_cluster(
    policy: TenancyPolicy, upstream: Upstream, service: Service | None, *slices: EndpointSlice
) -> ResolvedCluster:
    """Find the endpoints of a cluster.

    Args:
        policy: What the platform's owner allows.
        upstream: What is said of it.
        service: The Service of the cluster that goes by the target's name, if there is one.
        slices: Its EndpointSlices.
    """
    name, target, settings, tls = upstream.name, upstream.target, upstream.settings, upstream.tls
    if target == NOWHERE:
        # Envoy says at once that there is nobody to ask, rather than after a while in vain.
        return ResolvedCluster(Cluster(name, target, Discovery.ADDRESS, (), settings, tls))
    if service is None:
        discovery = Discovery.ADDRESS if is_address(target) else Discovery.DNS
        return ResolvedCluster(Cluster(name, target, discovery, (Endpoint(target.host, target.port),), settings, tls))
    if service.external_name:
        endpoints: tuple[Endpoint, ...] = (Endpoint(service.external_name, target.port),)
        return ResolvedCluster(Cluster(name, target, Discovery.DNS, endpoints, settings, tls))
    port = next((port for port in service.ports if port.port == target.port), None)
    if settings.resolver == DNS_RESOLVER:
        # The name as it was written, qualified: in a pod it is found by the same search as Ambassador's.
        endpoints = (Endpoint(target.host, target.port),)
        faults: tuple[Fault, ...] = () if port else (_tell_none(service, target),)
        return ResolvedCluster(Cluster(name, target, Discovery.DNS, endpoints, settings, tls), faults)
    found = _find_endpoints(port.name, slices) if port else ()
    forbidden = [each for each in found if is_forbidden_address(each.address, policy, port=each.port)]
    endpoints = tuple(each for each in found if each not in forbidden)
    faults = (*_tell_forbidden(service, forbidden), *(() if endpoints else (_tell_none(service, target),)))
    return ResolvedCluster(Cluster(name, target, Discovery.ENDPOINTS, endpoints, settings, tls), faults)


def _tell_forbidden(service: Service, forbidden: list[Endpoint]) -> tuple[Fault, ...]:
    if not forbidden:
        return ()
    message = (
        f"the EndpointSlices of Service {service.key.namespace}/{service.key.name} name {forbidden[0]}, where no "
        "mapping may point; such endpoints are left out"
    )
    return (Fault("forbidden-endpoint", message, path="service", severity=Severity.WARNING),)


def _find_endpoints(port_name: str, slices: tuple[EndpointSlice, ...]) -> tuple[Endpoint, ...]:
    found = {
        Endpoint(address, port.port)
        for each in slices
        for port in each.ports
        if port.name == port_name
        for address in each.addresses
    }
    return tuple(sorted(found, key=lambda endpoint: (endpoint.address, endpoint.port)))


def _tell_none(service: Service, target: Target) -> Fault:
    where = f"Service {service.key.namespace}/{service.key.name}"
    if any(port.port == target.port for port in service.ports):
        message = f"{where} has no ready endpoint for port {target.port}; requests are answered with 503 until it has"
        return Fault("no-endpoints", message, path="service", severity=Severity.WARNING)
    ports = ", ".join(str(port.port) for port in service.ports) or "none"
    message = f"{where} has no port {target.port}; its ports are: {ports}. Requests are answered with 503"
    return Fault("no-such-port", message, path="service", severity=Severity.WARNING)


def check_missing(key: ServiceKey | None, target: Target, namespaces: frozenset[str]) -> tuple[Fault, ...]:
    """Warn of a target that reads like a Service of the cluster and is none; DNS may yet know it.

    Args:
        key: The Service it would be.
        target: Where the mapping points.
        namespaces: The namespaces that hold any Service; a name outside them is taken for a DNS name.
    """
    if key is None or key.namespace not in namespaces:
        return ()
    message = f"there is no Service {key.namespace}/{key.name}; {target.host} is looked up by DNS"
    return (Fault("no-such-service", message, path="service", severity=Severity.WARNING),)
