"""Selectors: which objects a list or a watch wants, by label or by field. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from kfambassador.local.kube.documents import Document, metadata_of

_SET: Final = re.compile(r"\s*([^\s,=!()]+)\s+(in|notin)\s*\(([^()]*)\)\s*")
_EQUAL: Final = re.compile(r"\s*([^\s,=!()]+)\s*(==|=|!=)\s*([^\s,=!()]*)\s*")
_EXISTS: Final = re.compile(r"\s*(!?)\s*([^\s,=!()]+)\s*")
_FIELD: Final = re.compile(r"\s*([^\s,=!]+)\s*(==|=|!=)\s*([^\s,=]*)\s*")


_ReadOne: TypeAlias = "Callable[[str, int], tuple[Requirement, int]]"


class BadSelector(ValueError):
    """A selector that cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label or field.

    Attributes:
        key: The label's or field's name.
        values: The values it may have, None for any value at all.
        is_negated: Whether the condition is turned round; an absent label fulfils every negated condition.
    """

    key: str
    values: frozenset[str] | None
    is_negated: bool = False

    def is_met(self, found: str | None) -> bool:
        """Whether a value, or its absence, meets the condition."""
        fits = found is not None and (self.values is None or found in self.values)
        return fits != self.is_negated


@dataclass(frozen=True, slots=True)
class Selector:
    """All conditions of a list or a watch; with none it matches everything."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.fields)

    def matches(self, document: Document) -> bool:
        """Whether an object fulfils every condition."""
        labels: Mapping[str, str] = metadata_of(document).get("labels") or {}
        return all(each.is_met(labels.get(each.key)) for each in self.labels) and all(
            each.is_met(_field(document, each.key)) for each in self.fields
        )


def read_selector(labels: str, fields: str) -> Selector:
    """Read a ``labelSelector`` and a ``fieldSelector``.

    Raises:
        BadSelector: When one of them cannot be read.

    Example:
        >>> web = read_selector("app in (web, api),!old", "metadata.namespace=default")
        >>> web.matches({"metadata": {"namespace": "default", "labels": {"app": "api"}}})
        True
    """
    return Selector(labels=_read(labels, _label), fields=_read(fields, _field_requirement))


def exact_name(fields: str) -> str:
    """The one name a ``fieldSelector`` lets through, "" when it may be more than one.

    Example:
        >>> exact_name("metadata.name=web"), exact_name("metadata.name!=web")
        ('web', '')
    """
    try:
        selector = read_selector("", fields)
    except BadSelector:
        return ""
    exact = (each for each in selector.fields if each.key == "metadata.name" and not each.is_negated)
    return next((value for each in exact for value in each.values or ()), "")


def _read(text: str, read_one: _ReadOne) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    position = 0
    while position < len(text):
        requirement, position = read_one(text, position)
        found.append(requirement)
        if position < len(text) and text[position] != ",":
            message = f"unable to parse requirement: found {text[position:]!r}, expected: ',' or the end of {text!r}"
            raise BadSelector(message)
        position += 1
    return tuple(found)


def _label(text: str, position: int) -> tuple[Requirement, int]:
    if match := _SET.match(text, position):
        values = frozenset(value.strip() for value in match[3].split(","))
        return Requirement(match[1], values, is_negated=match[2] == "notin"), match.end()
    if match := _EQUAL.match(text, position):
        return Requirement(match[1], frozenset({match[3]}), is_negated=match[2] == "!="), match.end()
    if match := _EXISTS.match(text, position):
        return Requirement(match[2], None, is_negated=match[1] == "!"), match.end()
    message = f"unable to parse requirement: found {text[position:]!r}, expected: a label name"
    raise BadSelector(message)


def _field_requirement(text: str, position: int) -> tuple[Requirement, int]:
    if match := _FIELD.match(text, position):
        return Requirement(match[1], frozenset({match[3]}), is_negated=match[2] == "!="), match.end()
    message = f"invalid selector: {text!r}; can't understand {text[position:]!r}"
    raise BadSelector(message)


def _field(document: Document, path: str) -> str:
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)
