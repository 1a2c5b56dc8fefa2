"""JSON paths: the language in which printer columns name a value. Pure."""

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from kfambassador.local.kube.documents.document import Json, children_of

_STEP: Final = re.compile(
    r"(?P<deep>\.\.)(?P<below>(?:\\.|[^.\[\]\\])+)"
    r"|\.(?P<field>(?:\\.|[^.\[\]\\])+)"
    r"|\[\?\(\s*(?P<left>@[^\s=!<>)]*)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<right>'[^']*'|\"[^\"]*\"|[^\s)]+)\s*)?\)\]"
    r"|\[(?P<names>(?:'[^']*'|\"[^\"]*\")(?:\s*,\s*(?:'[^']*'|\"[^\"]*\"))*)\]"
    r"|\[(?P<places>\*|-?\d+(?:\s*,\s*-?\d+)*)\]"
    r"|\[(?P<slice>-?\d*:-?\d*(?::-?\d*)?)\]"
)
_NAME: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def find(document: Json, path: str) -> list[Json]:
    r"""Every value a path leads to; none when a step is missing or not understood.

    Example:
        >>> ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        >>> find(ready, '.conditions[?(@.type=="Ready")].status')
        ['True']
        >>> find({"a": [1, 2, 3]}, ".a[1:]"), find({"a": {"x.y": 1}}, r".a.x\.y"), find([{"n": 1}, {"n": 2}], "..n")
        ([2, 3], [1], [1, 2])
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
    if step["deep"]:
        name = _plain(step["below"])
        return [value for each in _walk(parent) for value in _fields(each, [name])]
    if step["field"] == "*" or step["places"] == "*":
        return children_of(parent)
    if step["field"]:
        return _fields(parent, [_plain(step["field"])])
    if step["left"]:
        return [child for child in children_of(parent) if _holds(child, step)]
    if step["names"]:
        return _fields(parent, [single or double for single, double in _NAME.findall(step["names"])])
    return _at(parent if isinstance(parent, list) else [], step)


def _at(items: list[Json], step: re.Match[str]) -> list[Json]:
    if step["places"]:
        return [item for place in step["places"].split(",") for item in items[int(place) :][:1]]
    bounds = [int(bound) if bound else None for bound in step["slice"].split(":")]
    return [] if bounds[2:] == [0] else items[slice(*bounds)]


def _plain(name: str) -> str:
    return name.replace("\\", "")


def _walk(value: Json) -> Iterator[Json]:
    yield value
    for child in children_of(value):
        yield from _walk(child)


def _fields(parent: Json, names: list[str]) -> list[Json]:
    return [parent[name] for name in names if name in parent] if isinstance(parent, dict) else []


def _holds(child: Json, step: re.Match[str]) -> bool:
    left = find(child, step["left"][1:])
    if step["sign"] is None or not left:
        return bool(left)
    right = _read(child, step["right"])
    try:
        return any(_SIGNS[step["sign"]](value, wanted) for value in left[:1] for wanted in right[:1])
    except TypeError:  # a text is neither less nor more than a number
        return False


def _read(child: Json, text: str) -> list[Json]:
    if text.startswith("@"):
        return find(child, text[1:])
    if text[0] in "'\"":
        return [text[1:-1]]
    if _NUMBER.fullmatch(text):
        return [float(text) if "." in text else int(text)]
    return [{"true": True, "false": False}.get(text, text)]
