"""YAML in and out: the one door to the YAML library, guarded against text made to do harm.

Text is read as a stream of events, so a bomb is stopped before it is built: a 300-byte alias bomb costs seconds and
gigabytes when it is expanded, and a deep enough nesting crashes the C parser's constructor. Documents are cut apart at
their ``---`` lines first, so a document that does not parse takes none of its neighbours with it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import yaml

from kfambassador.problems import Fault


class Written(str):
    """A scalar as somebody wrote it: ``write_documents`` writes it so again, quotes and all.

    Whether ``012`` is ten, twelve or text is for whoever reads the file next, by rules that are not ours.

    Attributes:
        event: How the parser met it.
    """

    __slots__ = ("event",)
    event: yaml.ScalarEvent

    @classmethod
    def take(cls, event: yaml.ScalarEvent) -> Self:
        """Take a scalar from the parser."""
        written = cls(event.value)
        written.event = event
        return written

    @property
    def begins(self) -> tuple[int, int]:
        """The line and the column it begins at in its document, counted from 0."""
        mark = self.event.start_mark
        return (mark.line, mark.column) if mark else (0, 0)

    @property
    def ends(self) -> tuple[int, int]:
        """The line and the column behind its end."""
        mark = self.event.end_mark
        return (mark.line, mark.column) if mark else (0, 0)


#: What YAML can hold once read. Dates stay text: nothing in Kubernetes or Ambassador is typed as a date.
Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 8 to 16 times as fast
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_STRING = "tag:yaml.org,2002:str"
_MERGE_KEY = "<<"
_COLLECTIONS = {None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much text, depth and how many values one text may hold.

    Attributes:
        bytes: The whole text in UTF-8. Kubernetes itself allows 256 KiB of annotations on an object.
        depth: Nesting of lists and objects in one document.
        values: Scalars, lists and objects in one document.
        documents: Documents in one text.
    """

    bytes: int = 256 * 1024
    depth: int = 64
    values: int = 20_000
    documents: int = 1_000


#: For an annotation somebody else may have written.
ANNOTATION_LIMITS = Limits()
#: For files a person names on the command line.
FILE_LIMITS = Limits(bytes=64 * 1024 * 1024, values=2_000_000, documents=200_000)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document.

    Attributes:
        number: Its place in the text, counted from 1; empty documents count.
        line: The line it starts at, counted from 1.
        value: What it holds; None when it is empty or at fault.
        fault: Why it could not be read, or None.
    """

    number: int
    line: int
    value: Value = None
    fault: Fault | None = None


def read_documents(text: str, limits: Limits = ANNOTATION_LIMITS, *, verbatim: bool = False) -> tuple[Document, ...]:
    r"""Read every document of a text; empty ones are left out.

    Args:
        text: Any number of YAML documents.
        limits: How much of it is too much.
        verbatim: Leave every scalar text as it was written (:class:`Written`), for a file of somebody else's that is to
            be written again. Its comments are lost.

    Returns:
        The documents in order, each with its value or its fault.

    Example:
        >>> [document.value for document in read_documents("a: 1\n---\n---\nb: [2]")]
        [{'a': 1}, {'b': [2]}]
        >>> print(read_documents("a: b: c")[0].fault.message)
        not YAML at line 1, column 5: mapping values are not allowed in this context
        >>> [document] = read_documents("pin: 0123", verbatim=True)
        >>> print(write_documents(document.value), end="")
        pin: 0123
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.bytes:
        message = f"the text is {size:,} bytes; at most {limits.bytes:,} are read. Split it over several objects"
        return (Document(1, 1, fault=Fault("too-large", message)),)
    documents: list[Document] = []
    for number, (part, line) in enumerate(_split_documents(text), start=1):
        if number > limits.documents:
            message = f"more than {limits.documents:,} documents; this one and those after it are left out"
            documents.append(Document(number, line, fault=Fault("too-large", message)))
            break
        documents.append(_read_document(part, number, line, limits, verbatim=verbatim))
    return tuple(document for document in documents if document.value is not None or document.fault is not None)


def write_documents(*values: object) -> str:
    """Write documents as YAML, keys in the order given.

    Example:
        >>> print(write_documents({"b": 1, "a": "on"}), end="")
        b: 1
        a: 'on'
    """
    text: str = yaml.dump_all(
        values,
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        explicit_start=len(values) > 1,
        width=1000,
    )
    return text


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc] # its bindings carry no types
    """Writes a value that stands in two places twice: an alias is refused where it is read."""

    def ignore_aliases(self, _: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Several lines are written as several lines, for whoever reads them."""
        node: yaml.ScalarNode = self.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        )
        return node

    def represent_written(self, written: Written) -> yaml.ScalarNode:
        """What was written is written again, by the tag that its reader gave it."""
        event = written.event
        tag = event.tag if event.tag not in {None, "!"} else self.resolve(yaml.ScalarNode, event.value, event.implicit)
        return yaml.ScalarNode(tag, event.value, style=event.style)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(Written, _Dumper.represent_written)


def _split_documents(text: str) -> Iterator[tuple[str, int]]:
    """Cut the text at its document markers; at column 0 they are markers even inside block text."""
    starts = [0, *(found.end() for found in _MARKER.finditer(text))]
    ends = [*(found.start() for found in _MARKER.finditer(text)), len(text)]
    line = 1
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = text[start:end]
        if number > 0 or part.strip():
            yield part, line
        line += part.count("\n")


def _read_document(text: str, number: int, line: int, limits: Limits, *, verbatim: bool) -> Document:
    builder = _Builder(limits, verbatim=verbatim)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except _Refused as refused:
        fault = Fault(refused.code, f"{refused} (line {line + refused.line})")
        return Document(number, line, fault=fault)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {line + mark.line}, column {mark.column + 1}" if mark else ""
        return Document(number, line, fault=Fault("not-yaml", f"not YAML{place}: {error.problem}"))
    except UnicodeEncodeError as error:
        message = f"not YAML: {text[error.start]!r} is half a character; write the whole one"
        return Document(number, line, fault=Fault("not-yaml", message))
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        return Document(number, line, fault=Fault("not-yaml", f"not YAML: {reason}"))
    return Document(number, line, value=builder.value)


class _Refused(Exception):
    """A document that parses and is not to be read."""

    def __init__(self, code: str, message: str, line: int) -> None:
        self.code = code
        self.line = line
        super().__init__(message)


class _Builder:
    """Builds one document's value from its events, and stops at the first that is too much."""

    def __init__(self, limits: Limits, *, verbatim: bool) -> None:
        self.value: Value = None
        self._limits = limits
        self._verbatim = verbatim
        self._open: list[_Object | list[Value]] = []
        self._values = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._enter(_Object(), event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._enter([], event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise _Refused("alias", f"*{event.anchor} is an alias; write the value out", _line(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _Refused("not-yaml", "documents are separated by a line of ---", _line(event))

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        inside = self._open[-1] if self._open else None
        if isinstance(inside, _Object) and inside.key is None:
            inside.expect(event)
        else:
            self._place(Written.take(event) if self._verbatim else _read_scalar(event), event)

    def _enter(self, value: "_Object | list[Value]", event: yaml.CollectionStartEvent) -> None:
        if self._verbatim and event.tag not in _COLLECTIONS:
            raise _Refused("not-yaml", f"the tag {event.tag} is not allowed", _line(event))
        self._place(value.items if isinstance(value, _Object) else value, event)
        self._open.append(value)
        if len(self._open) > self._limits.depth:
            message = f"nested deeper than {self._limits.depth} levels"
            raise _Refused("too-deep", message, _line(event))

    def _place(self, value: Value, event: yaml.Event) -> None:
        self._values += 1
        if self._values > self._limits.values:
            message = f"more than {self._limits.values:,} values"
            raise _Refused("too-large", message, _line(event))
        if not self._open:
            self.value = value
            return
        inside = self._open[-1]
        if isinstance(inside, list):
            inside.append(value)
        elif inside.key is None:
            raise _Refused("not-yaml", "a key must be text", _line(event))
        else:
            inside.items[inside.key] = value
            inside.key = None


class _Object:
    """An object being read: a key, then its value, and so on."""

    __slots__ = ("items", "key")

    def __init__(self) -> None:
        self.items: dict[str, Value] = {}
        self.key: str | None = None

    def expect(self, event: yaml.ScalarEvent) -> None:
        """Take a key as the text its author typed, though YAML 1.1 would read ``on:`` as a boolean."""
        if event.value in self.items:
            raise _Refused("duplicate-key", f"the key {event.value!r} stands twice", _line(event))
        if event.value == _MERGE_KEY and event.implicit[0]:
            raise _Refused("alias", "<< merges another object in; write its fields out", _line(event))
        self.key = event.value


def _read_scalar(event: yaml.ScalarEvent) -> Value:
    """Give the value YAML 1.1 sees, by the library's own rules, except that dates stay text."""
    text: str = event.value
    tag = event.tag
    if tag is None or tag == "!":
        if not event.implicit[0]:
            return text
        tag = _resolve(text)
    if tag in {_STRING, _TIMESTAMP}:
        return text
    construct = _CONSTRUCT.get(tag)
    if construct is None:
        raise _Refused("not-yaml", f"the tag {tag} is not allowed", _line(event))
    try:
        value: Value = construct(yaml.ScalarNode(tag, text))
        # A number with more digits than Python writes could be shown in no message.
        str(value)
    except (ValueError, LookupError, OverflowError) as error:
        raise _Refused("not-yaml", f"{text[:40]!r} is not a value of {tag}", _line(event)) from error
    return value


def _line(event: yaml.Event) -> int:
    return event.start_mark.line if event.start_mark else 0


def _resolve(text: str) -> str:
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return str(tag)
    return _STRING


_constructor = yaml.constructor.SafeConstructor()
_CONSTRUCT = {
    "tag:yaml.org,2002:null": _constructor.construct_yaml_null,
    "tag:yaml.org,2002:bool": _constructor.construct_yaml_bool,
    "tag:yaml.org,2002:int": _constructor.construct_yaml_int,
    "tag:yaml.org,2002:float": _constructor.construct_yaml_float,
}
