"""What differs between two states of an object. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from kfambassador.kube.objects import Manifest

# What the server writes, of its own accord or whenever anything is written.
_SERVERS: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink")

_ABSENT: Final = object()


class Change(NamedTuple):
    """One field that differs.

    Attributes:
        field: Where: ``spec.replicas``.
        before: Its value before; "" when there was none.
        after: Its value afterwards; "" when there is none.

    Example:
        >>> print(Change("spec.replicas", "1", "2"))
        spec.replicas: 1 -> 2
        >>> print(Change("spec.paused", "true", ""))
        spec.paused: true -> (none)
    """

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.field}: {self.before or '(none)'} -> {self.after or '(none)'}"


def compare(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    """Tell what differs between two states of an object, without what the server writes by itself.

    Example:
        >>> [str(each) for each in compare({"spec": {"ports": [80]}}, {"spec": {"ports": [80, 81], "paused": True}})]
        ['spec.paused: (none) -> true', 'spec.ports[1]: (none) -> 81']
    """
    return tuple(_walk(_wanted(before), _wanted(after), ""))


def _wanted(manifest: Manifest) -> Manifest:
    metadata = {name: value for name, value in (manifest.get("metadata") or {}).items() if name not in _SERVERS}
    return {name: value for name, value in manifest.items() if name != "status"} | {"metadata": metadata}


def _walk(before: object, after: object, field: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{field}.{name}" if field else name
            yield from _walk(before.get(name, _ABSENT), after.get(name, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            yield from _walk(_at(before, place), _at(after, place), f"{field}[{place}]")
    elif before != after:
        yield Change(field, _show(before), _show(after))


def _at(values: list[object], place: int) -> object:
    return values[place] if place < len(values) else _ABSENT


def _show(value: object) -> str:
    if value is _ABSENT:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"{text[:57]}..." if len(text) > 60 else text  # noqa: PLR2004 - a line's worth
