"""Types: an applied configuration held against the types of its fields, in a cluster's words. Pure.

Server-side apply looks at types before anything else, because whoever applies a field is to own it: an unknown field
and a value of a wrong type cannot be owned, and of two items with the same key nobody could say which one is meant.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Json
from kfambassador.local.kube.schemas.fields import Path, namer, show_path
from kfambassador.local.kube.schemas.schema import Schema
from kfambassador.local.kube.schemas.structure import identify

#: What a cluster calls the types of JSON in its language.
_GO_TYPES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}


def find_misfits(schema: Schema, value: Json) -> Iterator[str]:
    """Find what of a configuration does not fit its kind, each with its place.

    Args:
        schema: The schema of the kind.
        value: The configuration.

    Example:
        >>> from kfambassador.local.kube.schemas.shapes import read_shape
        >>> list(find_misfits(read_shape("core.v1.Service"), {"spec": {"ports": "http", "tpye": "NodePort"}}))
        ['.spec.ports: expected list, got &{http}', '.spec.tpye: field not declared in schema']
    """
    return _find(schema, value, ())


def _find(schema: Schema, value: Json, path: Path) -> Iterator[str]:
    if value is None:
        return
    if schema.is_int_or_string or schema.is_quantity:
        if isinstance(value, dict | list):
            yield _say(path, f"expected any scalar, got {_show_value(value)}")
    elif schema.type in _SCALARS:
        fits, words = _SCALARS[schema.type]
        if not fits(value):
            yield _say(path, words(value))
    elif schema.type == "array":
        yield from _find_in_list(schema, value, path)
    elif schema.type == "object" or isinstance(value, dict):
        yield from _find_in_map(schema, value, path)


def _find_in_map(schema: Schema, value: Json, path: Path) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _say(path, f"expected map, got {_show_value(value)}")
        return
    for name, child in value.items():
        place = (*path, f"f:{name}")
        known = schema.child(name)
        if known is not None:
            yield from _find(known, child, place)
        elif not schema.is_open and (schema.type or schema.properties):
            yield _say(place, "field not declared in schema")


def _find_in_list(schema: Schema, value: Json, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield _say(path, f"expected list, got {_show_value(value)}")
        return
    seen: set[str] = set()
    name_item = namer(schema)
    for at, item in enumerate(value):
        if why := _why_nameless(schema, item):
            yield _say(path, f"element {at}: {why}")
            continue
        name = f"i:{at}" if schema.list_type == "atomic" else name_item(item)
        if name in seen:
            yield _say(path, f"duplicate entries for key {show_path((name,))}")
        seen.add(name)
        if schema.items is not None:
            yield from _find(schema.items, item, (*path, name))


def _why_nameless(schema: Schema, item: Json) -> str:
    """Why an item of a set or keyed list cannot be told from the others, "" where it can."""
    if schema.list_type == "set":
        sort = "a map type" if isinstance(item, dict) else "an explicit null" if item is None else ""
        if isinstance(item, list):
            return "not supported: associative list with lists as elements"
        return sort and f"associative list without keys has an element that's {sort}"
    if schema.list_type != "map":
        return ""
    if not isinstance(item, dict):
        sort = "a null element" if item is None else "non-map elements"
        return f"associative list with keys may not have {sort}"
    if identify(schema, item):
        return ""
    keys = " ".join(json.dumps(key) for key in schema.keys)
    rule = "(and doesn't have default values for any key fields)"
    return f"associative list with keys has an element that omits all key fields [{keys}] {rule}"


def _say(path: Path, why: str) -> str:
    return f"{show_path(path)}: {why}" if path else why


def _show_value(value: Json) -> str:
    return f"&{{{_show(value)}}}"


def _show(value: Json) -> str:
    # As Go prints a value.
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{_show(child)}' for name, child in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_show, value))}]"
    return "<nil>" if value is None else value if isinstance(value, str) else json.dumps(value)


def _show_source(value: Json) -> str:
    # As Go prints the source of a value.
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(name)}:{_show_source(child)}" for name, child in sorted(value.items()))
        return f"{_GO_TYPES[dict]}{{{inner}}}"
    if isinstance(value, list):
        return f"{_GO_TYPES[list]}{{{', '.join(map(_show_source, value))}}}"
    return "interface {}(nil)" if value is None else json.dumps(value)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_NUMBER: Final = (_is_number, lambda value: f"expected numeric (int or float), got {_GO_TYPES[type(value)]}")
#: The scalar types: what fits them, and what is said of a value that does not.
_SCALARS: Final[dict[str, tuple[Callable[[Json], bool], Callable[[Json], str]]]] = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "string": (
        lambda value: isinstance(value, str),
        lambda value: f"expected string, got &value.valueUnstructured{{Value:{_show_source(value)}}}",
    ),
    "boolean": (
        lambda value: isinstance(value, bool),
        lambda value: f"expected boolean, got {_show_value(value)}",
    ),
}
