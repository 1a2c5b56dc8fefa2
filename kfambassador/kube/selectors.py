"""Label selectors, as Kubernetes writes them: read once, so that a mistake is told at once, and tried on objects here.

Both ways to write them are read: ``team=vision,stage!=test`` and ``team in (vision, speech),!legacy``.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final

_NAME: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"
_SET: Final = re.compile(rf"(?P<key>{_KEY})\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL: Final = re.compile(rf"(?P<key>{_KEY})\s*(?P<sign>==?|!=)\s*(?P<value>(?:{_NAME})?)")
_EXISTS: Final = re.compile(rf"(?P<absent>!?)\s*(?P<key>{_KEY})")
_VALUE: Final = re.compile(rf"(?:{_NAME})?")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked of an object's labels.

    Attributes:
        key: The label.
        values: Its values that count; None when its being there is enough.
        negated: Whether the contrary is asked. An object without the label meets it.
    """

    key: str
    values: frozenset[str] | None = None
    negated: bool = False

    def admits(self, labels: Dict[str, object]) -> bool:
        """Tell whether an object with these labels meets it."""
        found = self.key in labels and (self.values is None or labels[self.key] in self.values)
        return found is not self.negated


@dataclass(frozen=True, slots=True)
class Selector:
    """Which objects are meant, by their labels.

    Attributes:
        text: It as it was written; "" means all.
        requirements: What is asked; an object must meet all of it.
    """

    text: str = ""
    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Selector":
        """Read a selector.

        Raises:
            ValueError: It is none; the message says it to a person.

        Example:
            >>> selector = Selector.read("team in (vision, speech), stage != test, !legacy")
            >>> selector.admits({"team": "vision"}), selector.admits({"team": "vision", "stage": "test"})
            (True, False)
            >>> Selector.read("team=vision;stage=test")
            Traceback (most recent call last):
            ...
            ValueError: 'team=vision;stage=test' is no label selector; write it as in team=vision,stage!=test
        """
        return cls(text.strip(), tuple(_read(text))) if text.strip() else cls()

    def admits(self, labels: Dict[str, object]) -> bool:
        """Tell whether an object with these labels is meant."""
        return all(each.admits(labels) for each in self.requirements)


def _read(text: str) -> Iterator[Requirement]:
    # A comma inside of parentheses parts values.
    for part in re.split(r",(?![^()]*\))", text):
        written = part.strip()
        if found := _SET.fullmatch(written):
            values = frozenset(each.strip() for each in found["values"].split(","))
            if all(_VALUE.fullmatch(value) for value in values):
                yield Requirement(found["key"], values, negated=found["word"] == "notin")
                continue
        elif found := _EQUAL.fullmatch(written):
            yield Requirement(found["key"], frozenset({found["value"]}), negated=found["sign"] == "!=")
            continue
        elif found := _EXISTS.fullmatch(written):
            yield Requirement(found["key"], negated=bool(found["absent"]))
            continue
        raise ValueError(f"{text!r} is no label selector; write it as in team=vision,stage!=test")
