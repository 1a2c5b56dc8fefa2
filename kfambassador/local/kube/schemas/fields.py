"""Fields: who owns which part of an object, as server-side apply counts it. Pure.

A field is named by its path of elements, written as Kubernetes' ``fieldsV1`` writes them: ``f:name`` for a field,
``k:{"port":80}`` for an item found by its keys, ``v:"x"`` for an item of a set, ``i:0`` for one found by its place.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import Document, Json, are_same
from kfambassador.local.kube.schemas.schema import ANYTHING, Schema

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]

#: Made once: ``json.dumps`` makes one for each call.
_write_json: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_FEW: Final = 100  # fields that are worth remembering together
#: Stands for the value of a field that is there to hold others.
PRESENT: Final = object()
#: What the server itself writes of an object, and of its metadata; nobody owns it.
_UNOWNED: Final = frozenset({"apiVersion", "kind"})
_UNOWNED_METADATA: Final = frozenset(
    (
        *("name", "namespace", "generateName", "selfLink", "uid", "resourceVersion", "generation"),
        *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"),
    )
)
_METADATA: Final[Path] = ("f:metadata",)


def list_fields(schema: Schema, document: Document) -> dict[Path, object]:
    """Every field of an object that can have an owner, with its value."""
    fields: dict[Path, object] = {}
    _collect(schema, _ownable(document), (), fields)
    return _without_whole(fields)


def _ownable(document: Document) -> Document:
    owned = {name: value for name, value in document.items() if name not in _UNOWNED}
    if isinstance(metadata := owned.get("metadata"), dict):
        owned["metadata"] = {name: value for name, value in metadata.items() if name not in _UNOWNED_METADATA}
    return owned


def _without_whole(fields: dict[Path, object]) -> dict[Path, object]:
    # Nobody owns the object itself, nor that it has metadata.
    fields.pop((), None)
    fields.pop(_METADATA, None)
    return fields


def _collect(schema: Schema, value: Json, path: Path, fields: dict[Path, object]) -> None:
    if isinstance(value, dict) and not schema.is_atomic:
        properties, values = schema.properties, schema.values
        for name, child in value.items():
            place = (*path, f"f:{name}")
            if isinstance(child, dict | list):
                _collect(properties.get(name) or values or ANYTHING, child, place, fields)
            else:
                fields[place] = child
            if child is None or child == {} or name not in properties:
                fields.setdefault(place, PRESENT)
    elif isinstance(value, list) and schema.list_type in {"set", "map"}:
        items, name_item = schema.items or ANYTHING, namer(schema)
        for item in value:
            place = (*path, name_item(item))
            _collect(items, item, place, fields)
            fields.setdefault(place, PRESENT)
    else:
        fields[path] = value


def list_nodes(schema: Schema, document: Document) -> dict[Path, object]:
    """Every field of an object that can have an owner, those that only hold others included.

    Example:
        >>> sorted(list_nodes(ANYTHING, {"data": {"a": "1"}, "kind": "X"}))
        [('f:data',), ('f:data', 'f:a')]
    """
    nodes: dict[Path, object] = {}
    _collect_nodes(schema, _ownable(document), (), nodes)
    return _without_whole(nodes)


def _collect_nodes(schema: Schema, value: Json, path: Path, nodes: dict[Path, object]) -> None:
    if isinstance(value, dict) and not schema.is_atomic:
        nodes[path] = PRESENT
        properties, values = schema.properties, schema.values
        for name, child in value.items():
            place = (*path, f"f:{name}")
            if isinstance(child, dict | list):
                _collect_nodes(properties.get(name) or values or ANYTHING, child, place, nodes)
            else:
                nodes[place] = child
    elif isinstance(value, list) and schema.list_type in {"set", "map"}:
        nodes[path] = PRESENT
        items, name_item = schema.items or ANYTHING, namer(schema)
        for item in value:
            _collect_nodes(items, item, (*path, name_item(item)), nodes)
    else:
        nodes[path] = value


def namer(schema: Schema) -> Callable[[Json], str]:
    """What gives the path elements of a set's or keyed list's items, which may be many."""
    if schema.list_type == "set":
        return lambda item: f"v:{_write_json(item)}"
    known = schema.items.properties if schema.items else {}
    keys = [(key, f"{_write_json(key)}:", known[key].default if key in known else None) for key in sorted(schema.keys)]

    def name(item: Json) -> str:
        if not isinstance(item, dict):
            return "k:null"
        found = ((written, item.get(key, default)) for key, written, default in keys)
        return f"k:{{{','.join([written + _write_scalar(value) for written, value in found if value is not None])}}}"

    return name


def _write_scalar(value: Json) -> str:
    return int.__repr__(value) if type(value) is int else _write_json(value)


def changed_fields(before: dict[Path, object], after: dict[Path, object]) -> Paths:
    """The fields that are new or have another value."""
    return frozenset(path for path, value in after.items() if path not in before or not are_same(before[path], value))


def overwritten_fields(before: dict[Path, object], after: dict[Path, object]) -> Paths:
    """The changed fields that have a value; those that only hold others are everybody's."""
    return frozenset(path for path in changed_fields(before, after) if after[path] is not PRESENT)


def write_fields(paths: Iterable[Path]) -> Document:
    """Write a set of fields as ``fieldsV1``.

    Example:
        >>> write_fields({("f:spec", "f:type")})
        {'f:spec': {'f:type': {}}}
    """
    chosen = frozenset(paths)
    return _write_few(chosen) if len(chosen) <= _FEW else _write(chosen)


@lru_cache(maxsize=4096)
def _write_few(paths: Paths) -> Document:
    # Objects made alike have the same fields and share one tree of them; nobody changes a document.
    return _write(paths)


def _write(paths: Paths) -> Document:
    # A leaf is written {} and only a field that also holds others is marked by ".".
    tree: Document = {}
    for path in sorted(paths):
        node = tree
        for part in path[:-1]:
            child = node.get(part)
            if child is None:
                child = node[part] = {}
            elif not child:
                child["."] = {}
            node = child
        node[path[-1]] = {}
    return tree


def read_fields(tree: Document) -> Paths:
    """Read a set of fields from ``fieldsV1``."""
    found: list[Path] = []
    _read(tree, (), found)
    return frozenset(found)


def _read(tree: Document, path: Path, found: list[Path]) -> None:
    for name, child in tree.items():
        if name == "." or not isinstance(child, dict):
            continue
        place = (*path, name)
        if not child or "." in child:
            found.append(place)
        if child:
            _read(child, place, found)


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
    if sort in {"v", "i"}:
        return f"[={text}]" if sort == "v" else f"[{text}]"
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
    name_item = namer(schema)
    wanted = {name_item(item): item for item in applied}
    kept = [
        merge_fields(schema.items or ANYTHING, item, wanted.pop(name)) if (name := name_item(item)) in wanted else item
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
        items, name_item = schema.items or ANYTHING, namer(schema)
        return [rest for item in value for rest in cut.of(items, item, (*here, name_item(item)))]
    return value
