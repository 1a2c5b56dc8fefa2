"""Answers that are read as they arrive: pieces, lines, and server-sent events. Never kept as a whole."""

import codecs
import json
import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from urllib3.exceptions import HTTPError, ReadTimeoutError

from kfambassador.errors import RouteFailed
from kfambassador.routing.describe import Json

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_PIECE: Final = 65536
_SUCCESS: Final = range(200, 300)
_EVENTS: Final = "text/event-stream"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream (WHATWG HTML, "Server-sent events").

    Attributes:
        event: Its kind; ``message`` where the server names none.
        data: Its text; several lines are joined by line feeds.
        id: The last id the server gave, "" when it gave none yet.
    """

    event: str
    data: str
    id: str

    def json(self) -> Json:
        """The data read as JSON.

        Raises:
            RouteFailed: It is none.
        """
        try:
            value: Json = json.loads(self.data)
        except ValueError as error:
            raise RouteFailed(f"An event of the stream is not JSON: {self.data[:300]!r}", status=None) from error
        return value


def read_begun(raw: "BaseHTTPResponse", *, most: int, until: float) -> tuple[bytes, bool]:
    """Read the beginning of an answer; give it, and whether it is the whole.

    Args:
        raw: The answer.
        most: Bytes to read at most.
        until: When to stop, as ``time.perf_counter`` tells time.
    """
    parts: list[bytes] = []
    left = most
    while left > 0 and time.perf_counter() < until:
        try:
            part = raw.read1(min(left, _PIECE), decode_content=True)
        except ReadTimeoutError:
            if not parts:
                raise
            break
        if not part:
            return b"".join(parts), True
        parts.append(part)
        left -= len(part)
    return b"".join(parts), False


class StreamedAnswer:
    """An answer whose body is read as it arrives; a context manager that closes the connection.

    Made by :meth:`~kfambassador.sdk.calling.http.HttpClient.stream`. Its body can be read once, in one of four ways.

    Attributes:
        method: What was asked with.
        url: What was asked for.
        status: The HTTP status.
        headers: The answer's headers, names in lower case.

    Example::

        with http.stream("POST", url, body={"prompt": "Hello", "stream": True}) as answer:
            for event in answer.events():
                print(event.data)
    """

    def __init__(
        self,
        method: str,
        url: str,
        raw: "BaseHTTPResponse",
        *,
        headers: Dict[str, str],
        close: Callable[[], None],
        begun: bytes = b"",
    ) -> None:
        self.method = method
        self.url = url
        self.status = raw.status
        self.headers = headers
        self._raw = raw
        self._close = close
        self._begun = begun  # what was read of the body already
        self._closed = False

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return self.status in _SUCCESS

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, each as soon as it arrives.

        Raises:
            RouteFailed: The connection broke, or nothing came in time; what was read until then was given.
            ValueError: It is closed already.
        """
        while piece := self._read():
            yield piece

    def lines(self) -> Iterator[str]:
        """The body as lines of UTF-8 text without their ends (LF, CRLF or CR), each as soon as it is complete.

        Raises:
            RouteFailed: As for :meth:`chunks`.
        """
        yield from split_lines(self.chunks())

    def events(self) -> Iterator[ServerSentEvent]:
        """The server-sent events, each as soon as it is complete; one that is cut off at the end is none.

        Raises:
            RouteFailed: As for :meth:`chunks`; also when the answer is no success, or no stream of events.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not self.is_success or kind != _EVENTS:
            what = "" if not self.is_success else f" with {kind or 'no content type'} and not with {_EVENTS}"
            start = " ".join(self._read().decode(errors="replace").split())[:300]
            raise RouteFailed(f"{self.method} {self.url} answered {self.status}{what}: {start}", status=self.status)
        yield from read_events(self.lines())

    def read(self) -> bytes:
        """All that is left of the body; meant for answers that are no success.

        Raises:
            RouteFailed: As for :meth:`chunks`.
        """
        return b"".join(self.chunks())

    def close(self) -> None:
        """Close the connection, also in the middle; the server learns that nobody listens."""
        self._closed = True
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<StreamedAnswer {self.status} to {self.method} {self.url}>"

    def _read(self) -> bytes:
        """Read what is there, at least a byte unless it is the end."""
        if self._closed:
            raise ValueError(f"The answer to {self.method} {self.url} is closed: read it inside its with block.")
        if self._begun:
            begun, self._begun = self._begun, b""
            return begun
        try:
            return self._raw.read1(_PIECE, decode_content=True) or b""
        except ReadTimeoutError:
            fault = "nothing came in time"
        except (HTTPError, OSError):
            fault = "the connection broke"
        self.close()
        # Outside of the except block: the frames below hold the request's headers, and with them the credentials.
        raise RouteFailed(
            f"{self.method} {self.url} answered {self.status}, and broke off in the middle: {fault}", status=self.status
        )


def split_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    r"""Split text into lines as it arrives: LF, CRLF and CR each end one; bytes that are no UTF-8 become U+FFFD.

    Example:
        >>> list(split_lines([b"a\r", b"\nb\rc\n\n", b"d"]))
        ['a', 'b', 'c', '', 'd']
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest: list[str] = []  # of the line that has not ended yet
    after_return = False
    for text in _decode(pieces, decoder):
        if not text:
            continue
        # The LF of a CRLF may come with the next piece; its line was given already.
        fresh = text[1:] if after_return and text[0] == "\n" else text
        after_return = text[-1] == "\r"
        *ended, open_end = fresh.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in ended:
            yield "".join((*rest, line))
            rest = []
        if open_end:
            rest.append(open_end)
    if rest:
        yield "".join(rest)


def _decode(pieces: Iterable[bytes], decoder: codecs.IncrementalDecoder) -> Iterator[str]:
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def read_events(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    r"""Read events from lines as browsers do (WHATWG HTML, 9.2.6); ``retry`` is left out, for nothing reconnects.

    Example:
        >>> [event.data for event in read_events(["data: a", "data:b", "", ": comment", "data: lost"])]
        ['a\nb']
    """
    kind, last_id = "", ""
    data: list[str] = []
    for number, raw in enumerate(lines):
        line = raw.removeprefix("\ufeff") if number == 0 else raw
        if not line:
            if data:
                yield ServerSentEvent(kind or "message", "\n".join(data), last_id)
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value
