"""Strategic merge patch: Kubernetes' own merge patch, which merges some lists by a key. Pure."""

import json
from collections.abc import Callable
from itertools import count
from typing import Final

from kfambassador.local.kube.documents.document import Json
from kfambassador.local.kube.schemas.schema import ANYTHING, Schema
from kfambassador.local.kube.writes.patches import BadPatch


def strategic_patch(target: Json, patch: Json, schema: Schema) -> Json:
    """Apply a strategic merge patch: a merge patch that knows the keys of lists.

    Args:
        target: The value to change.
        patch: The patch, with ``$patch``, ``$retainKeys``, ``$deleteFromPrimitiveList/`` and ``$setElementOrder/``.
        schema: Says which lists merge, and by which key.

    Raises:
        BadPatch: When an item of a merged list lacks its key.
    """
    if not isinstance(patch, dict):
        return patch
    strategy = patch.get("$patch")
    if strategy == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) and strategy != "replace" else {}
    if isinstance(retained := patch.get("$retainKeys"), list):
        merged = {name: value for name, value in merged.items() if name in retained}
    for name, value in patch.items():
        known = schema.child(name) or ANYTHING
        if name.startswith("$"):
            continue
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, list):
            merged[name] = _merge_list(merged.get(name), value, known)
        else:
            merged[name] = strategic_patch(merged.get(name), value, known)
    for name, value in patch.items():
        directive, _, field = name.partition("/")
        if directive in _LIST_DIRECTIVES and isinstance(value, list) and isinstance(items := merged.get(field), list):
            merged[field] = _LIST_DIRECTIVES[directive](items, value, schema.child(field) or ANYTHING)
    return merged


def _merge_list(target: Json, patch: list[Json], schema: Schema) -> Json:
    items = target if isinstance(target, list) else []
    if schema.list_type == "set" and not schema.merge_key:
        known = {_name(item) for item in items}
        return [*items, *(item for item in patch if _name(item) not in known)]
    if not schema.merge_key or {"$patch": "replace"} in patch:
        return [item for item in patch if item != {"$patch": "replace"}]
    return _merge_items(items, patch, schema)


def _merge_items(items: list[Json], patch: list[Json], schema: Schema) -> list[Json]:
    key, below = schema.merge_key, schema.items or ANYTHING
    merged: dict[int, Json] = dict(enumerate(items))
    places: dict[str, list[int]] = {}
    for place, item in merged.items():
        if isinstance(item, dict) and key in item:
            places.setdefault(_name(item[key]), []).append(place)
    new = count(len(items))
    for change in patch:
        if not isinstance(change, dict) or key not in change:
            message = f"map: {_show(change)} does not contain declared merge key: {key}"
            raise BadPatch(message)
        name = _name(change[key])
        if change.get("$patch") == "delete":
            for place in places.pop(name, ()):
                del merged[place]
            continue
        place = places.setdefault(name, [next(new)])[0]
        merged[place] = strategic_patch(merged.get(place, {}), change, below)
    return [*merged.values()]


def _name(value: Json) -> str:
    # Lists may be long: what is the same has the same name, which is found at once.
    return json.dumps(value, sort_keys=True)


def _show(value: Json) -> str:
    # As Kubernetes shows values here, whose language has its own way.
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{_show(child)}' for name, child in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_show, value))}]"
    return "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _delete_primitives(items: list[Json], named: list[Json], _: Schema) -> list[Json]:
    gone = {_name(item) for item in named}
    return [item for item in items if _name(item) not in gone]


def _order(items: list[Json], wanted: list[Json], schema: Schema) -> list[Json]:
    key = schema.merge_key

    def identity(item: Json) -> str:
        return _name(item.get(key) if key and isinstance(item, dict) else item)

    order = {identity(each): place for place, each in reversed([*enumerate(wanted)])}
    return sorted(items, key=lambda item: order.get(identity(item), len(wanted)))


_LIST_DIRECTIVES: Final[dict[str, Callable[[list[Json], list[Json], Schema], list[Json]]]] = {
    "$deleteFromPrimitiveList": _delete_primitives,
    "$setElementOrder": _order,
}
