"""Services: what the API fills in when a Service is written, and which addresses and ports it gets. Pure.

What a Service may say stands in :mod:`.service_rules`. The cluster is one of IPv4 alone.
"""

import ipaddress
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of, name_of, namespace_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds.kind import Admitted, Index
from kfambassador.local.kube.validation.service_rules import (
    HEADLESS,
    check_service,
    has_node_ports,
    is_reached_from_outside,
    needs_health_check,
)

#: The indexes by which addresses and node ports in use are found.
CLUSTER_IPS: Final = "service-cluster-ip"
NODE_PORTS: Final = "service-node-port"

#: The address of the Service through which pods reach the API.
FIRST_ADDRESS: Final = "10.96.0.1"

_NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/12")
_FIRST: Final = 256  # the lowest addresses are left to the cluster's own Services
_NODE_PORTS: Final = range(30000, 32768)
_AFFINITY_SECONDS: Final = 10800
#: What a Service has only while it is of a type that needs it, and whether it does.
_TYPED: Final[dict[str, Callable[[Document], bool]]] = {
    **dict.fromkeys(
        ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"),
        lambda spec: spec.get("type") != "ExternalName",
    ),
    **dict.fromkeys(
        ("allocateLoadBalancerNodePorts", "loadBalancerClass"), lambda spec: spec.get("type") == "LoadBalancer"
    ),
    "externalTrafficPolicy": is_reached_from_outside,
    "healthCheckNodePort": needs_health_check,
}


def list_cluster_ips(service: Document) -> list[str]:
    """The cluster addresses a Service holds."""
    address = (service.get("spec") or {}).get("clusterIP") or ""
    return [] if address in {"", HEADLESS} else [address]


def list_node_ports(service: Document) -> list[str]:
    """The node ports a Service holds."""
    spec = service.get("spec") or {}
    held = [port.get("nodePort") for port in spec.get("ports") or ()]
    return [str(port) for port in (*held, spec.get("healthCheckNodePort")) if port]


def admit_service(service: Document, before: Document | None, index: Index) -> Admitted:
    """Fill in a Service's addresses and ports, and check it."""
    old: Document = (before or {}).get("spec") or {}
    spec = _complete(_carry(service.get("spec") or {}, old))
    if spec != old and (faults := tuple(check_service(spec, old))):
        return Admitted(service, faults)
    others = _Others(service, index)
    faults = (*_check_address(spec, old, others), *_check_node_ports(spec, others))
    if not faults:
        spec = _with_ports(_with_address(spec, others), others)
    return Admitted(service | {"spec": spec, "status": service.get("status") or {"loadBalancer": {}}}, faults)


class _Others:
    """What other Services hold."""

    def __init__(self, service: Document, index: Index) -> None:
        self._index = index
        self._own = ("services", namespace_of(service), name_of(service))
        self.seed = str(metadata_of(service).get("uid"))

    def hold(self, index: str, value: str) -> bool:
        """Whether another Service is filed under a value."""
        return any(key != self._own for key in self._index.find(index, value))


def _carry(spec: Document, old: Document) -> Document:
    """What a change leaves out is kept, and what the new type has no use for goes, unless it was said anew."""
    carried = {
        field: value
        for field, value in spec.items()
        if field not in _TYPED or value != old.get(field) or _TYPED[field](spec) or not _TYPED[field](old)
    }
    if spec.get("type") != "ExternalName" and old.get("type") != "ExternalName":
        kept = ("clusterIP", "ipFamilies", "ipFamilyPolicy")
        carried |= {field: old[field] for field in kept if old.get(field) and not spec.get(field)}
    if carried.get("clusterIP") != old.get("clusterIP") and carried.get("clusterIPs") == old.get("clusterIPs"):
        carried.pop("clusterIPs", None)  # whoever knows of one address only has changed it
    if needs_health_check(spec) and old.get("healthCheckNodePort"):
        carried = {"healthCheckNodePort": old["healthCheckNodePort"]} | carried
    return carried | {"ports": _carry_ports(carried, old)}


def _carry_ports(spec: Document, old: Document) -> list[Document]:
    ports: list[Document] = list(spec.get("ports") or ())
    if not has_node_ports(old):
        return ports
    held = {port.get("name", ""): port.get("nodePort") for port in old.get("ports") or ()}
    if not has_node_ports(spec):
        same = sorted(filter(None, held.values())) == sorted(filter(None, (port.get("nodePort") for port in ports)))
        return [{field: value for field, value in port.items() if field != "nodePort" or not same} for port in ports]
    used = {port.get("nodePort") for port in ports}
    found = [port.get("nodePort") or held.get(port.get("name", "")) for port in ports]
    return [
        port | {"nodePort": node} if node and (port.get("nodePort") or node not in used) else port
        for port, node in zip(ports, found, strict=True)
    ]


def _complete(spec: Document) -> Document:
    """Fill in what does not depend on other Services."""
    filled = spec | {"ports": [_complete_port(port) for port in spec["ports"]]}
    if not filled["ports"]:
        del filled["ports"]
    if spec.get("sessionAffinity") == "ClientIP":
        affinity = spec.get("sessionAffinityConfig") or {}
        client = {"timeoutSeconds": _AFFINITY_SECONDS} | (affinity.get("clientIP") or {})
        filled["sessionAffinityConfig"] = affinity | {"clientIP": client}
    elif spec.get("sessionAffinity") == "None":
        filled.pop("sessionAffinityConfig", None)
    if is_reached_from_outside(spec):
        filled = {"externalTrafficPolicy": "Cluster"} | filled
    if spec.get("type") == "LoadBalancer":
        filled = {"allocateLoadBalancerNodePorts": True} | filled
    if spec.get("type") == "ExternalName":
        return filled
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        filled["clusterIPs"] = [spec["clusterIP"]]
    return {"internalTrafficPolicy": "Cluster"} | _complete_families(filled)


def _complete_port(port: Document) -> Document:
    target = port.get("targetPort")
    return port if target not in {None, 0, ""} else port | {"targetPort": port.get("port")}


def _complete_families(spec: Document) -> Document:
    # Where no address is given and no pods are chosen, both families may be among the endpoints.
    is_free = spec.get("clusterIP") == HEADLESS and not spec.get("selector")
    policy = spec.get("ipFamilyPolicy") or ("RequireDualStack" if is_free else "SingleStack")
    families = list(spec.get("ipFamilies") or ["IPv4"])
    if is_free and len(families) == 1 and policy != "SingleStack":
        families += ["IPv6" if families == ["IPv4"] else "IPv4"]
    return spec | {"ipFamilies": families, "ipFamilyPolicy": policy}


def _check_address(spec: Document, old: Document, others: _Others) -> Iterator[FieldFault]:
    address = spec.get("clusterIP")
    if spec.get("type") == "ExternalName" or address in {None, "", HEADLESS} or address == old.get("clusterIP"):
        return
    because = ""
    if ipaddress.ip_address(address) not in _NETWORK:
        because = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {_NETWORK}"
    elif others.hold(CLUSTER_IPS, address):
        because = "provided IP is already allocated"
    if because:
        rule = f"failed to allocate IP {address}: {because}"
        yield FieldFault(Fault.INVALID, "spec.clusterIPs", rule, [address])


def _check_node_ports(spec: Document, others: _Others) -> Iterator[FieldFault]:
    wanted = [
        (f"spec.ports[{place}].nodePort", port.get("nodePort")) for place, port in enumerate(spec.get("ports", ()))
    ]
    for path, port in (*wanted, ("spec.healthCheckNodePort", spec.get("healthCheckNodePort"))):
        if port and port not in _NODE_PORTS:
            span = f"{_NODE_PORTS.start}-{_NODE_PORTS.stop - 1}"
            rule = f"provided port is not in the valid range. The range of valid ports is {span}"
            yield FieldFault(Fault.INVALID, path, rule, port)
        elif port and others.hold(NODE_PORTS, str(port)):
            yield FieldFault(Fault.INVALID, path, "provided port is already allocated", port)


def _with_address(spec: Document, others: _Others) -> Document:
    if spec.get("type") == "ExternalName" or spec.get("clusterIP"):
        return spec
    # Starting at a place that depends on the Service, so that the search stays short when many are taken.
    span = _NETWORK.num_addresses - _FIRST - 1
    start = zlib.crc32(others.seed.encode()) % span
    candidates = (str(_NETWORK[_FIRST + (start + step) % span]) for step in range(span))
    address = next(address for address in candidates if not others.hold(CLUSTER_IPS, address))
    return spec | {"clusterIP": address, "clusterIPs": [address]}


def _with_ports(spec: Document, others: _Others) -> Document:
    taken = {port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}

    def find_free(seed: int) -> int:
        candidates = (_NODE_PORTS[(seed + step) % len(_NODE_PORTS)] for step in range(len(_NODE_PORTS)))
        found = next((p for p in candidates if p not in taken and not others.hold(NODE_PORTS, str(p))), 0)
        taken.add(found)
        return found

    if has_node_ports(spec) and spec.get("allocateLoadBalancerNodePorts", True):
        # One number serves TCP and UDP where both have the same port.
        known = {port["port"]: port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}
        ports: list[Document] = []
        for port in spec.get("ports", ()):
            twin = known.get(port["port"])
            node = port.get("nodePort") or twin or find_free(port["port"])
            known[port["port"]] = node
            ports.append(port | {"nodePort": node})
        spec = spec | {"ports": ports}
    if needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        spec = spec | {"healthCheckNodePort": find_free(zlib.crc32(others.seed.encode()))}
    return spec
