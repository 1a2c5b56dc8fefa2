"""Patches: JSON patch (RFC 6902) and merge patch (RFC 7386). Pure."""

import json
from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents.document import Json, are_same, encode

_MOST_STEPS: Final = 10_000
_MOST_COPIED: Final = 3 * 1024 * 1024
_DIGITS: Final = 9  # of a place in an array
_SHOWN: Final = 200  # characters of an operation that an error repeats


class BadPatch(ValueError):
    """A patch that cannot be read (HTTP 400)."""


class UnfitPatch(ValueError):
    """A patch that is well written but does not fit the object (HTTP 422)."""


class LongPatch(ValueError):
    """A patch that asks for too much at once (HTTP 413)."""


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
        LongPatch: When it has too many operations, or copies too much.
        UnfitPatch: When an operation is none, a path is missing or a test fails.

    Example:
        >>> json_patch({"a": [1, 3]}, [{"op": "add", "path": "/a/1", "value": 2}])
        {'a': [1, 2, 3]}
    """
    if not isinstance(patch, list):
        raise BadPatch("a JSON patch is an array of operations")
    if len(patch) > _MOST_STEPS:
        message = f"The allowed maximum operations in a JSON patch is {_MOST_STEPS}, got {len(patch)}"
        raise LongPatch(message)
    target = _clone(target)  # the steps change it in place: there may be thousands, and the object may be large
    copied = 0
    for step in patch:
        if not isinstance(step, dict):
            message = f"an operation of a JSON patch is an object, not {_show(step)}"
            raise BadPatch(message)
        if step.get("op") not in _OPERATIONS:
            message = f"unknown JSON patch operation: {_show(step)}"
            raise UnfitPatch(message)
        if step["op"] == "copy":
            copied += len(encode(_find(target, _pointer(step, "from"))))
            if copied > _MOST_COPIED:  # each copy may double the object
                message = f"the copies of a JSON patch may have {_MOST_COPIED} bytes together"
                raise LongPatch(message)
        target = _OPERATIONS[str(step["op"])](target, step)
    return target


def _show(step: Json) -> str:
    return json.dumps(step)[:_SHOWN]


def _pointer(step: dict[str, Json], field: str = "path") -> list[str]:
    path = step.get(field)
    if not isinstance(path, str) or (path and not path.startswith("/")):
        message = f"a JSON patch operation needs '{field}', a path that starts with '/': {_show(step)}"
        raise UnfitPatch(message)
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _write_pointer(parts: list[str]) -> str:
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


def _place(part: str, *, end: int) -> int:
    if not (part.isascii() and part.isdecimal()) or len(part) > _DIGITS or int(part) >= end:
        message = f"the array has no place '{part}'"
        raise UnfitPatch(message)
    return int(part)


def _find(target: Json, parts: list[str]) -> Json:
    for part in parts:
        if isinstance(target, list):
            target = target[_place(part, end=len(target))]
        elif isinstance(target, dict) and part in target:
            target = target[part]
        else:
            message = f"the path '{_write_pointer(parts)}' does not exist"
            raise UnfitPatch(message)
    return target


def _clone(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _clone(child) for name, child in value.items()}
    return [_clone(child) for child in value] if isinstance(value, list) else value


def _insert(target: Json, parts: list[str], value: Json) -> Json:
    if not parts:
        return value
    *above, part = parts
    parent = _find(target, above)
    if isinstance(parent, list):
        parent.insert(len(parent) if part == "-" else _place(part, end=len(parent) + 1), value)
    elif isinstance(parent, dict):
        parent[part] = value
    else:
        message = f"there is nothing to add '{part}' to"
        raise UnfitPatch(message)
    return target


def _remove(target: Json, parts: list[str]) -> Json:
    if not parts:
        raise UnfitPatch("the whole object cannot be removed by a patch")
    *above, part = parts
    _find(target, parts)
    parent = _find(target, above)
    if isinstance(parent, list):
        del parent[int(part)]
    elif isinstance(parent, dict):
        del parent[part]
    return target


def _value(step: dict[str, Json]) -> Json:
    if "value" not in step:
        message = f"a JSON patch operation needs 'value': {_show(step)}"
        raise UnfitPatch(message)
    return _clone(step["value"])


def _add(target: Json, step: dict[str, Json]) -> Json:
    return _insert(target, _pointer(step), _value(step))


def _drop(target: Json, step: dict[str, Json]) -> Json:
    return _remove(target, _pointer(step))


def _replace(target: Json, step: dict[str, Json]) -> Json:
    parts = _pointer(step)
    return _insert(_remove(target, parts), parts, _value(step)) if parts else _value(step)


def _copy(target: Json, step: dict[str, Json]) -> Json:
    return _insert(target, _pointer(step), _clone(_find(target, _pointer(step, "from"))))


def _move(target: Json, step: dict[str, Json]) -> Json:
    origin = _pointer(step, "from")
    moved = _find(target, origin)
    return _insert(_remove(target, origin), _pointer(step), moved)


def _test(target: Json, step: dict[str, Json]) -> Json:
    if not are_same(_find(target, _pointer(step)), _value(step)):
        message = f"testing value {step['path']} failed: test failed"
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
