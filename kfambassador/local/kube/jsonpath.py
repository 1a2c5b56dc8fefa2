"""JSON paths: the few forms that printer columns use. Pure."""

import re
from typing import Final

from kfambassador.local.kube.documents import Json, children_of

_STEP: Final = re.compile(
    r"\.(?P<field>(?:\\.|[^.\[\]\\])+)"
    r"|\[\?\(@\.(?P<key>[\w.]+)\s*==\s*[\"'](?P<value>[^\"']*)[\"']\)\]"
    r"|\[[\"'](?P<quoted>[^\"']+)[\"']\]"
    r"|\[(?P<index>-?\d+|\*)\]"
)


def find(document: Json, path: str) -> list[Json]:
    """Every value a path leads to; none when a step is missing or not understood.

    Example:
        >>> ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        >>> find(ready, '.conditions[?(@.type=="Ready")].status')
        ['True']
    """
    found: list[Json] = [document]
    position = 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return []
        found = [value for parent in found for value in _take(parent, step)]
        position = step.end()
    return found


def _take(parent: Json, step: re.Match[str]) -> list[Json]:
    if step["index"] is not None:
        return _at(parent, step["index"])
    if step["key"] is not None:
        return [child for child in children_of(parent) if step["value"] in map(str, find(child, f".{step['key']}"))]
    name = step["quoted"] or step["field"].replace("\\", "")
    return [parent[name]] if isinstance(parent, dict) and name in parent else []


def _at(parent: Json, index: str) -> list[Json]:
    if index == "*":
        return children_of(parent)
    items = parent if isinstance(parent, list) else []
    return items[int(index) :][:1]
