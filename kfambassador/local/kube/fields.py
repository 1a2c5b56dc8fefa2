"""Fields: who owns which part of an object, as server-side apply counts it. Pure.

A field is named by its path of elements, written as Kubernetes' ``fieldsV1`` writes them: ``f:name`` for a field,
``k:{"port":80}`` for an item found by its keys, ``v:"x"`` for an item of a set.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from kfambassador.local.kube.documents import Document, Json
from kfambassador.local.kube.schema import ANYTHING, Schema
from kfambassador.local.kube.structure import identify

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]

#: Stands for the value of a field that is there to hold others.
PRESENT: Final = object()
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


def list_fields(schema: Schema, document: Document) -> dict[Path, object]:
    """Every field of an object that can have an owner, with its value."""
    fields: dict[Path, object] = {}
    _collect(schema, document, (), fields)
    return {path: value for path, value in fields.items() if path not in _UNOWNED and path[:2] not in _UNOWNED}


def _collect(schema: Schema, value: Json, path: Path, fields: dict[Path, object]) -> None:
    if isinstance(value, dict) and not schema.is_atomic:
        for name, child in value.items():
            place = (*path, f"f:{name}")
            _collect(schema.child(name) or ANYTHING, child, place, fields)
            if child is None or child == {} or name not in schema.properties:
                fields.setdefault(place, PRESENT)
    elif isinstance(value, list) and schema.list_type in {"set", "map"}:
        for item in value:
            place = (*path, element(schema, item))
            _collect(schema.items or ANYTHING, item, place, fields)
            fields.setdefault(place, PRESENT)
    else:
        fields[path] = value


def element(schema: Schema, item: Json) -> str:
    """The path element of an item of a set or keyed list."""
    prefix = "v" if schema.list_type == "set" else "k"
    return f"{prefix}:{json.dumps(identify(schema, item), separators=(',', ':'), sort_keys=True)}"


def changed_fields(before: dict[Path, object], after: dict[Path, object]) -> Paths:
    """The fields that are new or have another value."""
    return frozenset(path for path, value in after.items() if path not in before or before[path] != value)


def overwritten_fields(before: dict[Path, object], after: dict[Path, object]) -> Paths:
    """The changed fields that have a value; those that only hold others are everybody's."""
    return frozenset(path for path in changed_fields(before, after) if after[path] is not PRESENT)


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


def remove_fields(schema: Schema, value: Json, paths: Paths, *, keep: Paths = frozenset()) -> Json:
    """Take fields away; what holds others and is left empty by that goes too.

    Args:
        schema: The schema of the value.
        value: The value.
        paths: The fields to take away.
        keep: Fields that stay even when they are left empty.
    """
    return _remove(schema, value, (), _Cut(paths, keep)) if paths else value


@dataclass(frozen=True, slots=True)
class _Cut:
    paths: Paths
    keep: Paths

    def of(self, schema: Schema, child: Json, place: Path) -> list[Json]:
        """What is left of a child: nothing, or the one thing."""
        if place in self.paths:
            return []
        rest = _remove(schema, child, place, self)
        return [] if rest in ({}, []) and rest != child and place not in self.keep else [rest]


def _remove(schema: Schema, value: Json, here: Path, cut: _Cut) -> Json:
    if isinstance(value, dict):
        return {
            name: rest
            for name, child in value.items()
            for rest in cut.of(schema.child(name) or ANYTHING, child, (*here, f"f:{name}"))
        }
    if isinstance(value, list) and schema.list_type in {"set", "map"}:
        items = schema.items or ANYTHING
        return [rest for item in value for rest in cut.of(items, item, (*here, element(schema, item)))]
    return value
