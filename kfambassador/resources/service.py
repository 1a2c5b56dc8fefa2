"""Kubernetes Services, as far as routing needs them."""

from collections.abc import Mapping as Dict
from typing import Final, NamedTuple

from kfambassador.names import ALLOWED_NAMESPACES_ANNOTATION, DEFAULT_NAMESPACE
from kfambassador.resources.fields import as_object, as_objects, as_text, as_texts

#: Stands for every namespace among those a Service allows.
EVERY_NAMESPACE: Final = "*"


class ServiceKey(NamedTuple):
    """Which Service: its namespace and name."""

    namespace: str
    name: str


class ServicePort(NamedTuple):
    """One port of a Service: the number clients use, and the name EndpointSlices know it by."""

    port: int
    name: str


class Service(NamedTuple):
    """A Kubernetes Service.

    Attributes:
        key: Its namespace and name.
        ports: Its ports; EndpointSlices give the matching port of each endpoint by name.
        external_name: The DNS name an ExternalName Service stands for; "" for every other type.
        allowed_namespaces: The namespaces whose mappings may point at it besides its own; ``*`` is every one.
        cluster_ips: The addresses it is reached at inside the cluster; none when it is headless.
    """

    key: ServiceKey
    ports: tuple[ServicePort, ...] = ()
    external_name: str = ""
    allowed_namespaces: frozenset[str] = frozenset()
    cluster_ips: tuple[str, ...] = ()


def read_service(manifest: Dict[str, object]) -> Service:
    """Read a Service from its manifest; what is missing or odd is left out rather than refused.

    Example:
        >>> read_service({"metadata": {"name": "m"}, "spec": {"ports": [{"port": 8501}]}}).ports
        (ServicePort(port=8501, name=''),)
    """
    metadata, spec = as_object(manifest.get("metadata")), as_object(manifest.get("spec"))
    ports = (_read_port(port) for port in as_objects(spec.get("ports")))
    return Service(
        key=ServiceKey(as_text(metadata.get("namespace")) or DEFAULT_NAMESPACE, as_text(metadata.get("name"))),
        ports=tuple(port for port in ports if port is not None),
        external_name=as_text(spec.get("externalName")) if spec.get("type") == "ExternalName" else "",
        allowed_namespaces=_read_allowed(as_object(metadata.get("annotations"))),
        cluster_ips=_read_cluster_ips(spec),
    )


def _read_port(fields: Dict[str, object]) -> ServicePort | None:
    number = fields.get("port")
    if not isinstance(number, int) or fields.get("protocol", "TCP") != "TCP":
        return None
    return ServicePort(port=number, name=as_text(fields.get("name")))


def _read_allowed(annotations: Dict[str, object]) -> frozenset[str]:
    written = as_text(annotations.get(ALLOWED_NAMESPACES_ANNOTATION)).split(",")
    return frozenset(filter(None, map(str.strip, written)))


def _read_cluster_ips(spec: Dict[str, object]) -> tuple[str, ...]:
    """Read the addresses of both families; an older cluster knows of one only. ``None`` is written for none."""
    both = as_texts(spec.get("clusterIPs")) or [as_text(spec.get("clusterIP"))]
    return tuple(address for address in both if address not in {"", "None"})
