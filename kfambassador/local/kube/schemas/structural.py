"""Structural: whether a schema is one that Kubernetes can prune and fill in by. Pure.

A structural schema says of each field what it is in one place only: what stands below ``allOf``, ``anyOf``, ``oneOf``
or ``not`` may narrow that and nothing else. All places are told from the schema's root.
"""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.schemas.keywords import (
    EITHER,
    EMBEDDED,
    LIST_KEYS,
    LIST_TYPE,
    OPEN,
    Node,
    children_of,
    nested_of,
)
from kfambassador.local.kube.schemas.patterns import BadPattern, check_pattern

#: What a schema below a junctor may not hold, and what it must be instead.
_NOT_NESTED: Final = {
    "type": "empty",
    "additionalProperties": "undefined",
    "default": "undefined",
    "title": "empty",
    "description": "empty",
    "nullable": "false",
    OPEN: "false",
    EMBEDDED: "false",
    EITHER: "false",
    LIST_KEYS: "empty",
    LIST_TYPE: "undefined",
}


def check_structure(source: Document) -> list[FieldFault]:
    """Find why a schema is not structural, in the order Kubernetes tells it."""
    faults = [*_check_structure(Node(source, "", "root"))]
    faults += [fault for node in list_nodes(source) for fault in _check_complete(node)]
    return sorted(faults, key=str)


def _check_structure(node: Node) -> Iterator[FieldFault]:
    source, path = node.source, node.path
    if source.get("type") == "array" and "items" not in source:
        yield node.fault(Fault.REQUIRED, "items", "must be specified")
    yield from _check_type(node)
    yield from _check_extensions(node)
    if node.role == "root" and "additionalProperties" in source:
        yield node.fault(Fault.FORBIDDEN, "additionalProperties", "must not be used at the root")
    yield from _check_metadata(node)
    for child, place in nested_of(source, path):
        if isinstance(child, dict) and not _is_either(source, place.removeprefix(path)):
            yield from _check_nested(Node(child, place))
    yield from _check_expression(node)
    for name, child in (source.get("properties") or {}).items():
        yield from _check_structure(Node(child, f"{path}.properties[{name}]"))
    for keyword, role in (("items", "items"), ("additionalProperties", "field")):
        if isinstance(source.get(keyword), dict):
            yield from _check_structure(Node(source[keyword], f"{path}.{keyword}", role))


def _is_either(source: Document, place: str) -> bool:
    # "An integer or a text" may be said once more, as other readers of the schema need it.
    either = [{"type": "integer"}, {"type": "string"}]
    first = (source.get("allOf") or [{}])[0]
    if place.startswith(".anyOf["):
        return source.get("anyOf") == either
    return place == ".allOf[0]" and isinstance(first, dict) and first.get("anyOf") == either


def _check_type(node: Node) -> Iterator[FieldFault]:
    source = node.source
    wanted = {
        "root": "must not be empty at the root",
        "items": "must not be empty for specified array items",
        "field": "must not be empty for specified object fields",
    }
    if source.get(EMBEDDED) and source.get("type") != "object":
        kind = Fault.INVALID if source.get("type") else Fault.REQUIRED
        yield node.fault(kind, "type", "must be object if x-kubernetes-embedded-resource is true")
    elif not source.get("type") and not source.get(EITHER) and not source.get(OPEN):
        yield node.fault(Fault.REQUIRED, "type", wanted[node.role])
    if node.role == "root" and source.get("type", "object") != "object":
        yield node.fault(Fault.INVALID, "type", "must be object at the root")


def _check_extensions(node: Node) -> Iterator[FieldFault]:
    source = node.source
    if source.get(EITHER):
        for keyword in (OPEN, EMBEDDED):
            if source.get(keyword):
                yield node.fault(Fault.INVALID, keyword, "must be false if x-kubernetes-int-or-string is true")
    if not source.get(EMBEDDED):
        return
    if "additionalProperties" in source:
        detail = "must not be used if x-kubernetes-embedded-resource is set"
        yield node.fault(Fault.FORBIDDEN, "additionalProperties", detail)
    if not source.get(OPEN) and not source.get("properties"):
        detail = f"must not be empty if {EMBEDDED} is true without {OPEN}"
        yield node.fault(Fault.REQUIRED, "properties", detail)


def _check_metadata(node: Node) -> Iterator[FieldFault]:
    if node.role != "root" and not node.source.get(EMBEDDED):
        return
    properties: Document = node.source.get("properties") or {}
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        if name in properties and properties[name].get("type") != wanted:
            place = f"{node.path}.properties[{name}].type"
            yield FieldFault(Fault.INVALID, place, f"must be {wanted}", properties[name].get("type", ""))
    metadata = properties.get("metadata")
    if node.role == "root" and metadata is not None and not _is_plain(metadata):
        detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield FieldFault(Fault.FORBIDDEN, f"{node.path}.properties[metadata]", detail)


def _is_plain(metadata: Document) -> bool:
    named = (metadata.get("properties") or {}).keys()
    return metadata.keys() <= {"type", "properties", "default"} and named <= {"name", "generateName"}


def _check_expression(node: Node) -> Iterator[FieldFault]:
    try:
        check_pattern(node.source.get("pattern", ""))
    except BadPattern as error:
        yield node.fault(Fault.INVALID, "pattern", f"must be a valid regular expression, but isn't: {error}")


def _check_nested(node: Node) -> Iterator[FieldFault]:
    source, path = node.source, node.path
    for keyword, wanted in _NOT_NESTED.items():
        if source.get(keyword) not in (None, "", False, []):
            yield node.fault(Fault.FORBIDDEN, keyword, f"must be {wanted} to be structural")
    if "metadata" in (source.get("properties") or {}):
        detail = "must not be specified in a nested context"
        yield FieldFault(Fault.FORBIDDEN, f"{path}.properties[metadata]", detail)
    yield from _check_expression(node)
    for child, place in children_of(source, path):
        is_skipped = place.startswith(f"{path}.additionalProperties") or _is_either(source, place.removeprefix(path))
        if isinstance(child, dict) and not is_skipped:
            yield from _check_nested(Node(child, place))


def list_nodes(source: Json, path: str = "") -> Iterator[Node]:
    """Every node that says what a field is; none that only narrows it."""
    if not isinstance(source, dict):
        return
    yield Node(source, path)
    narrowing = {place for _, place in nested_of(source, path)}
    for child, place in children_of(source, path):
        if place not in narrowing:
            yield from list_nodes(child, place)


def _check_complete(node: Node) -> Iterator[FieldFault]:
    for child, place in nested_of(node.source, node.path):
        yield from _compare(child, node.source, place, node.path)


def _compare(nested: Document, source: Document, place: str, path: str) -> Iterator[FieldFault]:
    for name, child in (nested.get("properties") or {}).items():
        known = (source.get("properties") or {}).get(name)
        here, there = f"{path}.properties[{name}]", f"{place}.properties[{name}]"
        if known is None:
            yield FieldFault(Fault.REQUIRED, here, f"because it is defined in {there.lstrip('.')}")
        else:
            yield from _compare(child, known, there, here)
    if "items" in nested:
        here, there = f"{path}.items", f"{place}.items"
        if not isinstance(source.get("items"), dict):
            yield FieldFault(Fault.REQUIRED, here, f"because it is defined in {there.lstrip('.')}")
        else:
            yield from _compare(nested["items"], source["items"], there, here)
    for child, deeper in nested_of(nested, place):
        yield from _compare(child, source, deeper, path)
