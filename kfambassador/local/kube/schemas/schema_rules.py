"""Schema rules: whether a definition's schema is one that Kubernetes accepts. Pure.

All places are told from the schema's root.
"""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.schemas.keywords import (
    EMBEDDED,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    OPEN,
    Node,
    check_words,
    nested_of,
)
from kfambassador.local.kube.schemas.schema import read_schema
from kfambassador.local.kube.schemas.structural import check_structure, list_nodes
from kfambassador.local.kube.schemas.structure import check, prune
from kfambassador.local.kube.schemas.validations import check_law

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED: Final = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")


def check_schema(source: Json) -> list[FieldFault]:
    """Find why Kubernetes would refuse a schema."""
    unreadable = list(check_words(source))
    if unreadable or not isinstance(source, dict):
        return unreadable
    structural = check_structure(source) or list(_check_defaults(source))
    return [*structural, *_check_keywords(Node(source, "", "root"))]


def _check_defaults(source: Document) -> Iterator[FieldFault]:
    for node in list_nodes(source):
        if node.source.get("default") is None:
            continue
        schema, value = read_schema(node.source), node.source["default"]
        place = f"{node.path}.default"
        pruned = prune(schema, value)
        if pruned.value != value:
            yield FieldFault(Fault.INVALID, place, "must not have unknown fields", value)
        for fault in check(schema, value):
            yield FieldFault(fault.fault, place + (f".{fault.field}" if fault.field else ""), fault.detail, fault.value)


def _check_keywords(node: Node) -> Iterator[FieldFault]:
    source, path = node.source, node.path
    if source.get("type") and source["type"] not in _TYPES:
        yield unsupported(f"{path}.type", source["type"], _TYPES)
    yield from _check_forbidden(node)
    if source.get(OPEN) is False:
        yield node.fault(Fault.INVALID, OPEN, "must be true or undefined")
    yield from _check_merging(node)
    yield from check_law(node)
    for child in _step_down(node):
        yield from _check_keywords(child)


def _check_forbidden(node: Node) -> Iterator[FieldFault]:
    source = node.source
    if source.get("default") is not None and node.no_default:
        yield node.fault(Fault.FORBIDDEN, "default", f"must not be set {node.no_default}")
    for keyword in _UNSUPPORTED:
        if source.get(keyword):
            yield node.fault(Fault.FORBIDDEN, keyword, f"{keyword} is not supported")
    if isinstance(source.get("items"), list):
        yield node.fault(Fault.FORBIDDEN, "items", "items must be a schema object and not an array")
    if node.in_metadata and source.get(EMBEDDED):
        yield node.fault(Fault.FORBIDDEN, EMBEDDED, "must not be used inside of resource meta")
    if source.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield node.fault(Fault.FORBIDDEN, "uniqueItems", detail)
    if source.get("properties") and source.get("additionalProperties") not in (None, True):
        detail = "additionalProperties and properties are mutual exclusive"
        yield node.fault(Fault.FORBIDDEN, "additionalProperties", detail)
    if node.role == "root" and source.get("nullable"):
        yield node.fault(Fault.FORBIDDEN, "nullable", "nullable cannot be true at the root")


def _step_down(node: Node) -> Iterator[Node]:
    has_metadata = node.role == "root" or bool(node.source.get(EMBEDDED))
    replaced = node.uncorrelated or (node.path if node.source.get(MAP_TYPE) == "atomic" else "")
    for name, child in (node.source.get("properties") or {}).items():
        is_metadata = has_metadata and name in {"metadata", "kind", "apiVersion"}
        reason = f"in top-level {name}" if is_metadata and node.role == "root" else node.no_default
        place = f"{node.path}.properties[{name}]"
        yield Node(child, place, "field", node.in_metadata or is_metadata, reason, replaced)
    if isinstance(child := node.source.get("additionalProperties"), dict):
        reason = "inside additionalProperties applying to object metadata" if node.in_metadata else node.no_default
        yield Node(child, f"{node.path}.additionalProperties", "field", node.in_metadata, reason, node.uncorrelated)
    if isinstance(child := node.source.get("items"), dict):
        replaced = node.uncorrelated or ("" if node.source.get(LIST_TYPE) == "map" else node.path)
        yield Node(child, f"{node.path}.items", "items", node.in_metadata, node.no_default, replaced)
    for child, place in nested_of(node.source, node.path):
        if isinstance(child, dict):
            yield Node(child, place, "field", node.in_metadata, node.no_default)


def _check_merging(node: Node) -> Iterator[FieldFault]:
    source, path = node.source, node.path
    for keyword, wanted, choices in (
        (MAP_TYPE, "object", ("atomic", "granular")),
        (LIST_TYPE, "array", ("atomic", "set", "map")),
    ):
        if keyword in source and source.get("type") != wanted:
            kind = Fault.INVALID if source.get("type") else Fault.REQUIRED
            yield node.fault(kind, "type", f"must be {wanted} if {keyword} is specified")
        if keyword in source and source[keyword] not in choices:
            yield unsupported(f"{path}.{keyword}", source[keyword], choices)
    if source.get(LIST_KEYS) and source.get(LIST_TYPE) != "map":
        kind = Fault.INVALID if LIST_TYPE in source else Fault.REQUIRED
        yield node.fault(kind, LIST_TYPE, f"must be map if {LIST_KEYS} is non-empty")
    items = source.get("items")
    if source.get(LIST_TYPE) == "set" and isinstance(items, dict):
        yield from _check_set(node, items)
    if source.get(LIST_TYPE) == "map":
        yield from _check_map(node)
    if source.get(LIST_TYPE) in {"set", "map"} and isinstance(items, dict) and items.get("nullable"):
        detail = f"cannot be nullable when {LIST_TYPE} is {source[LIST_TYPE]}"
        yield node.fault(Fault.FORBIDDEN, "items.nullable", detail)


def _check_set(node: Node, items: Document) -> Iterator[FieldFault]:
    keyword = {"array": LIST_TYPE, "object": MAP_TYPE}.get(items.get("type", ""))
    default = "atomic" if keyword == LIST_TYPE else "granular"
    if keyword and items.get(keyword, default) != "atomic":
        yield node.fault(Fault.INVALID, f"items.{keyword}", f"must be atomic as item of a list with {LIST_TYPE}=set")


def _check_map(node: Node) -> Iterator[FieldFault]:
    items = node.source.get("items")
    keys: list[str] = node.source.get(LIST_KEYS) or []
    if not keys:
        yield node.fault(Fault.REQUIRED, LIST_KEYS, f"must not be empty if {LIST_TYPE} is map")
    if not isinstance(items, dict):
        yield node.fault(Fault.REQUIRED, "items", f"must have a schema if {LIST_TYPE} is map")
        return
    if items.get("type") != "object":
        yield node.fault(Fault.INVALID, "items.type", f"must be object if parent array's {LIST_TYPE} is map")
        return
    if len({*keys}) != len(keys):
        yield node.fault(Fault.INVALID, LIST_KEYS, "must not contain duplicate entries")
    for key in keys:
        field: Document | None = (items.get("properties") or {}).get(key)
        if field is None:
            yield node.fault(Fault.INVALID, LIST_KEYS, "entries must all be names of item properties")
            continue
        place = f"{node.path}.items.properties[{key}]"
        if field.get("type") in {"array", "object"}:
            detail = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield FieldFault(Fault.INVALID, f"{place}.type", detail, "object")
        if key not in (items.get("required") or ()) and field.get("default") is None:
            detail = f"this property is in {LIST_KEYS}, so it must have a default or be a required property"
            yield FieldFault(Fault.REQUIRED, f"{place}.default", detail)
        if field.get("nullable"):
            detail = f"this property is in {LIST_KEYS}, so it cannot be nullable"
            yield FieldFault(Fault.FORBIDDEN, f"{place}.nullable", detail)
