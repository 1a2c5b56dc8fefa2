"""Kubernetes objects as the API tells them: listings and the lines of a watch."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Manifest: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON. Whoever receives one must not change it."""

# JSON in pieces: texts, what opens and closes, and all between.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^"\[\]{}]+', re.DOTALL)
# Deeper than any resource, and far from where Python gives up.
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind at one moment.

    Attributes:
        items: The objects, each with its ``apiVersion`` and ``kind``.
        resource_version: The moment; a watch goes on from here.
    """

    items: tuple[Manifest, ...]
    resource_version: str


class EventType(StrEnum):
    """What happened to an object. A bookmark only says how far the watch has come."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a watch.

    Attributes:
        type: What happened.
        manifest: The object afterwards, or as it was last when it was deleted.
    """

    type: EventType
    manifest: Manifest = field(repr=False)  # it may be a Secret

    @property
    def resource_version(self) -> str:
        """The moment of the event; a watch goes on from here."""
        return str(self.manifest["metadata"]["resourceVersion"])


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing.

    Attributes:
        items: The objects of this part.
        resource_version: The moment of the whole listing.
        next: What to ask for the next part with; "" after the last one.
    """

    items: list[Manifest]
    resource_version: str
    next: str


def read_object(text: bytes) -> Manifest:
    """Read one JSON object.

    Raises:
        ValueError: It is none.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        # Somebody's bottomless object, maybe in a list of everybody's: what is too deep for the parser is nobody's use.
        document = json.loads(_cut_depths(text))
    if isinstance(document, dict):
        return document
    raise ValueError("expected a JSON object")


def _cut_depths(text: bytes) -> str:
    """Put ``null`` where JSON is nested deeper than anything that is read."""
    kept: list[str] = []
    depth = 0
    for token in _TOKENS.findall(text.decode(errors="replace")):
        opens, closes = token in {"[", "{"}, token in {"]", "}"}
        depth += opens
        if depth <= _DEEPEST:
            kept.append(token)
        elif opens and depth == _DEEPEST + 1:
            kept.append("null")
        depth -= closes
    return "".join(kept)


def read_member(document: Manifest, name: str) -> Manifest:
    """Return an object that must be in another one.

    Raises:
        ValueError: It is not there.
    """
    member = document.get(name)
    if isinstance(member, dict):
        return member
    raise ValueError(f"expected an object under {name!r}")


def read_page(document: Manifest) -> Page:
    """Read an answer to a list request.

    Raises:
        ValueError: It is none.
    """
    metadata = read_member(document, "metadata")
    items = document.get("items") or []
    if "resourceVersion" not in metadata or not isinstance(items, list):
        raise ValueError("expected a list with its resourceVersion")
    return Page(items, str(metadata["resourceVersion"]), str(metadata.get("continue") or ""))


def read_event(document: Manifest) -> Event:
    """Read one line of a watch.

    Raises:
        ValueError: It is none.

    Example:
        >>> line = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "812"}}}
        >>> read_event(line).resource_version
        '812'
    """
    manifest = read_member(document, "object")
    if "resourceVersion" not in read_member(manifest, "metadata"):
        raise ValueError("expected an object with its resourceVersion")
    return Event(EventType(str(document.get("type"))), manifest)


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""Yield the lines of a stream as soon as each is complete, whatever the pieces it comes in.

    Example:
        >>> list(split_lines([b"one\ntw", b"o\nthr", b"ee"]))
        [b'one', b'two', b'three']
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


def is_as_new(version: str, wanted: str) -> bool:
    """Tell whether a resourceVersion is the wanted one or a newer one.

    Kubernetes calls them opaque; all its servers count upwards, and what does not read as a number is compared as is.

    Example:
        >>> is_as_new("10", "9"), is_as_new("8", "9"), is_as_new("a", "a")
        (True, False, True)
    """
    if version.isdigit() and wanted.isdigit():
        return int(version) >= int(wanted)
    return version == wanted
