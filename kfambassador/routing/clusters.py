"""Clusters: how a target's endpoints are found, and the name that tells two settings apart."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from kfambassador.problems import Fault, Severity
from kfambassador.resources.endpoints import EndpointSlice
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.service import Service, ServiceKey
from kfambassador.routing.model import Cluster, Discovery, Endpoint, Target
from kfambassador.routing.targets import is_address

_UNSAFE = re.compile(r"[^a-z0-9]+")
_LONGEST_READABLE = 40


@dataclass(frozen=True, slots=True)
class ResolvedCluster:
    """A cluster, and what is to be told to everyone who uses it."""

    cluster: Cluster
    faults: tuple[Fault, ...] = ()


def name_cluster(target: Target, mapping: Mapping) -> str:
    """Name the cluster of a target and a mapping's cluster-scoped attributes.

    The readable part is for people; the hash of the target and of *all* cluster-scoped attributes is what keeps two
    settings apart, so a new attribute can never be forgotten here.

    Example:
        >>> name_cluster(Target("test.kubeflow", 8000), Mapping(name="m", prefix="/m/", service="test.kubeflow:8000"))
        'cluster_test_kubeflow_8000_5e2caec75f65d47d'
    """
    settings = [(field, getattr(mapping, field)) for field in Mapping.cluster_fields()]
    identity = repr((target.host, target.port, settings))
    readable = _UNSAFE.sub("_", str(target)).strip("_")[:_LONGEST_READABLE]
    return f"cluster_{readable}_{blake2b(identity.encode(), digest_size=8).hexdigest()}"


def resolve_cluster(
    name: str, target: Target, settings: Mapping, service: Service | None, *slices: EndpointSlice
) -> ResolvedCluster:
    """Find the endpoints of a target.

    Args:
        name: The cluster's name.
        target: Where the mapping points.
        settings: A mapping whose cluster-scoped attributes are the cluster's.
        service: The Service of the cluster that goes by the target's name, if there is one.
        slices: Its EndpointSlices.
    """
    if service is None:
        discovery = Discovery.ADDRESS if is_address(target) else Discovery.DNS
        return ResolvedCluster(Cluster(name, target, discovery, (Endpoint(target.host, target.port),), settings))
    if service.external_name:
        endpoints: tuple[Endpoint, ...] = (Endpoint(service.external_name, target.port),)
        return ResolvedCluster(Cluster(name, target, Discovery.DNS, endpoints, settings))
    port = next((port for port in service.ports if port.port == target.port), None)
    endpoints = _find_endpoints(port.name, slices) if port else ()
    faults = () if endpoints else (_tell_none(service, target),)
    return ResolvedCluster(Cluster(name, target, Discovery.ENDPOINTS, endpoints, settings), faults)


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
