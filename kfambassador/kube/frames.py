"""WebSocket frames (RFC 6455, 5.2) as a client writes and reads them. Pure: bytes in, bytes out."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

#: What a frame is for (RFC 6455, 11.8).
CONTINUATION: Final = 0x0
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_FINAL: Final = 0x80
_MASKED: Final = 0x80
_LONGEST: Final = 1 << 24
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127


class Frame(NamedTuple):
    """One frame that was read.

    Attributes:
        opcode: What it is for.
        payload: What it carries.
    """

    opcode: int
    payload: bytes


def write_frame(opcode: int, payload: bytes, *, mask: bytes) -> bytes:
    """Write a whole message as one frame.

    Args:
        opcode: What it is for.
        payload: What it carries.
        mask: Four random bytes; a client must mask what it sends.

    Example:
        >>> write_frame(BINARY, b"hi", mask=bytes(4)).hex()
        '8282000000006869'
    """
    length = len(payload)
    if length < _TWO_BYTES:
        size = bytes([_MASKED | length])
    elif length < 1 << 16:
        size = bytes([_MASKED | _TWO_BYTES]) + length.to_bytes(2, "big")
    else:
        size = bytes([_MASKED | _EIGHT_BYTES]) + length.to_bytes(8, "big")
    return bytes([_FINAL | opcode]) + size + mask + _xor(payload, mask)


def answer_key(key: str) -> str:
    """Say what a server must answer to a client's ``Sec-WebSocket-Key``.

    Example:
        >>> answer_key("dGhlIHNhbXBsZSBub25jZQ==")
        's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()


class FrameReader:
    """Joins the pieces a server's bytes come in, and gives each frame as soon as it is whole."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in bytes and yield the frames they complete.

        Raises:
            ValueError: What came is no frame of a server's, or larger than any should be.

        Example:
            >>> reader = FrameReader()
            >>> list(reader.feed(bytes([0x82, 2]) + b"h")), list(reader.feed(b"i"))
            ([], [Frame(opcode=2, payload=b'hi')])
        """
        self._bytes += data
        while (frame := self._take()) is not None:
            yield frame

    def _take(self) -> Frame | None:
        known = self._bytes
        if len(known) < 2:  # noqa: PLR2004 - the least a frame has
            return None
        length, start = known[1], 2
        if length & _MASKED:
            raise ValueError("a server does not mask its frames")
        if length >= _TWO_BYTES:
            start += 2 if length == _TWO_BYTES else 8
            if len(known) < start:
                return None
            length = int.from_bytes(known[2:start], "big")
        if length > _LONGEST:
            raise ValueError(f"a frame of {length} bytes")
        end = start + length
        if len(known) < end:
            return None
        frame = Frame(known[0] & 0x0F, bytes(known[start:end]))
        del known[:end]
        return frame


def _xor(payload: bytes, mask: bytes) -> bytes:
    # As one number: byte by byte would take a hundred times as long.
    length = len(payload)
    repeated = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
