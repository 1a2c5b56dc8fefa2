"""Service rules: what a Service may say of itself, whatever other Services there are. Pure."""

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

from kfambassador.local.kube.documents.addresses import (
    PROTOCOLS,
    check_address,
    check_common_address,
    check_port,
    check_port_or_name,
    read_address,
)
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.metadata import NameRule, check_labels, check_qualified

#: What stands in place of an address where a Service wants none.
HEADLESS: Final = "None"

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_CHOICES: Final = {
    "type": _TYPES,
    "sessionAffinity": ("ClientIP", "None"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "externalTrafficPolicy": ("Cluster", "Local"),
    "ipFamilyPolicy": ("PreferDualStack", "RequireDualStack", "SingleStack"),
    "trafficDistribution": ("PreferClose", "PreferSameNode", "PreferSameZone"),
}
_KUBELET: Final = 10250
_LONGEST_AFFINITY: Final = 86400
_FAMILIES: Final = ("IPv4", "IPv6")
_IP6: Final = 6


def has_node_ports(spec: Document) -> bool:
    """Whether a Service's ports are open on every node."""
    return spec.get("type") in {"NodePort", "LoadBalancer"}


def is_reached_from_outside(spec: Document) -> bool:
    """Whether a Service is to be reached from outside the cluster."""
    return has_node_ports(spec) or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Document) -> bool:
    """Whether a load balancer asks each node whether it has pods of the Service."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def check_service(spec: Document, old: Document) -> Iterator[FieldFault]:
    """Find what is wrong with a Service.

    Args:
        spec: What it says, with its defaults.
        old: What it said before, empty for a new one.
    """
    is_headless = spec.get("clusterIP") == HEADLESS
    ports: list[Document] = spec.get("ports") or []
    if not ports and not is_headless and spec.get("type") != "ExternalName":
        yield FieldFault(Fault.REQUIRED, "spec.ports")
    yield from _check_type(spec, ports, is_headless=is_headless)
    for place, port in enumerate(ports):
        yield from _check_port(port, f"spec.ports[{place}]", is_alone=len(ports) == 1)
    yield from _check_twins(ports)
    yield from check_labels(spec.get("selector") or {}, "spec.selector")
    for field, choices in _CHOICES.items():
        if field in spec and spec[field] not in choices:
            yield unsupported(f"spec.{field}", spec[field], choices)
    yield from _check_affinity(spec)
    for place, address in enumerate(spec.get("externalIPs") or ()):
        yield from check_common_address(address, f"spec.externalIPs[{place}]")
    yield from _check_typed(spec)
    yield from _check_class(spec, old)
    if spec.get("type") != "ExternalName":
        yield from _check_addresses(spec, old)
        yield from _check_families(spec, is_headless=is_headless)


def _check_type(spec: Document, ports: list[Document], *, is_headless: bool) -> Iterator[FieldFault]:
    sort = spec.get("type")
    if sort == "ExternalName":
        yield from _check_external_name(spec)
    elif has_node_ports(spec) and is_headless:
        rule = f"may not be set to 'None' for {sort} services"
        yield FieldFault(Fault.INVALID, "spec.clusterIPs[0]", rule, HEADLESS)
    for place, port in enumerate(ports):
        if sort == "LoadBalancer" and port.get("port") == _KUBELET:
            rule = f"may not expose port {_KUBELET} externally since it is used by kubelet"
            yield FieldFault(Fault.INVALID, f"spec.ports[{place}]", rule, _KUBELET)
        if sort == "ClusterIP" and port.get("nodePort"):
            rule = "may not be used when `type` is 'ClusterIP'"
            yield FieldFault(Fault.FORBIDDEN, f"spec.ports[{place}].nodePort", rule)


def _check_external_name(spec: Document) -> Iterator[FieldFault]:
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field) or (field == "clusterIPs" and spec.get("clusterIP")):
            yield FieldFault(Fault.FORBIDDEN, f"spec.{field}", "may not be set for ExternalName services")
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
    yield from check_port(port.get("port", 0), f"{path}.port")
    yield from check_port_or_name(port.get("targetPort"), f"{path}.targetPort")
    if port.get("protocol") not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    if port.get("appProtocol") is not None:
        yield from check_qualified(port["appProtocol"], f"{path}.appProtocol")


def _check_twins(ports: list[Document]) -> Iterator[FieldFault]:
    identities: tuple[tuple[str, Callable[[Document], object]], ...] = (
        (".name", lambda port: port.get("name")),
        (".nodePort", lambda port: (port["nodePort"], port.get("protocol")) if port.get("nodePort") else None),
        ("", lambda port: (port.get("port"), port.get("protocol"))),
    )
    for suffix, identity in identities:
        seen: set[object] = set()
        for place, port in enumerate(ports):
            this = identity(port)
            if this is not None and this in seen:
                both = {"port": port.get("port"), "protocol": port.get("protocol")}
                value = port.get(suffix.removeprefix(".")) if suffix else both
                yield FieldFault(Fault.DUPLICATE, f"spec.ports[{place}]{suffix}", "", value)
            seen.add(this)


def _check_affinity(spec: Document) -> Iterator[FieldFault]:
    client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    seconds = client.get("timeoutSeconds", 0)
    if spec.get("sessionAffinity") == "ClientIP" and not 0 < seconds <= _LONGEST_AFFINITY:
        rule = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
        yield FieldFault(Fault.INVALID, "spec.sessionAffinityConfig.clientIP.timeoutSeconds", rule, seconds)


def _check_typed(spec: Document) -> Iterator[FieldFault]:
    if spec.get("externalTrafficPolicy") and not is_reached_from_outside(spec):
        rule = "may only be set for externally-accessible services"
        yield FieldFault(Fault.INVALID, "spec.externalTrafficPolicy", rule, spec["externalTrafficPolicy"])
    if spec.get("healthCheckNodePort") and not needs_health_check(spec):
        rule = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield FieldFault(Fault.INVALID, "spec.healthCheckNodePort", rule, spec["healthCheckNodePort"])
    is_balanced = spec.get("type") == "LoadBalancer"
    for field in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"):
        if spec.get(field) not in (None, []) and not is_balanced:
            yield FieldFault(Fault.FORBIDDEN, f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")
    for place, span in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        if not _is_network(span.strip()):
            rule = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            yield FieldFault(Fault.INVALID, f"spec.loadBalancerSourceRanges[{place}]", rule, span)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _check_class(spec: Document, old: Document) -> Iterator[FieldFault]:
    name, held = spec.get("loadBalancerClass"), old.get("loadBalancerClass")
    is_balanced = spec.get("type") == "LoadBalancer"
    if is_balanced and old.get("type") == "LoadBalancer" and name != held:
        yield FieldFault(Fault.INVALID, "spec.loadBalancerClass", "may not change once set", name)
    if name is not None and not is_balanced:
        yield FieldFault(Fault.FORBIDDEN, "spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
    elif name is not None:
        yield from check_qualified(name, "spec.loadBalancerClass")


def _check_addresses(spec: Document, old: Document) -> Iterator[FieldFault]:
    addresses: list[str] = spec.get("clusterIPs") or []
    first, held = spec.get("clusterIP") or "", old.get("clusterIPs") or []
    if addresses and not first:
        yield FieldFault(
            Fault.INVALID, "spec.clusterIPs", "must be empty when `clusterIP` is not specified", [*addresses]
        )
    elif addresses and addresses[0] != first:
        yield FieldFault(Fault.INVALID, "spec.clusterIPs", "first value must match `clusterIP`", [*addresses])
    if HEADLESS in addresses and len(addresses) > 1:
        yield FieldFault(Fault.INVALID, "spec.clusterIPs", "'None' must be the first and only value", [*addresses])
    for place, address in enumerate(addresses):
        if address != HEADLESS:
            yield from check_address(address, f"spec.clusterIPs[{place}]")
    if len(addresses) > len(_FAMILIES):
        yield FieldFault(Fault.INVALID, "spec.clusterIPs", "may only hold up to 2 values", [*addresses])
    if held and old.get("type") != "ExternalName" and addresses[:1] != held[:1]:
        yield FieldFault(Fault.INVALID, "spec.clusterIPs[0]", "may not change once set", [*addresses])


def _check_families(spec: Document, *, is_headless: bool) -> Iterator[FieldFault]:
    families: list[str] = spec.get("ipFamilies") or []
    for place, family in enumerate(families):
        if family not in _FAMILIES:
            yield unsupported(f"spec.ipFamilies[{place}]", family, _FAMILIES)
        elif family in families[:place]:
            yield FieldFault(Fault.DUPLICATE, f"spec.ipFamilies[{place}]", "", family)
    if spec.get("ipFamilyPolicy") == "SingleStack" and len(families) > 1:
        rule = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
        yield FieldFault(Fault.INVALID, "spec.ipFamilyPolicy", rule, "SingleStack")
    for place, address in enumerate(spec.get("clusterIPs") or ()):
        read = read_address(address)
        if read and read.version == _IP6:
            rule = "IPv6 is not configured on this cluster"
            yield FieldFault(Fault.INVALID, f"spec.clusterIPs[{place}]", rule, [*spec["clusterIPs"]])
    if not is_headless or spec.get("selector"):
        yield from _check_single_stack(spec, families)


def _check_single_stack(spec: Document, families: list[str]) -> Iterator[FieldFault]:
    if spec.get("ipFamilyPolicy") == "RequireDualStack":
        rule = "this cluster is not configured for dual-stack services"
        yield FieldFault(Fault.INVALID, "spec.ipFamilyPolicy", rule, "RequireDualStack")
    for place, family in enumerate(families):
        if family == "IPv6":
            yield FieldFault(Fault.INVALID, f"spec.ipFamilies[{place}]", "not configured on this cluster", family)
