"""Documents: Kubernetes objects as JSON, and the few readers that every floor above needs.

A document is never changed once it has been stored or handed on: whoever wants another one makes another one.
"""

import json
from operator import is_
from typing import Any, Final, TypeAlias

#: Any JSON value.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
#: A JSON object whose shape is described by its kind's schema, which Python's types cannot see.
Document: TypeAlias = dict[str, Any]

#: Deepest nesting a body may have; Kubernetes' own objects stay below 20.
MAX_DEPTH: Final = 100

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def encode(value: Json) -> bytes:
    """Write JSON in its shortest form."""
    return _ENCODER.encode(value).encode()


def are_same(one: object, other: object) -> bool:
    """Whether two JSON values are the same. Python takes true for 1 and false for 0; JSON does not.

    Example:
        >>> are_same({"a": [1]}, {"a": [1.0]}), are_same({"a": [1]}, {"a": [True]})
        (True, False)
    """
    if one is other or one != other:  # found in C, and nearly always so
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return all(are_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(map(are_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def metadata_of(document: Document) -> Document:
    """The object's metadata, empty when it has none."""
    metadata: Document = document.get("metadata") or {}
    return metadata


def name_of(document: Document) -> str:
    """The object's name, "" when it has none."""
    return str(metadata_of(document).get("name") or "")


def namespace_of(document: Document) -> str:
    """The object's namespace, "" for what is not in one."""
    return str(metadata_of(document).get("namespace") or "")


def with_metadata(document: Document, **changes: Json) -> Document:
    """The same object with some metadata changed; None takes a field away.

    Example:
        >>> with_metadata({"metadata": {"name": "a", "uid": "1"}}, uid=None, namespace="x")
        {'metadata': {'name': 'a', 'namespace': 'x'}}
    """
    merged = metadata_of(document) | changes
    return document | {"metadata": {field: value for field, value in merged.items() if value is not None}}


def without(document: Document, *fields: str) -> Document:
    """The same object without some of its top-level fields."""
    return {field: value for field, value in document.items() if field not in fields}


def name_type(value: Json) -> str:
    """What JSON calls a value.

    Example:
        >>> name_type([]), name_type(None), name_type(True), name_type(1.5)
        ('an array', 'null', 'a boolean', 'a number')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    names = {list: "an array", dict: "an object", str: "a string", bool: "a boolean"}
    return names.get(type(value), "null")


def is_deeper_than(value: Json, limit: int) -> bool:
    """Whether a value nests deeper than a limit, found without recursion.

    Example:
        >>> is_deeper_than([[1]], 1), is_deeper_than([[1]], 2)
        (True, False)
    """
    level: list[Json] = [value]
    for _ in range(limit + 1):
        level = [child for parent in level for child in children_of(parent)]
        if not level:
            return False
    return True


def keep_fields(value: dict[str, Json], changed: dict[str, Json]) -> dict[str, Json]:
    """The object itself where a changed one has the very same fields: what is shared is soon found to be the same."""
    is_kept = len(changed) == len(value) and all(map(is_, changed.values(), value.values()))
    return value if is_kept else changed


def keep_items(value: list[Json], changed: list[Json]) -> list[Json]:
    """The list itself where one that was made of it, item by item, has the very same items."""
    return value if all(map(is_, changed, value)) else changed


def children_of(value: Json) -> list[Json]:
    """The values directly inside a value."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
