"""A snapshot: everything one Envoy should hold at one moment, as named and versioned bytes."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final

#: The generation of what an earlier run of the controller kept; what a run makes itself is counted from 1.
EARLIER: Final = 0


class TypeUrl(StrEnum):
    """The resource types we serve, by the names the protocol gives them."""

    LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
    ROUTE_CONFIGURATION = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
    ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


def content_version(body: bytes) -> str:
    """Name a version by its content, so that equal content is never sent twice, even by a restarted server.

    Example:
        >>> content_version(b"") == content_version(b""), len(content_version(b"x"))
        (True, 16)
    """
    return blake2b(body, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class XdsResource:
    """One resource as Envoy will receive it.

    Attributes:
        name: The resource's name in its type.
        version: A hash of the body.
        body: The serialized message, without its ``Any`` wrapping.
    """

    name: str
    version: str
    body: bytes

    @classmethod
    def of(cls, name: str, body: bytes) -> "XdsResource":
        """Make a resource whose version is its content's."""
        return cls(name=name, version=content_version(body), body=body)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All resources of one generation.

    Attributes:
        resources: For each type, the resources by name. A missing type means there are none of it.
        generation: Which generation of the ResourceSet this was made from; only for telling, never compared with
            a Kubernetes resourceVersion.
    """

    resources: Dict[TypeUrl, Dict[str, XdsResource]]
    generation: int

    def of_type(self, type_url: TypeUrl) -> Dict[str, XdsResource]:
        """The resources of one type by name; empty when there are none."""
        return self.resources.get(type_url, {})
