"""Network policies: what the API checks when a NetworkPolicy is written. Nothing here goes by them. Pure."""

import ipaddress
from collections.abc import Iterator
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.addresses import PORTS, PROTOCOLS, check_port, check_port_or_name
from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new, unsupported
from kfambassador.local.kube.documents.label_selectors import check_label_selector
from kfambassador.local.kube.kinds.kind import Admitted, Index

_TYPES: Final = ("Egress", "Ingress")
_SELECTORS: Final = ("podSelector", "namespaceSelector")
_BLOCK_RULE: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def admit_network_policy(policy: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a NetworkPolicy."""
    return Admitted(policy, list_new(_check(policy), _check(before) if before else ()))


def _check(policy: Document) -> Iterator[FieldFault]:
    spec: Document = policy.get("spec") or {}
    yield from check_label_selector(spec.get("podSelector") or {}, "spec.podSelector")
    for field, side in (("ingress", "from"), ("egress", "to")):
        for place, rule in enumerate(spec.get(field) or ()):
            path = f"spec.{field}[{place}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from _check_port(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(side) or ()):
                yield from _check_peer(peer, f"{path}.{side}[{number}]")
    types: list[Json] = spec.get("policyTypes") or []
    if len(types) > len(_TYPES):
        yield FieldFault(Fault.INVALID, "spec.policyTypes", "may not specify more than two policyTypes", types)
        return
    for place, sort in enumerate(types):
        if sort not in _TYPES:
            yield unsupported(f"spec.policyTypes[{place}]", sort, _TYPES)


def _check_port(port: Document, path: str) -> Iterator[FieldFault]:
    first, last = port.get("port"), port.get("endPort")
    if port.get("protocol") not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    if first is not None:
        yield from check_port_or_name(first, f"{path}.port")
    if last is None:
        return
    if not isinstance(first, int):
        rule = f"may not be specified when `port` is {'not specified' if first is None else 'non-numeric'}"
        yield FieldFault(Fault.INVALID, f"{path}.endPort", rule, last)
    elif last < first:
        yield FieldFault(Fault.INVALID, f"{path}.endPort", "must be greater than or equal to `port`", last)
    elif last not in PORTS:
        yield from check_port(last, f"{path}.endPort")


def _check_peer(peer: Document, path: str) -> Iterator[FieldFault]:
    selectors = [field for field in _SELECTORS if peer.get(field) is not None]
    for field in selectors:
        yield from check_label_selector(peer[field], f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        yield from _check_block(block, f"{path}.ipBlock")
        if selectors:
            yield FieldFault(Fault.FORBIDDEN, path, "may not specify both ipBlock and another peer")
    elif not selectors:
        yield FieldFault(Fault.REQUIRED, path, "must specify a peer")


def _check_block(block: Document, path: str) -> Iterator[FieldFault]:
    if not block.get("cidr"):
        yield FieldFault(Fault.REQUIRED, f"{path}.cidr")
        return
    whole = _read_block(block["cidr"])
    if whole is None:
        yield FieldFault(Fault.INVALID, f"{path}.cidr", _BLOCK_RULE, block["cidr"])
        return
    for place, text in enumerate(block.get("except") or ()):
        part = _read_block(text)
        if part is None:
            yield FieldFault(Fault.INVALID, f"{path}.except[{place}]", _BLOCK_RULE, text)
        elif not _is_within(part, whole):
            rule = "must be a strict subset of `cidr`"
            yield FieldFault(Fault.INVALID, f"{path}.except[{place}]", rule, text)


def _read_block(text: Json) -> _Network | None:
    # Python also takes an address alone, or a mask written as one; a cluster takes neither.
    _, slash, length = str(text).partition("/")
    if not slash or not length.isdecimal():
        return None
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None


def _is_within(part: _Network, whole: _Network) -> bool:
    return part.version == whole.version and part.prefixlen > whole.prefixlen and part.network_address in whole
