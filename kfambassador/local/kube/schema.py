"""Schemas: what a kind's documents look like, and how their lists and maps merge.

A schema is written as OpenAPI v3, the language of CustomResourceDefinitions, and read once into :class:`Schema`. The
functions below write the schemas of the built-in kinds in few words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from kfambassador.local.kube.documents import Document, Json
from kfambassador.local.kube.faults import Fault, FieldFault

_RULES: Final = frozenset(
    {
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One node of a schema.

    Attributes:
        type: The JSON type, "" for any.
        properties: The declared fields of an object.
        values: The schema of the undeclared fields, None when there may be none.
        items: The schema of a list's items.
        required: The fields an object must have.
        enum: The values allowed, empty for all.
        default: The value taken where there is none, None for no default.
        nullable: Whether null may stand here.
        is_open: Whether unknown fields are kept as they are.
        is_int_or_string: Whether both a number and a text may stand here.
        list_type: How a list merges: ``atomic``, ``set`` or ``map``.
        keys: The fields that tell the items of a ``map`` list apart.
        is_atomic: Whether an object merges as a whole.
        merge_key: The field by which a strategic merge patch finds an item, "" when it replaces the list.
        rules: The limits on the value, by OpenAPI's names.
        has_defaults: Whether there is a default anywhere below.
    """

    type: str = ""
    properties: "Mapping[str, Schema]" = field(default_factory=lambda: MappingProxyType({}))
    values: "Schema | None" = None
    items: "Schema | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[Json, ...] = ()
    default: Json = None
    nullable: bool = False
    is_open: bool = False
    is_int_or_string: bool = False
    list_type: str = "atomic"
    keys: tuple[str, ...] = ()
    is_atomic: bool = False
    merge_key: str = ""
    rules: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    has_defaults: bool = False

    def child(self, name: str) -> "Schema | None":
        """The schema of an object's field, None when the field is unknown."""
        return self.properties.get(name) or self.values


#: The schema of a field nobody described: anything goes, maps merge, lists are replaced.
ANYTHING: Final = Schema(is_open=True)


def read_schema(source: Document) -> Schema:
    """Read one node of an OpenAPI v3 schema and all below it."""
    properties = {name: read_schema(child) for name, child in source.get("properties", {}).items()}
    values = _read_values(source.get("additionalProperties"))
    items = read_schema(source["items"]) if isinstance(source.get("items"), dict) else None
    below = [*properties.values(), *filter(None, (values, items))]
    return Schema(
        type=source.get("type", ""),
        properties=properties,
        values=values,
        items=items,
        required=tuple(source.get("required", ())),
        enum=tuple(source.get("enum", ())),
        default=source.get("default"),
        nullable=source.get("nullable", False),
        is_open=source.get("x-kubernetes-preserve-unknown-fields", False),
        is_int_or_string=source.get("x-kubernetes-int-or-string", False),
        list_type=source.get("x-kubernetes-list-type", "atomic"),
        keys=tuple(source.get("x-kubernetes-list-map-keys", ())),
        is_atomic=source.get("x-kubernetes-map-type") == "atomic",
        merge_key=source.get("x-kubernetes-patch-merge-key", ""),
        rules={rule: source[rule] for rule in _RULES & source.keys()},
        has_defaults=any(child.default is not None or child.has_defaults for child in below),
    )


#: What the keywords of a schema may hold, where the reader relies on it.
_KEYWORDS: Final[dict[str, type | tuple[type, ...]]] = {
    "type": str,
    "properties": dict,
    "required": list,
    "enum": list,
    "nullable": bool,
    "pattern": str,
    "x-kubernetes-preserve-unknown-fields": bool,
    "x-kubernetes-int-or-string": bool,
    "x-kubernetes-list-type": str,
    "x-kubernetes-list-map-keys": list,
    "x-kubernetes-map-type": str,
    "x-kubernetes-patch-merge-key": str,
} | dict.fromkeys(_RULES - {"pattern"}, (int, float))


def check_schema(source: Json, path: str = "") -> Iterator[FieldFault]:
    """Find what :func:`read_schema` could not read."""
    if not isinstance(source, dict):
        yield FieldFault(Fault.INVALID, path, "must be a schema", source)
        return
    for keyword, value in source.items():
        if not isinstance(value, _KEYWORDS.get(keyword, object)):
            yield FieldFault(Fault.INVALID, f"{path}.{keyword}", "has the wrong type", value)
    if isinstance(pattern := source.get("pattern"), str) and not _is_pattern(pattern):
        yield FieldFault(Fault.INVALID, f"{path}.pattern", "must be a valid regular expression", pattern)
    properties = source.get("properties")
    for name, child in properties.items() if isinstance(properties, dict) else ():
        yield from check_schema(child, f"{path}.properties[{name}]")
    for keyword in ("items", "additionalProperties"):
        if keyword in source and not isinstance(source[keyword], bool):
            yield from check_schema(source[keyword], f"{path}.{keyword}")


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _read_values(source: Json) -> Schema | None:
    if isinstance(source, dict):
        return read_schema(source)
    return ANYTHING if source is True else None


STRING: Final[Document] = {"type": "string"}
INTEGER: Final[Document] = {"type": "integer"}
BOOLEAN: Final[Document] = {"type": "boolean"}
INT_OR_STRING: Final[Document] = {"x-kubernetes-int-or-string": True}


def record(fields: Document | None = None, /, *, required: tuple[str, ...] = (), **more: Document) -> Document:
    """The schema of an object with declared fields."""
    schema: Document = {"type": "object", "properties": (fields or {}) | more}
    return schema | {"required": list(required)} if required else schema


def open_record(**fields: Document) -> Document:
    """The schema of an object of which only some fields are described."""
    return record(fields) | {"x-kubernetes-preserve-unknown-fields": True}


def table(values: Document) -> Document:
    """The schema of an object with fields of any name and one type of value."""
    return {"type": "object", "additionalProperties": values}


def array(items: Document) -> Document:
    """The schema of a list that is replaced as a whole."""
    return {"type": "array", "items": items, "x-kubernetes-list-type": "atomic"}


def unique(items: Document) -> Document:
    """The schema of a list that merges as a set."""
    merge = {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    return {"type": "array", "items": items} | merge


def keyed(items: Document, *keys: str) -> Document:
    """The schema of a list that merges by the keys of its items; strategic merge patches know the first key only."""
    merge = {"x-kubernetes-list-map-keys": list(keys), "x-kubernetes-patch-merge-key": keys[0]}
    strategy = {"x-kubernetes-list-type": "map", "x-kubernetes-patch-strategy": "merge"}
    return {"type": "array", "items": items} | strategy | merge


def atomic(schema: Document) -> Document:
    """The same object schema, merging as a whole."""
    return schema | {"x-kubernetes-map-type": "atomic"}


def default(schema: Document, value: Json) -> Document:
    """The same schema with a default."""
    return schema | {"default": value}
