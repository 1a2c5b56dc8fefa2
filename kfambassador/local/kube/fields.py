"""Fields: who owns which part of an object, as server-side apply counts it. Pure.

A field is named by its path of elements, written as Kubernetes' ``fieldsV1`` writes them: ``f:name`` for a field,
``k:{"port":80}`` for an item found by its keys, ``v:"x"`` for an item of a set.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from kfambassador.local.kube.documents import Document, Json
from kfambassador.local.kube.schema import ANYTHING, Schema
from kfambassador.local.kube.structure import identify

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]

#: Stands for the value of a field that is there to hold others.
_PRESENT: Final = "."
#: What the server itself writes; nobody owns it.
_UNOWNED: Final = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "generateName", "selfLink", "uid", "resourceVersion", "generation"),
            *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"),
        )
    }
)


def list_fields(schema: Schema, document: Document) -> dict[Path, Json]:
    """Every field of an object that can have an owner, with its value."""
    fields: dict[Path, Json] = {}
    _collect(schema, document, (), fields)
    return {path: value for path, value in fields.items() if path not in _UNOWNED and path[:2] not in _UNOWNED}


def _collect(schema: Schema, value: Json, path: Path, fields: dict[Path, Json]) -> None:
    if isinstance(value, dict) and not schema.is_atomic:
        for name, child in value.items():
            place = (*path, f"f:{name}")
            _collect(schema.child(name) or ANYTHING, child, place, fields)
            if child is None or child == {} or name not in schema.properties:
                fields.setdefault(place, _PRESENT)
    elif isinstance(value, list) and schema.list_type in {"set", "map"}:
        for item in value:
            place = (*path, element(schema, item))
            _collect(schema.items or ANYTHING, item, place, fields)
            fields.setdefault(place, _PRESENT)
    else:
        fields[path] = value


def element(schema: Schema, item: Json) -> str:
    """The path element of an item of a set or keyed list."""
    prefix = "v" if schema.list_type == "set" else "k"
    return f"{prefix}:{json.dumps(identify(schema, item), separators=(',', ':'), sort_keys=True)}"


def changed_fields(before: dict[Path, Json], after: dict[Path, Json]) -> Paths:
    """The fields that are new or have another value."""
    return frozenset(path for path, value in after.items() if path not in before or before[path] != value)


def write_fields(paths: Iterable[Path]) -> Document:
    """Write a set of fields as ``fieldsV1``.

    Example:
        >>> write_fields({("f:spec", "f:type")})
        {'f:spec': {'f:type': {}}}
    """
    tree: Document = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node["."] = {}
    return _tidy(tree)


def _tidy(tree: Document) -> Document:
    # A leaf is written {} and only a field that also holds others is marked by ".".
    return {} if tree.keys() == {"."} else {name: _tidy(child) if name != "." else {} for name, child in tree.items()}


def read_fields(tree: Document) -> Paths:
    """Read a set of fields from ``fieldsV1``."""
    return frozenset(_read(tree, ()))


def _read(tree: Json, path: Path) -> Iterator[Path]:
    if not isinstance(tree, dict):
        return
    if path and (not tree or "." in tree):
        yield path
    for name, child in tree.items():
        if name != ".":
            yield from _read(child, (*path, name))


def show_path(path: Path) -> str:
    """Write a path for a person.

    Example:
        >>> show_path(("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name"))
        '.spec.ports[port=80,protocol="TCP"].name'
    """
    return "".join(_show(part) for part in path)


def _show(part: str) -> str:
    sort, _, text = part.partition(":")
    if sort == "f":
        return f".{text}"
    if sort == "v":
        return f"[={text}]"
    keys = ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(text).items())
    return f"[{keys}]"


def merge_fields(schema: Schema, live: Json, applied: Json) -> Json:
    """Lay an applied configuration over the live object."""
    if isinstance(live, dict) and isinstance(applied, dict) and not schema.is_atomic:
        merged = {
            name: merge_fields(schema.child(name) or ANYTHING, live.get(name), value) for name, value in applied.items()
        }
        return live | merged
    if isinstance(live, list) and isinstance(applied, list) and schema.list_type in {"set", "map"}:
        return _merge_items(schema, live, applied)
    return applied


def _merge_items(schema: Schema, live: list[Json], applied: list[Json]) -> Json:
    wanted = {element(schema, item): item for item in applied}
    kept = [
        merge_fields(schema.items or ANYTHING, item, wanted.pop(name))
        if (name := element(schema, item)) in wanted
        else item
        for item in live
    ]
    return [*kept, *wanted.values()]


def remove_fields(schema: Schema, value: Json, paths: Iterable[Path]) -> Json:
    """Take fields away; what is left empty by that goes too."""
    below: dict[str, list[Path]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    if isinstance(value, dict):
        return {
            name: rest
            for name, child in value.items()
            for rest in _rest(schema.child(name) or ANYTHING, child, below.get(f"f:{name}", []))
        }
    if isinstance(value, list):
        items = schema.items or ANYTHING
        return [rest for item in value for rest in _rest(items, item, below.get(element(schema, item), []))]
    return value


def _rest(schema: Schema, value: Json, paths: list[Path]) -> list[Json]:
    # What is left of a value: nothing, or the one thing.
    if () in paths:
        return []
    rest = remove_fields(schema, value, paths) if paths else value
    return [rest] if rest or not paths else []
