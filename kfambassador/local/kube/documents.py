"""Documents: Kubernetes objects as JSON, and the few readers that every floor above needs.

A document is never changed once it has been stored or handed on: whoever wants another one makes another one.
"""

import json
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


def children_of(value: Json) -> list[Json]:
    """The values directly inside a value."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
