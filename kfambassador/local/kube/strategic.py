"""Strategic merge patch: Kubernetes' own merge patch, which merges some lists by a key. Pure."""

from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents import Json
from kfambassador.local.kube.patches import BadPatch
from kfambassador.local.kube.schema import ANYTHING, Schema


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
        return [*items, *(item for item in patch if item not in items)]
    if not schema.merge_key or {"$patch": "replace"} in patch:
        return [item for item in patch if item != {"$patch": "replace"}]
    merged = list(items)
    for change in patch:
        merged = _merge_item(merged, change, schema)
    return merged


def _merge_item(items: list[Json], change: Json, schema: Schema) -> list[Json]:
    key = schema.merge_key
    if not isinstance(change, dict) or key not in change:
        message = f"map: {change!r} does not contain declared merge key: {key}"
        raise BadPatch(message)
    places = [place for place, item in enumerate(items) if isinstance(item, dict) and item.get(key) == change[key]]
    if change.get("$patch") == "delete":
        return [item for place, item in enumerate(items) if place not in places]
    below = schema.items or ANYTHING
    if not places:
        return [*items, strategic_patch({}, change, below)]
    changed = strategic_patch(items[places[0]], change, below)
    return [changed if place == places[0] else item for place, item in enumerate(items)]


def _delete_primitives(items: list[Json], named: list[Json], _: Schema) -> list[Json]:
    return [item for item in items if item not in named]


def _order(items: list[Json], wanted: list[Json], schema: Schema) -> list[Json]:
    key = schema.merge_key

    def identity(item: Json) -> Json:
        return item.get(key) if key and isinstance(item, dict) else item

    order = [identity(each) for each in wanted]
    return sorted(items, key=lambda item: order.index(identity(item)) if identity(item) in order else len(order))


_LIST_DIRECTIVES: Final[dict[str, Callable[[list[Json], list[Json], Schema], list[Json]]]] = {
    "$deleteFromPrimitiveList": _delete_primitives,
    "$setElementOrder": _order,
}
