"""Fields that somebody else set, left out of what is applied, so that theirs stay. Pure."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from kfambassador.errors import Cause, Conflict
from kfambassador.kube.objects import Manifest

#: The word of a cause that somebody else owns a field.
_OWNED: Final = "FieldManagerConflict"
_MANAGER: Final = re.compile(r'conflict with "([^"]*)"')
# A member of a list, by its keys or by its value: [name="envoy"], [port=80,protocol="TCP"], [="x"], [0].
_MEMBER: Final = re.compile(r"\[(?P<inside>(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*)\]")
_PAIR: Final = re.compile(r"(?P<key>[\w.-]*)=(?P<value>\"(?:[^\"\\]|\\.)*\"|[^,]+)")


def list_owned(error: Conflict) -> list[Cause]:
    """List the fields of others that a refusal is about; none when it is about something else."""
    return [cause for cause in error.causes if cause.reason == _OWNED and cause.field]


def tell_owner(cause: Cause) -> str:
    """Say who owns a field.

    Example:
        >>> tell_owner(Cause(".spec.replicas", "FieldManagerConflict", 'conflict with "kubectl-edit" using apps/v1'))
        'kubectl-edit'
    """
    found = _MANAGER.search(cause.message)
    return found[1] if found else cause.message


def leave_out(manifest: Manifest, field: str) -> Manifest | None:
    """Leave a field out of an object; give None where the object does not have it.

    Args:
        manifest: The object.
        field: Where, as the API writes it.

    Example:
        >>> leave_out({"spec": {"replicas": 2, "paused": False}}, ".spec.replicas")
        {'spec': {'paused': False}}
        >>> leave_out({"env": [{"name": "A", "value": "1"}, {"name": "B"}]}, '.env[name="A"].value')
        {'env': [{'name': 'A'}, {'name': 'B'}]}
        >>> leave_out({"metadata": {"labels": {"a.b/c": "1", "a": "2"}}}, ".metadata.labels.a.b/c")
        {'metadata': {'labels': {'a': '2'}}}
        >>> leave_out({"spec": {}}, ".spec.replicas") is None
        True
    """
    changed = deepcopy(manifest)
    for holder, key in _find(changed, field):
        del holder[key]
        return changed
    return None


def _find(value: Any, field: str) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON of any kind
    """Yield where a field is held: the object or list, and its name or place in it."""
    for key, rest in _step(value, field):
        if rest:
            yield from _find(value[key], rest)
        else:
            yield value, key


def _step(value: object, field: str) -> Iterator[tuple[str | int, str]]:
    """Yield the ways to go on by one step: the API puts no quotes around names, and these may have dots."""
    if isinstance(value, dict) and field.startswith("."):
        for name in sorted(value, key=len, reverse=True):
            rest = field[1 + len(name) :]
            if field.startswith(name, 1) and (not rest or rest[0] in ".["):
                yield name, rest
    if isinstance(value, list) and (found := _MEMBER.match(field)):
        for place, member in enumerate(value):
            if _is_meant(member, place, found["inside"]):
                yield place, field[found.end() :]


def _is_meant(member: object, place: int, inside: str) -> bool:
    if inside.isdecimal():
        return place == int(inside)
    wanted = {pair["key"]: json.loads(pair["value"]) for pair in _PAIR.finditer(inside)}
    if "" in wanted:
        return bool(member == wanted[""])
    return isinstance(member, dict) and all(member.get(key) == value for key, value in wanted.items())
