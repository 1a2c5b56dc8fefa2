"""Kubernetes Services, as far as routing needs them."""

from collections.abc import Mapping as Dict
from typing import NamedTuple

from kfambassador.names import DEFAULT_NAMESPACE
from kfambassador.resources.fields import as_object, as_objects, as_text


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
    """

    key: ServiceKey
    ports: tuple[ServicePort, ...] = ()
    external_name: str = ""


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
    )


def _read_port(fields: Dict[str, object]) -> ServicePort | None:
    number = fields.get("port")
    if not isinstance(number, int) or fields.get("protocol", "TCP") != "TCP":
        return None
    return ServicePort(port=number, name=as_text(fields.get("name")))
