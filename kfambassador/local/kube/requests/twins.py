"""Twins: fields that stand twice in a JSON object, of which every reader but a strict one takes the last. Pure."""

import json
from collections.abc import Iterator
from typing import TypeAlias

from kfambassador.local.kube.documents.document import Json

_Pair: TypeAlias = "tuple[str, Json]"


class Pairs:
    """Reads the objects of a JSON text, and notices whether any field stands twice in one.

    Attributes:
        has_twins: Whether one did.

    Example:
        >>> pairs = Pairs()
        >>> json.loads('{"a": 1, "a": 2}', object_pairs_hook=pairs.read_object), pairs.has_twins
        ({'a': 2}, True)
    """

    def __init__(self) -> None:
        self.has_twins = False

    def read_object(self, pairs: list[_Pair]) -> dict[str, Json]:
        """Make an object of its fields."""
        fields = dict(pairs)
        if len(fields) != len(pairs):
            self.has_twins = True
        return fields


class _Object(list[_Pair]):
    """The fields of an object, those that stand there twice included."""


def list_twins(text: bytes) -> list[str]:
    """The paths of the fields that stand more than once in an object of a JSON text, each once.

    Example:
        >>> list_twins(b'{"a": [{"b": 1, "b": 2}], "c": 3, "c": 4, "c": 5}')
        ['a[0].b', 'c']
    """
    return list(dict.fromkeys(_list(json.loads(text, object_pairs_hook=_Object), "")))


def _list(value: object, path: str) -> Iterator[str]:
    if isinstance(value, _Object):
        seen: set[str] = set()
        for name, child in value:
            place = f"{path}.{name}" if path else name
            if name in seen:
                yield place
            seen.add(name)
            yield from _list(child, place)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _list(child, f"{path}[{index}]")
