"""Selectors: which objects a list or a watch wants, by label or by field. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.documents.metadata import check_label_value, check_qualified

_TOKEN: Final = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_SIGNS: Final = frozenset({"==", "!=", "=", "!", "<", ">", "(", ")", ","})
_OPERATORS: Final = frozenset({"in", "notin", "=", "==", "!=", ">", "<"})
_END: Final = ""
_LONGEST_NUMBER: Final = 19  # digits
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_FIELD: Final = re.compile(r"((?:\\.|[^=!\\]|!(?!=))+)(==|!=|=)(.*)", re.DOTALL)


class BadSelector(ValueError):
    """A selector that cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label or field.

    Attributes:
        key: The label's or field's name.
        values: The values it may have, None for any value at all.
        is_negated: Whether the condition is turned round; an absent label fulfils every negated condition.
        compares: ``>`` or ``<`` where the one value is a bound, else "".
        default: What an absent field is taken for.
    """

    key: str
    values: frozenset[str] | None
    is_negated: bool = False
    compares: str = ""
    default: str = ""

    def is_met(self, found: str | None) -> bool:
        """Whether a value, or its absence, meets the condition."""
        if self.compares:
            return found is not None and self._is_beyond(found)
        fits = found is not None and (self.values is None or found in self.values)
        return fits != self.is_negated

    def _is_beyond(self, found: str) -> bool:
        (bound,) = self.values or ("",)
        if not _WHOLE.fullmatch(found) or len(found) > _LONGEST_NUMBER:
            return False
        return int(found) > int(bound) if self.compares == ">" else int(found) < int(bound)


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
            each.is_met(_field(document, each)) for each in self.fields
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
    return Selector(labels=tuple(_Labels(labels).read()), fields=tuple(_read_fields(fields)))


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


class _Labels:
    """Reads a label selector, word by word."""

    def __init__(self, text: str) -> None:
        self._words = [match[1] for match in _TOKEN.finditer(text)]
        self._place = 0

    def read(self) -> Iterator[Requirement]:
        """Read all requirements."""
        if not self._words:
            return
        while True:
            if self._next() in _SIGNS - {"!"} | {_END}:
                raise self._complain("!, identifier, or 'end of string'")
            yield self._read_one()
            if self._next() == _END:
                return
            if self._take() != ",":
                raise self._complain("',' or 'end of string'", back=1)
            if self._next() in _SIGNS - {"!"} | {_END}:
                raise self._complain("identifier after ','")

    def _next(self) -> str:
        return self._words[self._place] if self._place < len(self._words) else _END

    def _take(self) -> str:
        word = self._next()
        self._place += 1
        return word

    def _complain(self, expected: str, *, back: int = 0) -> BadSelector:
        self._place -= back
        return BadSelector(f"unable to parse requirement: found '{self._next()}', expected: {expected}")

    def _read_one(self) -> Requirement:
        is_absent = self._next() == "!"
        self._place += is_absent
        if self._next() in _SIGNS | {_END}:
            raise self._complain("identifier")
        key = self._take()
        _refuse(check_qualified(key, "key"))
        if is_absent or self._next() in {_END, ","}:
            return Requirement(key, None, is_negated=is_absent)
        operator = self._take()
        if operator not in _OPERATORS:
            raise self._complain("in, notin, =, ==, !=, gt, lt", back=1)
        values = self._read_set() if operator in {"in", "notin"} else [self._read_value()]
        for place, value in enumerate(values):
            _refuse(check_label_value(value, f"values[{place}][{key}]"))
        if operator not in {">", "<"}:
            return Requirement(key, frozenset(values), is_negated=operator in {"notin", "!="})
        if not _WHOLE.fullmatch(values[0]) or len(values[0]) > _LONGEST_NUMBER:
            rule = "for 'Gt', 'Lt' operators, the value must be an integer"
            _refuse([FieldFault(Fault.INVALID, "values[0]", rule, values[0])])
        return Requirement(key, frozenset(values), compares=operator)

    def _read_value(self) -> str:
        if self._next() in {_END, ","}:
            return ""
        if self._next() in _SIGNS:
            raise self._complain("identifier")
        return self._take()

    def _read_set(self) -> list[str]:
        if self._take() != "(":
            raise self._complain("'('", back=1)
        if self._next() == ")":
            rule = "for 'in', 'notin' operators, values set can't be empty"
            _refuse([FieldFault(Fault.INVALID, "values", rule, [])])
        values = [self._read_item()]
        while self._next() == ",":
            self._take()
            values.append(self._read_item())
        if self._take() != ")":
            raise self._complain("',' or ')'", back=1)
        return values

    def _read_item(self) -> str:
        return "" if self._next() in {",", ")", _END} else self._read_value()


def _refuse(faults: Iterable[FieldFault]) -> None:
    for fault in faults:
        message = f"unable to parse requirement: {fault}"
        raise BadSelector(message)


def _read_fields(text: str) -> Iterator[Requirement]:
    for term in filter(None, re.split(r"(?<!\\),", text)):
        match = _FIELD.fullmatch(term)
        if match is None:
            message = f"invalid selector: '{text}'; can't understand '{term}'"
            raise BadSelector(message)
        value = re.sub(r"\\([\\,=])", r"\1", match[3])
        if "=" in re.sub(r"\\.", "", match[3]):
            message = f"invalid field selector: unescaped character in value: = in '{term}'"
            raise BadSelector(message)
        yield Requirement(match[1].strip(), frozenset({value}), is_negated=match[2] == "!=")


def _field(document: Document, requirement: Requirement) -> str:
    value: object = document
    for name in requirement.key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return requirement.default if value is None else str(value)
