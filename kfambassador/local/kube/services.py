"""Services: what the API fills in and checks when a Service is written."""

import ipaddress
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from kfambassador.local.kube.documents import Document, metadata_of
from kfambassador.local.kube.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.kinds import Admitted, Index
from kfambassador.local.kube.metadata import NameRule

#: The indexes by which addresses and node ports in use are found.
CLUSTER_IPS: Final = "service-cluster-ip"
NODE_PORTS: Final = "service-node-port"

_NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/12")
_FIRST: Final = 256  # the lowest addresses are left to the cluster's own Services
_NODE_PORTS: Final = range(30000, 32768)
_PORTS: Final = range(1, 65536)
_PORT_RULE: Final = "must be between 1 and 65535, inclusive"
_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_HEADLESS: Final = "None"


def list_cluster_ips(service: Document) -> list[str]:
    """The cluster addresses a Service holds."""
    address = (service.get("spec") or {}).get("clusterIP") or ""
    return [] if address in {"", _HEADLESS} else [address]


def list_node_ports(service: Document) -> list[str]:
    """The node ports a Service holds."""
    ports = (service.get("spec") or {}).get("ports") or []
    return [str(port["nodePort"]) for port in ports if port.get("nodePort")]


def admit_service(service: Document, before: Document | None, index: Index) -> Admitted:
    """Fill in a Service's addresses and ports, and check it."""
    spec: Document = dict(service.get("spec") or {})
    faults = tuple(_check(spec, before, index))
    if faults:
        return Admitted(service, faults)
    old: Document = (before or {}).get("spec") or {}
    spec |= {"ports": [_fill_port(port, spec, old, index) for port in spec.get("ports") or ()]}
    if not spec["ports"]:
        del spec["ports"]
    spec = _without_address(spec) if spec["type"] == "ExternalName" else _with_address(spec, old, service, index)
    return Admitted(service | {"spec": spec, "status": service.get("status") or {"loadBalancer": {}}})


def _with_address(spec: Document, old: Document, service: Document, index: Index) -> Document:
    address = spec.get("clusterIP") or old.get("clusterIP") or _free_address(str(metadata_of(service)), index)
    filled = {
        "clusterIP": address,
        "clusterIPs": [address],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
    }
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        filled["externalTrafficPolicy"] = "Cluster"
    if spec["type"] == "LoadBalancer":
        filled["allocateLoadBalancerNodePorts"] = True
    return filled | spec | {"clusterIP": address, "clusterIPs": [address]}


def _without_address(spec: Document) -> Document:
    gone = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}
    return {field: value for field, value in spec.items() if field not in gone}


def _fill_port(port: Document, spec: Document, old: Document, index: Index) -> Document:
    filled = {"targetPort": port["port"]} | port
    if spec["type"] not in {"NodePort", "LoadBalancer"}:
        filled.pop("nodePort", None)
    elif not filled.get("nodePort"):
        held = [each.get("nodePort") for each in old.get("ports") or () if each.get("port") == port["port"]]
        filled["nodePort"] = next(iter(held), None) or _free_node_port(port["port"], index)
    return filled


def _free_address(seed: str, index: Index) -> str:
    # Starting at a place that depends on the Service, so that the search stays short when many are taken.
    span = _NETWORK.num_addresses - _FIRST - 1
    start = zlib.crc32(seed.encode()) % span
    candidates = (str(_NETWORK[_FIRST + (start + step) % span]) for step in range(span))
    return next(address for address in candidates if not index.find(CLUSTER_IPS, address))


def _free_node_port(seed: int, index: Index) -> int:
    candidates = (_NODE_PORTS[(seed + step) % len(_NODE_PORTS)] for step in range(len(_NODE_PORTS)))
    return next((port for port in candidates if not index.find(NODE_PORTS, str(port))), 0)


def _check(spec: Document, before: Document | None, index: Index) -> Iterator[FieldFault]:
    sort, ports = spec.get("type"), spec.get("ports") or []
    if sort not in _TYPES:
        yield unsupported("spec.type", sort, _TYPES)
    if sort == "ExternalName":
        yield from _check_external_name(spec)
    elif not ports and spec.get("clusterIP") != _HEADLESS:
        yield FieldFault(Fault.REQUIRED, "spec.ports")
    for place, port in enumerate(ports):
        yield from _check_port(port, f"spec.ports[{place}]", is_alone=len(ports) == 1)
    yield from _check_twins(ports)
    yield from _check_address(spec, before, index)
    if spec.get("sessionAffinity") not in {"None", "ClientIP"}:
        yield unsupported("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))


def _check_external_name(spec: Document) -> Iterator[FieldFault]:
    name = (spec.get("externalName") or "").removesuffix(".")
    fault = NameRule.SUBDOMAIN.find_fault(name, "spec.externalName") if name else None
    if not name:
        yield FieldFault(Fault.REQUIRED, "spec.externalName")
    elif fault:
        yield fault


def _check_port(port: Document, path: str, *, is_alone: bool) -> Iterator[FieldFault]:
    name = port.get("name")
    if not name and not is_alone:
        yield FieldFault(Fault.REQUIRED, f"{path}.name")
    elif name and (fault := NameRule.LABEL.find_fault(name, f"{path}.name")):
        yield fault
    if port.get("port") not in _PORTS:
        yield FieldFault(Fault.INVALID, f"{path}.port", _PORT_RULE, port.get("port", 0))
    target = port.get("targetPort")
    if isinstance(target, int) and target not in _PORTS:
        yield FieldFault(Fault.INVALID, f"{path}.targetPort", _PORT_RULE, target)
    if port.get("protocol") not in _PROTOCOLS:
        yield unsupported(f"{path}.protocol", port.get("protocol"), _PROTOCOLS)


def _check_twins(ports: list[Document]) -> Iterator[FieldFault]:
    identities: tuple[tuple[str, Callable[[Document], object]], ...] = (
        (".name", lambda port: port.get("name")),
        ("", lambda port: (port.get("port"), port.get("protocol"))),
    )
    for suffix, identity in identities:
        seen: set[object] = set()
        for place, port in enumerate(ports):
            this = identity(port)
            if this is not None and this in seen:
                value = port.get("name") if suffix else {"port": port.get("port"), "protocol": port.get("protocol")}
                yield FieldFault(Fault.DUPLICATE, f"spec.ports[{place}]{suffix}", "", value)
            seen.add(this)


def _check_address(spec: Document, before: Document | None, index: Index) -> Iterator[FieldFault]:
    address = spec.get("clusterIP")
    old: Document = (before or {}).get("spec") or {}
    held = old.get("clusterIP")
    if not address or address == held:
        return
    if held and old.get("type") != "ExternalName":
        yield FieldFault(Fault.INVALID, "spec.clusterIPs[0]", "may not change once set", address)
    elif address != _HEADLESS and not _is_address(address):
        yield FieldFault(Fault.INVALID, "spec.clusterIPs[0]", "must be a valid IP address", address)
    elif index.find(CLUSTER_IPS, address):
        yield FieldFault(
            Fault.INVALID, "spec.clusterIPs", "failed to allocate IP: provided IP is already allocated", address
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
