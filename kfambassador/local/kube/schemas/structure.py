"""Structure: a document held against its schema. Pure: each function returns what it finds or a new document."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kfambassador.local.kube.documents.document import Json, are_same, keep_fields, keep_items
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.schemas.formats import has_format, is_in_range
from kfambassador.local.kube.schemas.patterns import matches
from kfambassador.local.kube.schemas.places import Place, write_place
from kfambassador.local.kube.schemas.quantities import is_quantity, write_quantity
from kfambassador.local.kube.schemas.schema import Schema


@dataclass(frozen=True, slots=True)
class Pruned:
    """A value without its unknown fields.

    Attributes:
        value: What is left.
        unknown: The paths of the fields that went.
    """

    value: Json
    unknown: tuple[str, ...]


def prune(schema: Schema, value: Json) -> Pruned:
    """Take away the fields a schema does not know, and those that are null where null may not stand: it means absent.

    Quantities are written in their one form, so that equal ones are the same to whoever compares.

    Args:
        schema: The schema of the value.
        value: Any value; where its type is wrong it is left for :func:`check`.
    """
    unknown: list[str] = []
    return Pruned(_prune(schema, value, None, unknown), tuple(unknown))


def _prune(schema: Schema, value: Json, place: Place, unknown: list[str]) -> Json:
    if schema.is_quantity:
        return write_quantity(value)
    if isinstance(value, list) and schema.items is not None:
        items = schema.items
        return keep_items(value, [_prune(items, item, (place, index), unknown) for index, item in enumerate(value)])
    if not isinstance(value, dict) or schema.type not in {"", "object"}:
        return value
    properties, values = schema.properties, schema.values
    kept: dict[str, Json] = {}
    for name, child in value.items():
        known = properties.get(name) or values
        if known is None:
            if schema.is_open or not (schema.type or properties):
                kept[name] = child
            else:
                unknown.append(write_place((place, name)))
        elif child is None:
            if known.nullable:
                kept[name] = None
        else:
            is_done = not known.is_quantity and not isinstance(child, dict | list)
            kept[name] = child if is_done else _prune(known, child, (place, name), unknown)
    return keep_fields(value, kept)


def fill(schema: Schema, value: Json) -> Json:
    """Fill in the defaults of a schema."""
    if not schema.has_defaults:
        return value
    if isinstance(value, list) and schema.items is not None:
        items = schema.items
        return keep_items(value, [fill(items, item) for item in value])
    if not isinstance(value, dict):
        return value
    properties, values = schema.properties, schema.values
    filled = dict(value)
    for name, known in schema.defaults:
        if filled.get(name) is None and not (name in filled and known.nullable):
            filled[name] = known.default
    for name, child in filled.items():
        below = properties.get(name) or values
        if below is not None and below.has_defaults and isinstance(child, dict | list):
            filled[name] = fill(below, child)
    return keep_fields(value, filled)


def check(schema: Schema, value: Json, path: str = "") -> Iterator[FieldFault]:
    """Find every fault of a value, in the order of its fields."""
    return iter(()) if conforms(schema, value) else _check(schema, value, path)


def conforms(schema: Schema, value: Json) -> bool:
    """Whether a value surely has no fault: a quick look, which nearly every value stands.

    It knows no places and makes nothing anew. Where it is in doubt it says no, and the thorough functions are asked.
    """
    if isinstance(value, dict):
        return schema.is_plain and schema.type in {"", "object"} and _has_fitting_fields(schema, value)
    if isinstance(value, list):
        is_list = schema.is_plain and schema.type in {"", "array"} and not schema.is_int_or_string
        return is_list and not _may_have_twins(schema, value) and _has_fitting_items(schema.items, value)
    if value is None:
        return schema.nullable
    return _has_type(schema, value) and (schema.is_plain or not any(True for _ in _check(schema, value, "")))


def _has_fitting_fields(schema: Schema, value: dict[str, Json]) -> bool:
    if schema.is_int_or_string or any(value.get(name) in (None, "", []) for name in schema.required):
        return False
    properties, values = schema.properties, schema.values
    for name, child in value.items():
        known = properties.get(name) or values
        if known is not None:
            if type(child) is not known.fitting and not conforms(known, child):
                return False
        elif not schema.is_open and (schema.type or properties):
            return False
    return True


def _has_fitting_items(items: Schema | None, value: list[Json]) -> bool:
    if items is None:
        return True
    fitting = items.fitting
    return all(type(item) is fitting or conforms(items, item) for item in value)


def _may_have_twins(schema: Schema, value: list[Json]) -> bool:
    if schema.list_type == "atomic" or schema.allows_twins:
        return False
    keys = [(key, _default_of(schema, key)) for key in schema.keys]
    try:
        if schema.list_type == "set":
            return len(set(value)) < len(value)
        # In doubt is what has no keys at all.
        names = {tuple([item.get(key, default) for key, default in keys]) for item in value if isinstance(item, dict)}
        return len(names) < len(value)
    except TypeError:
        return True


def _check(schema: Schema, value: Json, path: str) -> Iterator[FieldFault]:
    if value is None and (schema.nullable or schema.is_open):
        return
    if not _has_type(schema, value):
        expected = "integer,string" if schema.is_int_or_string else schema.type
        yield _wrong_type(path, expected, shown=_type_of(value))
        return
    if schema.is_quantity and not is_quantity(value):
        rule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        yield FieldFault(Fault.WRONG_TYPE, path, f"{path}: {rule}", value)
    if schema.enum and not any(are_same(value, each) for each in schema.enum):
        yield unsupported(path, value, [each if isinstance(each, str) else json.dumps(each) for each in schema.enum])
    if schema.format:
        yield from _check_format(schema, value, path)
    if schema.rules:
        yield from _check_rules(schema, value, path)
    if isinstance(value, list):
        yield from _check_items(schema, value, path)
    elif isinstance(value, dict):
        yield from _check_fields(schema, value, path)
    if schema.every or schema.some or schema.one or schema.never:
        yield from _check_alternatives(schema, value, path)


def _wrong_type(path: str, expected: str, *, shown: str) -> FieldFault:
    detail = f'{path} in body must be of type {expected}: "{shown}"'.lstrip()
    return FieldFault(Fault.WRONG_TYPE, path, detail, shown)


def _check_fields(schema: Schema, value: dict[str, Json], path: str) -> Iterator[FieldFault]:
    for name in schema.required:
        is_missing = value.get(name) is None and not _may_be_null(schema, value, name)
        if is_missing or (schema.is_native and value.get(name) in ("", [])):
            yield FieldFault(Fault.REQUIRED, f"{path}.{name}" if path else name)
    if schema.is_embedded:
        for name in ("apiVersion", "kind"):
            if not value.get(name):
                yield FieldFault(Fault.REQUIRED, f"{path}.{name}", "must not be empty")
    for name, child in value.items():
        known = schema.child(name)
        if known is not None and not (child is None and name in schema.required):
            yield from _check(known, child, f"{path}.{name}" if path else name)


def _may_be_null(schema: Schema, value: dict[str, Json], name: str) -> bool:
    known = schema.child(name)
    return name in value and (known is None or known.nullable)


def _check_items(schema: Schema, value: list[Json], path: str) -> Iterator[FieldFault]:
    seen: set[str] = set()
    for index, item in enumerate(value):
        place = f"{path}[{index}]"
        if schema.items is not None:
            yield from _check(schema.items, item, place)
        identity = None if schema.allows_twins else identify(schema, item)
        if identity is None:
            continue
        written = json.dumps(identity, sort_keys=True)
        if written in seen:
            yield _twin(schema, place, identity)
        seen.add(written)


def _twin(schema: Schema, place: str, identity: Json) -> FieldFault:
    if schema.is_native and len(schema.keys) == 1 and isinstance(identity, dict):
        (key,) = schema.keys
        return FieldFault(Fault.DUPLICATE, f"{place}.{key}", "", identity.get(key))
    return FieldFault(Fault.DUPLICATE, place, "", identity)


def _check_alternatives(schema: Schema, value: Json, path: str) -> Iterator[FieldFault]:
    if schema.some:
        tries = [list(_check(each, value, path)) for each in schema.some]
        if all(tries):
            yield _composite(f'"{path}" must validate at least one schema (anyOf)')
            yield from min(tries, key=len)
    if schema.one:
        tries = [list(_check(each, value, path)) for each in schema.one]
        fitting = tries.count([])
        if not fitting:
            yield _composite(f'"{path}" must validate one and only one schema (oneOf). Found none valid')
            yield from min(tries, key=len)
        elif fitting > 1:
            found = f"Found {fitting} valid alternatives"
            yield _composite(f'"{path}" must validate one and only one schema (oneOf). {found}')
    if schema.every:
        tries = [list(_check(each, value, path)) for each in schema.every]
        yield from (fault for faults in tries for fault in faults)
        if any(tries):
            how_many = ". None validated" if all(tries) else ""
            yield _composite(f'"{path}" must validate all the schemas (allOf){how_many}')
    if schema.never and not any(_check(schema.never, value, path)):
        yield _composite(f'"{path}" must not validate the schema (not)')


def _composite(detail: str) -> FieldFault:
    # Kubernetes gives no field and no value to these: the place stands in the words.
    return FieldFault(Fault.INVALID, "<nil>", detail, "")


def _check_format(schema: Schema, value: Json, path: str) -> Iterator[FieldFault]:
    if isinstance(value, str) and not has_format(value, schema.format):
        yield _wrong_type(path, schema.format, shown=value)
    elif not is_in_range(value, schema.format):
        yield _composite(f"Checked value must be of type {schema.type} with format {schema.format}")


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


def _is_multiple(value: Json, of: Json) -> bool:
    # Numbers as they are written: as binary ones, 0.3 would be no multiple of 0.1.
    return not of or Fraction(str(value)) % Fraction(str(of)) == 0


_NUMBERS: Final = (int, float)
# Each rule: the Python types it speaks of, whether a value keeps it, and the words when it does not.
_RULES: Final[dict[str, tuple[type | tuple[type, ...], Callable[[Json, Json], bool], str]]] = {
    "minimum": (
        _NUMBERS,
        lambda value, bound: _number(value) >= _number(bound),
        "should be greater than or equal to {}",
    ),
    "maximum": (_NUMBERS, lambda value, bound: _number(value) <= _number(bound), "should be less than or equal to {}"),
    "exclusiveMinimum": (_NUMBERS, lambda value, bound: _number(value) > _number(bound), "should be greater than {}"),
    "exclusiveMaximum": (_NUMBERS, lambda value, bound: _number(value) < _number(bound), "should be less than {}"),
    "multipleOf": (_NUMBERS, _is_multiple, "should be a multiple of {}"),
    "minLength": (str, lambda value, bound: _size(value) >= _number(bound), "should be at least {} chars long"),
    "maxLength": (str, lambda value, bound: _size(value) <= _number(bound), "may not be more than {} bytes"),
    "pattern": (str, lambda value, bound: matches(str(bound), str(value)), "should match '{}'"),
    "minItems": (list, lambda value, bound: _size(value) >= _number(bound), "should have at least {} items"),
    "maxItems": (list, lambda value, bound: _size(value) <= _number(bound), "must have at most {} items"),
    "minProperties": (dict, lambda value, bound: _size(value) >= _number(bound), "should have at least {} properties"),
    "maxProperties": (dict, lambda value, bound: _size(value) <= _number(bound), "must have at most {} items"),
}


def _check_rules(schema: Schema, value: Json, path: str) -> Iterator[FieldFault]:
    for rule, bound in schema.rules.items():
        speaks_of, keeps, words = _RULES[rule]
        if isinstance(value, speaks_of) and not isinstance(value, bool) and not keeps(value, bound):
            said = words.format(bound)
            if rule == "maxLength":
                yield FieldFault(Fault.TOO_LONG, path, said)
            elif rule in {"maxItems", "maxProperties"}:
                yield FieldFault(Fault.TOO_MANY, path, said, _size(value))
            else:
                yield FieldFault(Fault.INVALID, path, f"{path} in body {said}", value)
