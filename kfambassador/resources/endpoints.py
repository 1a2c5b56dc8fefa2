"""Kubernetes EndpointSlices: the addresses behind a Service, by port."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from ipaddress import ip_address
from typing import NamedTuple

from kfambassador.names import DEFAULT_NAMESPACE, SERVICE_NAME_LABEL
from kfambassador.resources.fields import as_object, as_objects, as_text, as_texts
from kfambassador.resources.service import ServiceKey

_PORTS = range(1, 65536)


class EndpointPort(NamedTuple):
    """One port of a slice: the name the Service knows it by, and the number the endpoints listen on."""

    name: str
    port: int


class EndpointSlice(NamedTuple):
    """The ready addresses of one slice.

    Attributes:
        service: The Service they belong to.
        name: The slice's own name.
        ports: The ports all of them listen on.
        addresses: IP addresses that accept connections.
    """

    service: ServiceKey
    name: str
    ports: tuple[EndpointPort, ...]
    addresses: tuple[str, ...]


def read_endpoint_slice(manifest: Dict[str, object]) -> EndpointSlice | None:
    """Read an EndpointSlice from its manifest.

    Returns:
        The slice, or None when it belongs to no Service. An endpoint whose readiness is unknown counts as ready, as
        Kubernetes asks of its consumers. Names instead of addresses (FQDN) are left out: Envoy takes addresses only.
    """
    metadata = as_object(manifest.get("metadata"))
    service = as_text(as_object(metadata.get("labels")).get(SERVICE_NAME_LABEL))
    if not service:
        return None
    return EndpointSlice(
        service=ServiceKey(as_text(metadata.get("namespace")) or DEFAULT_NAMESPACE, service),
        name=as_text(metadata.get("name")),
        ports=tuple(_read_ports(as_objects(manifest.get("ports")))),
        addresses=tuple(
            address
            for endpoint in as_objects(manifest.get("endpoints"))
            if as_object(endpoint.get("conditions")).get("ready") is not False
            for address in as_texts(endpoint.get("addresses"))
            if manifest.get("addressType") != "FQDN" and _is_address(address)
        ),
    )


def _is_address(text: str) -> bool:
    """Tell whether Envoy takes a text for an address; one that it does not take would keep everybody's from it."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _read_ports(ports: Iterable[Dict[str, object]]) -> Iterable[EndpointPort]:
    for fields in ports:
        number = fields.get("port")
        if isinstance(number, int) and number in _PORTS and fields.get("protocol", "TCP") == "TCP":
            yield EndpointPort(name=as_text(fields.get("name")), port=number)
