"""Keywords: the words schemas are written in, and what each may hold. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault

_NUMBER: Final = (int, float)
#: Every keyword of a schema, and what it may hold.
_KEYWORDS: Final[dict[str, type | tuple[type, ...]]] = {
    **dict.fromkeys(("id", "$schema", "$ref", "description", "type", "format", "title", "pattern"), str),
    **dict.fromkeys(("maximum", "minimum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), int),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable"), bool),
    **dict.fromkeys(("enum", "required", "allOf", "anyOf", "oneOf"), list),
    **dict.fromkeys(("properties", "patternProperties", "dependencies", "definitions", "externalDocs", "not"), dict),
    **dict.fromkeys(("items",), (dict, list)),
    **dict.fromkeys(("additionalProperties", "additionalItems"), (dict, bool)),
    **dict.fromkeys(("default", "example"), object),
    "x-kubernetes-preserve-unknown-fields": bool,
    "x-kubernetes-embedded-resource": bool,
    "x-kubernetes-int-or-string": bool,
    "x-kubernetes-list-map-keys": list,
    "x-kubernetes-list-type": str,
    "x-kubernetes-map-type": str,
    "x-kubernetes-validations": list,
}
OPEN: Final = "x-kubernetes-preserve-unknown-fields"
EMBEDDED: Final = "x-kubernetes-embedded-resource"
EITHER: Final = "x-kubernetes-int-or-string"
LIST_TYPE: Final = "x-kubernetes-list-type"
LIST_KEYS: Final = "x-kubernetes-list-map-keys"
MAP_TYPE: Final = "x-kubernetes-map-type"
LAWS: Final = "x-kubernetes-validations"
JUNCTORS: Final = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a schema: where it is, and what holds there.

    Attributes:
        source: The node.
        path: Its place.
        role: ``root``, ``items`` for a list's items, ``field`` for all else.
        in_metadata: Whether it describes an object's name, kind or the like.
        no_default: Why there may be no default, "" where there may be one.
        uncorrelated: The place of what is replaced as a whole around it, so that nobody can tell what a value in it was
            before; "" where that can be told.
    """

    source: Document
    path: str
    role: str = "field"
    in_metadata: bool = False
    no_default: str = ""
    uncorrelated: str = ""

    def fault(self, kind: Fault, keyword: str, detail: str) -> FieldFault:
        """A fault of one of its keywords."""
        value: Any = self.source
        for step in keyword.split(".") if keyword not in self.source else (keyword,):
            value = value.get(step) if isinstance(value, dict) else None
        return FieldFault(kind, f"{self.path}.{keyword}", detail, value)


def find_unknown(source: Json, path: str = "") -> Iterator[str]:
    """Find the keywords that no schema has, each with its place."""
    if not isinstance(source, dict):
        return
    yield from (f"{path}.{keyword}" for keyword in source if keyword not in _KEYWORDS)
    for child, place in children_of(source, path):
        yield from find_unknown(child, place)


def tidy(source: Json) -> Json:
    """The same schema without the keywords that no schema has, and without those that are null: that means absent."""
    if not isinstance(source, dict):
        return source
    known: dict[str, Json] = {word: value for word, value in source.items() if word in _KEYWORDS and value is not None}
    for keyword in ("items", "additionalProperties", "not"):
        if keyword in known:
            known[keyword] = tidy(known[keyword])
    for keyword in JUNCTORS:
        children = known.get(keyword)
        if isinstance(children, list):
            known[keyword] = [tidy(child) for child in children]
    properties = known.get("properties")
    if isinstance(properties, dict):
        known["properties"] = {name: tidy(child) for name, child in properties.items()}
    return known


def children_of(source: Document, path: str) -> Iterator[tuple[Any, str]]:
    """Every schema right below one, with its place."""
    properties = source.get("properties")
    for name, child in properties.items() if isinstance(properties, dict) else ():
        yield child, f"{path}.properties[{name}]"
    for keyword in ("items", "additionalProperties"):
        if keyword in source and not isinstance(source[keyword], bool):
            yield source[keyword], f"{path}.{keyword}"
    yield from nested_of(source, path)


def nested_of(source: Document, path: str) -> Iterator[tuple[Any, str]]:
    """The schemas that narrow one: below ``allOf``, ``anyOf``, ``oneOf`` and ``not``."""
    for keyword in JUNCTORS:
        children = source.get(keyword)
        for place, child in enumerate(children) if isinstance(children, list) else ():
            yield child, f"{path}.{keyword}[{place}]"
    if "not" in source:
        yield source["not"], f"{path}.not"


def check_words(source: Json, path: str = "") -> Iterator[FieldFault]:
    """Find what could not even be read as a schema."""
    # What is not even a schema; a list of schemas for items is told below, with a rule of its own.
    if not isinstance(source, dict):
        if not (isinstance(source, list) and path.endswith(".items")):
            yield FieldFault(Fault.INVALID, path, "must be a schema", source)
        return
    for keyword, value in source.items():
        allowed = _KEYWORDS.get(keyword, object)
        if not isinstance(value, allowed) or (isinstance(value, bool) and allowed in {int, _NUMBER}):
            yield FieldFault(Fault.INVALID, f"{path}.{keyword}", "has the wrong type", value)
    for keyword in ("required", LIST_KEYS):
        words = source.get(keyword)
        if isinstance(words, list) and not all(isinstance(word, str) for word in words):
            yield FieldFault(Fault.INVALID, f"{path}.{keyword}", "must be a list of texts", words)
    for child, place in children_of(source, path):
        yield from check_words(child, place)
