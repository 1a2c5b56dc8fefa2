"""Connections to the API that stop speaking HTTP: a WebSocket, taken out of an answer 101 (RFC 6455, 4)."""

import base64
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import urllib3

from kfambassador.kube.frames import answer_key

_SWITCHING: Final = 101


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A connection that speaks frames from now on; it does not block.

    Attributes:
        socket: The connection.
        read_ahead: Bytes that came with the answer's head.
        close: Closes it.
    """

    socket: socket.socket
    read_ahead: bytes = field(repr=False)
    close: Callable[[], None] = field(repr=False)


def make_key() -> str:
    """Make a random key, which a server that speaks WebSocket answers in its own way."""
    return base64.b64encode(os.urandom(16)).decode()


def write_upgrade(key: str, *, protocol: str) -> dict[str, str]:
    """Write the headers that ask for a WebSocket."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": protocol,
    }


def take_over(response: urllib3.BaseHTTPResponse, key: str) -> Upgraded:
    """Take the connection out of an answer.

    Raises:
        ValueError: Who answered does not speak WebSocket.
    """
    said = response.headers.get("Sec-WebSocket-Accept")
    opened: socket.socket | None = getattr(response.connection, "sock", None)
    if response.status != _SWITCHING or said != answer_key(key) or opened is None:
        response.close()
        raise ValueError("no WebSocket")
    opened.settimeout(0)
    return Upgraded(opened, _read_ahead(response), response.close)


def _read_ahead(response: urllib3.BaseHTTPResponse) -> bytes:
    """Give what was read together with the head. HTTP's reader is buffered, and it will not be asked again."""
    reader = response._original_response.fp  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to it
    try:
        return bytes(reader.peek())
    except ssl.SSLWantReadError:
        return b""
