"""Structure: a document held against its schema. Pure: each function returns what it finds or a new document."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kfambassador.local.kube.documents import Json
from kfambassador.local.kube.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.schema import Schema


@dataclass(frozen=True, slots=True)
class Pruned:
    """A value without its unknown fields.

    Attributes:
        value: What is left.
        unknown: The paths of the fields that went.
    """

    value: Json
    unknown: tuple[str, ...]


def prune(schema: Schema, value: Json, *, drop_null: bool) -> Pruned:
    """Take away the fields a schema does not know.

    Args:
        schema: The schema of the value.
        value: Any value; where its type is wrong it is left for :func:`check`.
        drop_null: Whether null means absent everywhere (built-in kinds), or only where there is a default.
    """
    unknown: list[str] = []
    return Pruned(_prune(schema, value, path="", unknown=unknown, drop_null=drop_null), tuple(unknown))


def _prune(schema: Schema, value: Json, *, path: str, unknown: list[str], drop_null: bool) -> Json:
    if isinstance(value, list) and schema.items is not None:
        return [
            _prune(schema.items, item, path=f"{path}[{index}]", unknown=unknown, drop_null=drop_null)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict) or schema.type not in {"", "object"}:
        return value
    kept: dict[str, Json] = {}
    for name, child in value.items():
        place = f"{path}.{name}" if path else name
        known = schema.child(name)
        if known is None and not schema.is_open and (schema.type or schema.properties):
            unknown.append(place)
        elif known is None:
            kept[name] = child
        elif child is not None or known.nullable or not (drop_null or known.default is not None):
            kept[name] = _prune(known, child, path=place, unknown=unknown, drop_null=drop_null)
    return kept


def fill(schema: Schema, value: Json) -> Json:
    """Fill in the defaults of a schema."""
    if not schema.has_defaults:
        return value
    if isinstance(value, list) and schema.items is not None:
        items = schema.items
        return [fill(items, item) for item in value]
    if not isinstance(value, dict):
        return value
    missing = {
        name: child.default
        for name, child in schema.properties.items()
        if child.default is not None and value.get(name) is None
    }
    return {
        name: child if (known := schema.child(name)) is None else fill(known, child)
        for name, child in (value | missing).items()
    }


def check(schema: Schema, value: Json, path: str = "") -> Iterator[FieldFault]:
    """Find every fault of a value, in the order of its fields."""
    if value is None and (schema.nullable or schema.is_open):
        return
    if not _has_type(schema, value):
        expected = "integer or string" if schema.is_int_or_string else schema.type
        detail = f'{path or "body"} in body must be of type {expected}: "{_type_of(value)}"'
        yield FieldFault(Fault.WRONG_TYPE, path, detail, _type_of(value))
        return
    if schema.enum and value not in schema.enum:
        yield unsupported(path, value, [str(choice) for choice in schema.enum])
    if schema.rules:
        yield from _check_rules(schema, value, path)
    if isinstance(value, list):
        yield from _check_items(schema, value, path)
    elif isinstance(value, dict):
        yield from _check_fields(schema, value, path)


def _check_fields(schema: Schema, value: dict[str, Json], path: str) -> Iterator[FieldFault]:
    for name in schema.required:
        if value.get(name) is None:
            yield FieldFault(Fault.REQUIRED, f"{path}.{name}" if path else name)
    for name, child in value.items():
        known = schema.child(name)
        if known is not None and not (child is None and name in schema.required):
            yield from check(known, child, f"{path}.{name}" if path else name)


def _check_items(schema: Schema, value: list[Json], path: str) -> Iterator[FieldFault]:
    seen: list[Json] = []
    for index, item in enumerate(value):
        place = f"{path}[{index}]"
        if schema.items is not None:
            yield from check(schema.items, item, place)
        identity = identify(schema, item)
        if identity is not None and identity in seen:
            yield FieldFault(Fault.DUPLICATE, place, "", identity)
        seen.append(identity)


def identify(schema: Schema, item: Json) -> Json:
    """What tells an item of a list apart from the others, None where nothing does (an atomic list).

    Example:
        >>> ports = Schema(list_type="map", keys=("port",))
        >>> identify(ports, {"port": 80, "name": "http"})
        {'port': 80}
    """
    if schema.list_type == "set":
        return item
    if schema.list_type != "map" or not isinstance(item, dict):
        return None
    found = {key: item.get(key, _default_of(schema, key)) for key in schema.keys}
    return {key: value for key, value in found.items() if value is not None}


def _default_of(schema: Schema, key: str) -> Json:
    known = schema.items.properties.get(key) if schema.items else None
    return known.default if known else None


_TYPES: Final[dict[str, Callable[[Json], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (isinstance(value, int) and not isinstance(value, bool)) or _is_whole(value),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def _is_whole(value: Json) -> bool:
    return isinstance(value, float) and value.is_integer()


def _has_type(schema: Schema, value: Json) -> bool:
    if schema.is_int_or_string:
        return _TYPES["integer"](value) or isinstance(value, str)
    return schema.type not in _TYPES or _TYPES[schema.type](value)


def _type_of(value: Json) -> str:
    return "null" if value is None else next(name for name, fits in _TYPES.items() if fits(value))


def _size(value: Json) -> int:
    return len(value) if isinstance(value, Sequence | dict) else 0


def _number(value: Json) -> float:
    return value if isinstance(value, int | float) else 0


# Each rule: the Python types it speaks of, whether a value keeps it, and the words when it does not.
_RULES: Final[dict[str, tuple[type, Callable[[Json, Json], bool], str]]] = {
    "minimum": (float, lambda value, bound: _number(value) >= _number(bound), "greater than or equal to {}"),
    "maximum": (float, lambda value, bound: _number(value) <= _number(bound), "less than or equal to {}"),
    "minLength": (str, lambda value, bound: _size(value) >= _number(bound), "at least {} chars long"),
    "maxLength": (str, lambda value, bound: _size(value) <= _number(bound), "at most {} chars long"),
    "pattern": (str, lambda value, bound: re.search(str(bound), str(value)) is not None, "match '{}'"),
    "minItems": (list, lambda value, bound: _size(value) >= _number(bound), "at least {} items long"),
    "maxItems": (list, lambda value, bound: _size(value) <= _number(bound), "at most {} items long"),
    "minProperties": (dict, lambda value, bound: _size(value) >= _number(bound), "at least {} properties"),
    "maxProperties": (dict, lambda value, bound: _size(value) <= _number(bound), "at most {} properties"),
}


def _check_rules(schema: Schema, value: Json, path: str) -> Iterator[FieldFault]:
    for rule, bound in schema.rules.items():
        speaks_of, keeps, words = _RULES[rule]
        measured = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(measured, speaks_of) and not keeps(value, bound):
            verb = "should have" if "Properties" in rule else "should" if rule == "pattern" else "should be"
            yield FieldFault(Fault.INVALID, path, f"{path} in body {verb} {words.format(bound)}", value)
