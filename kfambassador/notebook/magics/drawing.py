"""Configuration as it stands in a cell, with what is wrong drawn at its line. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from kfambassador.names import CONFIG_ANNOTATION, DEFAULT_NAMESPACE
from kfambassador.problems import ObjectKey, Problem, Severity, has_errors
from kfambassador.resources.documents import FILE_LIMITS, read_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.objects import object_key
from kfambassador.resources.writing import make_name
from kfambassador.sdk.faces.html import Html, fill, frame, join

_TONES: Final = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.NOTICE: "plain"}
#: A text of more lines is drawn around its problems only.
_WHOLE: Final = 60
_AROUND: Final = 4
_LINE: Final = re.compile(r"\bline (\d+)\b")
_KEY: Final = r"""(?:^|[\s{{,])["']?{}["']?\s*:"""
#: What bare text does not have, and what became of it has.
_SPEC: Final = "spec"
_BLOCK: Final = re.compile(r":\s*[|>][-+0-9]*\s*(#.*)?$")


class _Region(NamedTuple):
    """Lines, counted from 0: the first, the one after the last, and where the text that is read begins."""

    first: int
    end: int
    base: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """What was found in configuration; false when there are errors.

    Attributes:
        text: As it was written.
        problems: What is wrong.
        mappings: What would be served, as namespace/name.
        namespace: The namespace of what names none.
        applied: The objects that were applied, and that the gateway has read; none where that was not asked for.
    """

    text: str
    problems: tuple[Problem, ...] = ()
    mappings: tuple[str, ...] = ()
    namespace: str = DEFAULT_NAMESPACE
    applied: tuple[ObjectKey, ...] = ()

    @property
    def words(self) -> str:
        """What was found and done, in a sentence."""
        counts = [
            f"{count} {severity.value}{'' if count == 1 else 's'}"
            for severity in Severity
            if (count := sum(problem.severity is severity for problem in self.problems))
        ]
        found = ", ".join(counts) or "no problems"
        if self.applied:
            return f"applied, and the gateway has read it: {', '.join(map(str, self.applied))}; {found}"
        would = f"; would serve {', '.join(self.mappings)}" if self.mappings else ""
        return f"{found}{would}; nothing is applied"

    def __bool__(self) -> bool:
        return not has_errors(self.problems)

    def __repr__(self) -> str:
        lines = [self.words]
        for number, text, problems in self._lines():
            lines.append(f"{number:>4}  {text}".rstrip())
            lines += [f"   ^  {_tell(problem)}" for problem in problems]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        drawn: list[Html] = []
        for number, text, problems in self._lines():
            drawn.append(fill("source_line", number=number, text=text or " "))
            drawn += [fill("source_note", tone=_TONES[each.severity], text=_tell(each)) for each in problems]
        parts = [fill("words", text=self.words)]
        return frame(*parts, *([fill("lines", lines=join(drawn))] if drawn else []))

    def _lines(self) -> Iterator[tuple[int, str, Sequence[Problem]]]:
        """Yield the lines to draw with their numbers, each with its problems; none where nothing is wrong."""
        if not self.problems:
            return
        places = _Places(self.text, self.namespace)
        lines = places.lines
        notes: defaultdict[int, list[Problem]] = defaultdict(list)
        for problem in self.problems:
            notes[min(places.find_line(problem), len(lines))].append(problem)
        for number, text in enumerate(lines, start=1):
            if len(lines) <= _WHOLE or any(near in notes for near in range(number - _AROUND + 1, number + _AROUND)):
                yield number, text, notes.get(number, ())


def find_line(text: str, problem: Problem, *, namespace: str = DEFAULT_NAMESPACE) -> int:
    r"""Find the line a problem stands at, counted from 1: its field's, or else that of its document or object.

    Example:
        >>> from kfambassador.problems import Origin
        >>> text = "kind: Mapping\n---\nkind: Mapping\nname: m\ncors:\n  origins: [1]"
        >>> find_line(text, Problem("wrong-type", "expected text", Origin(document=2), path="cors.origins[0]"))
        6
    """
    return _Places(text, namespace).find_line(problem)


class _Places:
    """Where each document and each object of a text stands: read once, however much is wrong with it.

    Args:
        text: The text.
        namespace: The namespace of what names none.
    """

    def __init__(self, text: str, namespace: str) -> None:
        self.lines: Final[Sequence[str]] = text.splitlines() or [""]
        self._documents: dict[int | None, _Region] = {}
        self._objects: dict[ObjectKey, _Region] = {}
        for document in read_documents(text, FILE_LIMITS):
            region = _find_end(self.lines, _Region(document.line - 1, len(self.lines)))
            self._documents[document.number] = region
            for value, own in _list_objects(self.lines, as_object(document.value), region):
                for key in _name_object(value, namespace):
                    self._objects.setdefault(key, own)

    def find_line(self, problem: Problem) -> int:
        """Find the line a problem stands at, counted from 1."""
        region = self._find_region(problem)
        said = _LINE.search(problem.message) if not problem.path else None
        if said is not None:
            return region.base + int(said[1])
        numbers = range(region.first, region.end)
        first = next((number for number in numbers if _says_something(self.lines[number])), region.first)
        return _find_field(self.lines, region._replace(first=first), problem.path) + 1

    def _find_region(self, problem: Problem) -> _Region:
        """Find the lines of the document, or of the object, that a problem is in."""
        origin, whole = problem.origin, _Region(0, len(self.lines))
        if origin.object is None:
            return self._documents.get(origin.document, whole)
        found = self._objects.get(origin.object)
        if found is None:
            return whole
        return found if origin.document is None else _enter_annotation(self.lines, found, origin.line or 1)


def _list_objects(
    lines: Sequence[str], value: Dict[str, object], region: _Region
) -> Iterator[tuple[Dict[str, object], _Region]]:
    """Yield the objects of a document with their lines: itself, or each item of a list."""
    yield value, region
    items = value.get("items")
    if not isinstance(items, list):
        return
    for item, own in zip(items, _cut_items(lines, region, len(items)), strict=True):
        yield as_object(item), own


def _cut_items(lines: Sequence[str], region: _Region, count: int) -> list[_Region]:
    """Cut a list into its items; where they do not begin at lines of their own, each is somewhere in all of it."""
    head = next((number for number in range(*region[:2]) if lines[number].startswith("items:")), region.end)
    dashes = [number for number in range(head + 1, region.end) if re.match(r" *-(\s|$)", lines[number])]
    least = min((_measure_indent(lines[number]) for number in dashes), default=0)
    starts = [number for number in dashes if _measure_indent(lines[number]) == least]
    if len(starts) != count:
        return [region] * count
    after = next((number for number in range(head + 1, region.end) if re.match(r"[\w\"']", lines[number])), region.end)
    return [region._replace(first=start, end=end) for start, end in pairwise([*starts, max(after, starts[-1] + 1)])]


def _name_object(value: Dict[str, object], namespace: str) -> Iterator[ObjectKey]:
    """Name the object that a document is, or that became of it."""
    if "metadata" in value:
        metadata = {"namespace": namespace, **as_object(value["metadata"])}
        yield object_key({**value, "metadata": metadata})
    elif value:
        name, own = as_text(value.get("name")), as_text(value.get("namespace")) or namespace
        yield ObjectKey(as_text(value.get("kind")), own, make_name(name) if name else "")


def _find_end(lines: Sequence[str], region: _Region, *, indent: int = 0) -> _Region:
    """End a region where the next document begins, whose marker is indented so far."""
    marker = f"{' ' * indent}---"
    after = (number for number in range(region.first + 1, region.end) if lines[number].startswith(marker))
    return region._replace(end=next(after, region.end))


def _enter_annotation(lines: Sequence[str], region: _Region, line: int) -> _Region:
    """Go on to a document of the annotation inside an object, which begins at a line of its own text."""
    named = (number for number in range(*region[:2]) if lines[number].lstrip(" \"'").startswith(CONFIG_ANNOTATION))
    place = next(named, None)
    if place is None:
        return region
    if not _BLOCK.search(lines[place]):
        return _Region(place, place + 1, place)
    base = place + 1
    inner = _Region(min(base + line - 1, region.end - 1), region.end, base)
    return _find_end(lines, inner, indent=_measure_indent(lines[min(base, region.end - 1)]))


def _says_something(line: str) -> bool:
    return not re.fullmatch(r"\s*(---.*|#.*)?", line)


def _find_field(lines: Sequence[str], region: _Region, path: str) -> int:
    """Find the line of a field: each part of its path is looked for from the one before on."""
    place, is_outermost = region.first, True
    for part in (each for each in re.split(r"[.\[\]]+", path) if each and not each.isdigit()):
        key = re.compile(_KEY.format(re.escape(part)))
        found = [at for at in range(place, region.end) if key.search(lines[at].partition(" #")[0])]
        if found:
            # Of the same name at several depths the outermost is meant first.
            place = min(found, key=lambda at: (_measure_indent(lines[at]), at)) if is_outermost else found[0]
            is_outermost = False
        elif part != _SPEC:
            break
    return place


def _measure_indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _tell(problem: Problem) -> str:
    place = f"{problem.path}: " if problem.path else ""
    return f"{problem.severity}: {place}{problem.message}"
