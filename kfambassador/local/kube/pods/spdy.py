"""SPDY: frames of version 3.1, in which kubectl carries connections to pods. Pure.

Streams are opened by clients only. Windows are left alone, as Kubernetes' own clients and servers do.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

_VERSION: Final = 3
_CONTROL: Final = 0x80000000
_LAST: Final = 0x01  # the flag of a stream's last frame
_HEAD: Final = struct.Struct(">II")  # kind or stream; flags and length
_OPENING: Final = struct.Struct(">IIH")  # stream, the one it belongs to, priority
_NUMBER: Final = struct.Struct(">I")

_OPEN, _REPLY, _RESET, _PING, _GO_AWAY = 1, 2, 3, 6, 7
_LENGTH: Final = 0xFFFFFF
_MOST_HEADERS: Final = 1 << 16  # bytes of one block

# What both sides know before the first header (SPDY protocol draft 3, section 2.6.10.1): words that have their length
# before them, then some that do not.
_WORDS: Final = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie"
    " keep-alive origin"
)
_REST: Final = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _pack(text: str) -> bytes:
    return _NUMBER.pack(len(text)) + text.encode()


#: The dictionary of the compression of headers.
DICTIONARY: Final = b"".join(_pack(word.replace("_", " ")) for word in _WORDS.split()) + _REST.encode()


class BadSpdy(Exception):
    """Bytes that are no SPDY."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The client opens a stream.

    Attributes:
        stream: Its number.
        headers: What the client says of it.
    """

    stream: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Came:
    """The client sends data.

    Attributes:
        stream: By which stream.
        data: The data.
        is_last: Whether it sends no more by this stream.
    """

    stream: int
    data: bytes = field(repr=False)
    is_last: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """The client wants to hear no more of a stream.

    Attributes:
        stream: Its number.
    """

    stream: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The client asks whether anybody is there.

    Attributes:
        echo: The frame to send back.
    """

    echo: bytes


Frame: TypeAlias = Opened | Came | Dropped | Asked


class Reader:
    """Reads a client's frames.

    Example:
        >>> list(Reader().read(write_data(1, b"hello", is_last=True)))
        [Came(stream=1, is_last=True)]
    """

    def __init__(self) -> None:
        self._rest = b""
        self._inflater = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, data: bytes) -> Iterator[Frame]:
        """Read on, and give the frames that are whole.

        Raises:
            BadSpdy: It cannot be read on.
        """
        self._rest += data
        while len(self._rest) >= _HEAD.size:
            head, tail = _HEAD.unpack_from(self._rest)
            end = _HEAD.size + (tail & _LENGTH)
            if len(self._rest) < end:
                return
            whole, self._rest = self._rest[:end], self._rest[end:]
            yield from self._read(head, tail >> 24, whole)

    def _read(self, head: int, flags: int, whole: bytes) -> Iterator[Frame]:
        body = whole[_HEAD.size :]
        if not head & _CONTROL:
            yield Came(head, body, bool(flags & _LAST))
            return
        if head >> 16 & 0x7FFF != _VERSION:
            raise BadSpdy("it is no SPDY of version 3")
        kind = head & 0xFFFF
        try:
            if kind == _OPEN:
                stream, _, _ = _OPENING.unpack_from(body)
                yield Opened(stream, self._read_headers(body[_OPENING.size :]))
                if flags & _LAST:
                    yield Came(stream, b"", is_last=True)
            elif kind == _RESET:
                yield Dropped(_NUMBER.unpack_from(body)[0])
            elif kind == _PING:
                yield Asked(whole)
        except struct.error as error:
            raise BadSpdy("a frame is too short") from error

    def _read_headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflater.decompress(block, _MOST_HEADERS)
        except zlib.error as error:
            raise BadSpdy("headers cannot be read") from error
        (count,), at = _NUMBER.unpack_from(text), _NUMBER.size
        found: list[str] = []
        for _ in range(2 * count):
            (length,) = _NUMBER.unpack_from(text, at)
            at += _NUMBER.size + length
            found.append(text[at - length : at].decode(errors="replace"))
        return dict(zip(map(str.lower, found[::2]), found[1::2], strict=True))


class Writer:
    """Writes a server's frames that have headers; the others need no memory."""

    def __init__(self) -> None:
        self._deflater = zlib.compressobj(zdict=DICTIONARY)

    def write_reply(self, stream: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
        """Accept a stream."""
        pairs = list(headers)
        text = _NUMBER.pack(len(pairs)) + b"".join(_pack(name) + _pack(value) for name, value in pairs)
        block = self._deflater.compress(text) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        return _write_control(_REPLY, _NUMBER.pack(stream) + block)


def write_data(stream: int, data: bytes, *, is_last: bool = False) -> bytes:
    """Send data by a stream, perhaps the last."""
    return _HEAD.pack(stream, (_LAST if is_last else 0) << 24 | len(data)) + data


def write_go_away(stream: int) -> bytes:
    """Say that no stream after this one is served."""
    return _write_control(_GO_AWAY, _NUMBER.pack(stream) + _NUMBER.pack(0))


def _write_control(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(_CONTROL | _VERSION << 16 | kind, len(body)) + body
