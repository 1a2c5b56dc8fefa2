"""Patches: JSON patch (RFC 6902) and merge patch (RFC 7386). Pure."""

from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents import Json


class BadPatch(ValueError):
    """A patch that cannot be read (HTTP 400)."""


class UnfitPatch(ValueError):
    """A patch that is well written but does not fit the object (HTTP 422)."""


def merge_patch(target: Json, patch: Json) -> Json:
    """Apply a merge patch: null takes a field away, an object merges, anything else replaces.

    Example:
        >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
        {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def json_patch(target: Json, patch: Json) -> Json:
    """Apply a JSON patch, whole or not at all.

    Raises:
        BadPatch: When the patch is not a list of operations.
        UnfitPatch: When a path is missing or a test fails.

    Example:
        >>> json_patch({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}])
        {'a': [1, 2, 3]}
    """
    if not isinstance(patch, list):
        raise BadPatch("a JSON patch is a list of operations")
    for step in patch:
        if not isinstance(step, dict) or step.get("op") not in _OPERATIONS:
            message = f"unknown JSON patch operation: {step!r}"
            raise BadPatch(message)
        target = _OPERATIONS[str(step["op"])](target, step)
    return target


def _pointer(step: dict[str, Json], field: str = "path") -> list[str]:
    path = step.get(field)
    if not isinstance(path, str) or (path and not path.startswith("/")):
        message = f"a JSON patch operation needs {field!r}, a path that starts with '/': {step!r}"
        raise BadPatch(message)
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _place(part: str, *, end: int) -> int:
    if not part.isdecimal() or int(part) >= end:
        message = f"the list has no place {part!r}"
        raise UnfitPatch(message)
    return int(part)


def _find(target: Json, parts: list[str]) -> Json:
    for part in parts:
        if isinstance(target, list):
            target = target[_place(part, end=len(target))]
        elif isinstance(target, dict) and part in target:
            target = target[part]
        else:
            message = f"the path '/{'/'.join(parts)}' does not exist"
            raise UnfitPatch(message)
    return target


def _change(target: Json, parts: list[str], change: Callable[[Json, str], Json]) -> Json:
    first, *rest = parts
    if not rest:
        return change(target, first)
    child = _find(target, [first])
    changed = _change(child, rest, change)
    if isinstance(target, list):
        place = int(first)
        return [*target[:place], changed, *target[place + 1 :]]
    return target | {first: changed} if isinstance(target, dict) else target


def _insert(target: Json, parts: list[str], value: Json) -> Json:
    def insert(parent: Json, part: str) -> Json:
        if isinstance(parent, list):
            place = len(parent) if part == "-" else _place(part, end=len(parent) + 1)
            return [*parent[:place], value, *parent[place:]]
        if isinstance(parent, dict):
            return parent | {part: value}
        message = f"there is nothing to add {part!r} to"
        raise UnfitPatch(message)

    return _change(target, parts, insert) if parts else value


def _remove(target: Json, parts: list[str]) -> Json:
    def remove(parent: Json, part: str) -> Json:
        _find(parent, [part])
        if isinstance(parent, list):
            return [*parent[: int(part)], *parent[int(part) + 1 :]]
        return {name: value for name, value in parent.items() if name != part} if isinstance(parent, dict) else parent

    if not parts:
        raise UnfitPatch("the whole object cannot be removed by a patch")
    return _change(target, parts, remove)


def _value(step: dict[str, Json]) -> Json:
    if "value" not in step:
        message = f"a JSON patch operation needs 'value': {step!r}"
        raise BadPatch(message)
    return step["value"]


def _add(target: Json, step: dict[str, Json]) -> Json:
    return _insert(target, _pointer(step), _value(step))


def _drop(target: Json, step: dict[str, Json]) -> Json:
    return _remove(target, _pointer(step))


def _replace(target: Json, step: dict[str, Json]) -> Json:
    parts = _pointer(step)
    return _insert(_remove(target, parts), parts, _value(step)) if parts else _value(step)


def _copy(target: Json, step: dict[str, Json]) -> Json:
    return _insert(target, _pointer(step), _find(target, _pointer(step, "from")))


def _move(target: Json, step: dict[str, Json]) -> Json:
    origin = _pointer(step, "from")
    return _insert(_remove(target, origin), _pointer(step), _find(target, origin))


def _test(target: Json, step: dict[str, Json]) -> Json:
    if _find(target, _pointer(step)) != _value(step):
        message = f"testing value {step['path']} failed"
        raise UnfitPatch(message)
    return target


_OPERATIONS: Final[dict[str, Callable[[Json, dict[str, Json]], Json]]] = {
    "add": _add,
    "remove": _drop,
    "replace": _replace,
    "copy": _copy,
    "move": _move,
    "test": _test,
}
