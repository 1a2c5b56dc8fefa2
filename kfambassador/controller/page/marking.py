"""What was written, line by line, with what is wrong beside its line. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kfambassador.problems import Problem
from kfambassador.resources.documents import Document, Value, Written, read_documents

_TOLD_LINE: Final = re.compile(r"\bline (\d+)\b")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text.

    Attributes:
        number: Its number, counted from 1.
        text: What it says.
        problems: What is wrong there.
    """

    number: int
    text: str
    problems: tuple[Problem, ...] = ()


def mark_lines(text: str, problems: Iterable[Problem]) -> tuple[Line, ...]:
    r"""Put each problem beside the line it is about.

    Args:
        text: The documents, as they were written.
        problems: What is wrong with them.

    Example:
        >>> from kfambassador.problems import Origin
        >>> problem = Problem("wrong-type", "expected text", Origin(document=2, line=2), path="cors.origins")
        >>> lines = mark_lines("a: 1\n---\ncors:\n  origins: 5\n", [problem])
        >>> [(line.number, line.problems[0].path) for line in lines if line.problems]
        [(4, 'cors.origins')]
    """
    lines = text.removesuffix("\n").split("\n")
    documents = {document.number: document for document in read_documents(text, verbatim=True)}
    beside: dict[int, list[Problem]] = {}
    for problem in problems:
        beside.setdefault(_find_line(problem, documents, lines), []).append(problem)
    return tuple(Line(number, line, tuple(beside.get(number, ()))) for number, line in enumerate(lines, start=1))


def _find_line(problem: Problem, documents: dict[int, Document], lines: Sequence[str]) -> int:
    first = min(problem.origin.line or 1, len(lines))
    document = documents.get(problem.origin.document or 1)
    if document is None:
        return first
    if document.fault is not None:
        # Where the parser stopped stands in its words.
        told = _TOLD_LINE.search(problem.message)
        return min(int(told[1]), len(lines)) if told else first
    place, parts = document.value, _split_path(problem.path)
    found: str | None = None
    while parts:
        step = _step(place, parts)
        if step is None:
            break
        found, place, parts = step
    return first if found is None else _find_name(found, place, document.line, lines) or first


def _split_path(path: str) -> list[str]:
    return [part for part in re.split(r"[.\[\]]", path) if part]


def _step(place: Value, parts: list[str]) -> tuple[str, Value, list[str]] | None:
    """Go one step down a path; the name of a header may have dots."""
    if isinstance(place, list):
        number = parts[0]
        return ("", place[int(number)], parts[1:]) if number.isdigit() and int(number) < len(place) else None
    if isinstance(place, dict):
        for size in range(1, len(parts) + 1):
            name = ".".join(parts[:size])
            if name in place:
                return name, place[name], parts[size:]
    return None


def _find_name(name: str, place: Value, begins: int, lines: Sequence[str]) -> int | None:
    """Find the line of a name: the nearest one above the first thing that was written under it."""
    written = next(_walk(place), None)
    if written is None:
        return None
    number = begins + written.begins[0]
    if not name:
        return number
    spelled = re.compile(rf"""(?:^|[\s{{,\["'-]){re.escape(name)}["']?\s*:""")
    above = (each for each in range(number, begins - 1, -1) if spelled.search(lines[each - 1]))
    return next(above, number)


def _walk(value: Value) -> Iterator[Written]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)
    elif isinstance(value, Written):
        yield value
