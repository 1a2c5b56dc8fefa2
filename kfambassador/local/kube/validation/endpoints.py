"""Endpoints: what the API checks when EndpointSlices and Endpoints are written. Pure.

A cluster refuses addresses of the loopback range, because a pod's own machine is never meant. Here they are let in:
what a Service leads to on a laptop is a process on this machine.
"""

import re
from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.addresses import PROTOCOLS, check_common_address, check_port, read_address
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new, unsupported
from kfambassador.local.kube.documents.metadata import NameRule, check_qualified
from kfambassador.local.kube.kinds.kind import Admitted, Index

_MOST_ENDPOINTS: Final = 1000
_MOST_ADDRESSES: Final = 100
_MOST_PORTS: Final = 20_000
_VERSIONS: Final = {"IPv4": 4, "IPv6": 6}
_DOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")


def admit_endpoint_slice(endpoints: Document, before: Document | None, _index: Index) -> Admitted:
    """Keep the type of address a slice was made with, and see that its addresses are of it."""
    sort = endpoints.get("addressType")
    ports = [{"name": ""} | port for port in endpoints.get("ports") or ()]
    filled: Document = {"endpoints": []} | endpoints | {"ports": ports}
    if before and before.get("addressType") != sort:
        return Admitted(filled, (FieldFault(Fault.INVALID, "addressType", "field is immutable", sort),))
    return Admitted(filled, list_new(_check_slice(filled), _check_slice(before) if before else ()))


def admit_endpoints(endpoints: Document, before: Document | None, _index: Index) -> Admitted:
    """See that every subset has addresses and ports."""
    return Admitted(endpoints, list_new(_check_endpoints(endpoints), _check_endpoints(before) if before else ()))


def _check_slice(endpoints: Document) -> Iterator[FieldFault]:
    listed: list[Document] = endpoints.get("endpoints") or []
    yield from _check_many(listed, "endpoints", _MOST_ENDPOINTS)
    for place, each in enumerate(listed):
        yield from _check_endpoint(each, endpoints.get("addressType"), f"endpoints[{place}]")
    yield from _check_ports(endpoints.get("ports") or [], "ports", is_slice=True)


def _check_endpoints(endpoints: Document) -> Iterator[FieldFault]:
    for place, subset in enumerate(endpoints.get("subsets") or ()):
        yield from _check_subset(subset, f"subsets[{place}]")


def _check_many(listed: list[Document] | list[str], path: str, most: int) -> Iterator[FieldFault]:
    if len(listed) > most:
        yield FieldFault(Fault.INVALID, path, f"must have at most {most} items", len(listed))


def _check_endpoint(endpoint: Document, sort: str | None, path: str) -> Iterator[FieldFault]:
    addresses: list[str] = endpoint.get("addresses") or []
    if not addresses:
        yield FieldFault(Fault.REQUIRED, f"{path}.addresses", "must contain at least 1 address")
    yield from _check_many(addresses, f"{path}.addresses", _MOST_ADDRESSES)
    for place, address in enumerate(addresses):
        yield from _check_of_type(address, sort, f"{path}.addresses[{place}]")
    for field, rule in (("nodeName", NameRule.SUBDOMAIN), ("hostname", NameRule.LABEL)):
        text = endpoint.get(field)
        if text is not None and (fault := rule.find_fault(text, f"{path}.{field}")):
            yield fault


def _check_of_type(address: str, sort: str | None, path: str) -> Iterator[FieldFault]:
    if sort == "FQDN":
        if not _DOMAIN.fullmatch(address.removesuffix(".")):
            rule = "should be a domain with at least two segments separated by dots"
            yield FieldFault(Fault.INVALID, path, rule, address)
        return
    read = read_address(address)
    if read is None or read.version != _VERSIONS.get(str(sort), read.version):
        yield FieldFault(Fault.INVALID, path, f"must be a valid {sort} address", address)
    else:
        yield from check_common_address(address, path, loopback=True)


def _check_ports(ports: list[Document], path: str, *, is_slice: bool) -> Iterator[FieldFault]:
    yield from _check_many(ports, path, _MOST_PORTS)
    names: set[str] = set()
    for place, port in enumerate(ports):
        where, name = f"{path}[{place}]", str(port.get("name") or "")
        if name and (fault := NameRule.LABEL.find_fault(name, f"{where}.name")):
            yield fault
        if not name and not is_slice and len(ports) > 1:
            yield FieldFault(Fault.REQUIRED, f"{where}.name")
        elif name in names:
            yield FieldFault(Fault.DUPLICATE, f"{where}.name", "", name)
        names.add(name)
        # A slice may leave its port out: it then means all of them.
        if not is_slice or port.get("port") is not None:
            yield from check_port(port.get("port", 0), f"{where}.port")
        if port.get("protocol") not in PROTOCOLS:
            yield unsupported(f"{where}.protocol", port.get("protocol"), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from check_qualified(port["appProtocol"], f"{where}.appProtocol")


def _check_subset(subset: Document, path: str) -> Iterator[FieldFault]:
    fields = ("addresses", "notReadyAddresses")
    if not any(subset.get(field) for field in fields):
        yield FieldFault(Fault.REQUIRED, path, "must specify `addresses` or `notReadyAddresses`")
    for field in fields:
        for place, address in enumerate(subset.get(field) or ()):
            where = f"{path}.{field}[{place}]"
            yield from check_common_address(address.get("ip", ""), f"{where}.ip", loopback=True)
            name = address.get("hostname")
            if name and (fault := NameRule.LABEL.find_fault(name, f"{where}.hostname")):
                yield fault
    yield from _check_ports(subset.get("ports") or [], f"{path}.ports", is_slice=False)
