"""One connection through the API server to a port of a pod: bytes carried both ways until one side ends.

The API server puts a port's data on channel 0 and what goes wrong on channel 1; the first byte of every message is its
channel, and the first two bytes of every channel are the port's number (Kubernetes, ``v4.channel.k8s.io``).
"""

import os
import selectors
import socket
import ssl
from contextlib import suppress
from typing import Final

from kfambassador.kube.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, FrameReader, write_frame
from kfambassador.kube.upgrades import Upgraded

#: The WebSocket protocol by which ports are forwarded.
PROTOCOL: Final = "v4.channel.k8s.io"

_DATA: Final = 0
_ERROR: Final = 1
_READ_SIZE: Final = 1 << 16
# Past so many bytes under way one side waits until the other has taken some.
_UNDER_WAY: Final = 1 << 20
_BUSY: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_BOTH: Final = selectors.EVENT_READ | selectors.EVENT_WRITE


class Forwarding:
    """Carries the bytes of one connection. Belongs to one thread; :meth:`end` may come from another.

    Args:
        local: Whose connection it is.
        remote: The way to the pod.
    """

    def __init__(self, local: socket.socket, remote: Upgraded) -> None:
        self._local = local
        self._remote = remote
        self._frames = FrameReader()
        self._channel = _DATA
        self._unread = {_DATA: 2, _ERROR: 2}  # the port's number, which is known
        self._error = bytearray()
        self._to_local = bytearray()
        self._to_remote = bytearray()
        self._is_local_open = self._is_remote_open = True

    def run(self) -> str:
        """Carry until one side ends.

        Returns:
            What the pod's side has to complain of; "" when nothing.
        """
        self._local.settimeout(0)
        with selectors.DefaultSelector() as selector, suppress(OSError, ValueError):
            selector.register(self._local, _BOTH)
            selector.register(self._remote.socket, _BOTH)
            self._take_frames(self._remote.read_ahead)
            while self._is_under_way():
                self._carry(*self._wait(selector))
        return self._error.decode(errors="replace").strip()

    def end(self) -> None:
        """End it, whatever it waits for."""
        for each in (self._local, self._remote.socket):
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def _is_under_way(self) -> bool:
        """Tell whether anything is left to do: once a side has ended, only what it said last is delivered."""
        if not self._is_local_open:
            return bool(self._to_remote)
        return self._is_remote_open or bool(self._to_local)

    def _wait(self, selector: selectors.BaseSelector) -> tuple[bool, bool]:
        """Wait until something can be done; tell whether the local and the remote side may have something to say."""
        hears_local = self._is_local_open and self._is_remote_open and len(self._to_remote) < _UNDER_WAY
        hears_remote = self._is_local_open and self._is_remote_open and len(self._to_local) < _UNDER_WAY
        wishes = {
            self._local: _wish(reads=hears_local, writes=bool(self._to_local)),
            self._remote.socket: _wish(reads=hears_remote, writes=bool(self._to_remote)),
        }
        registered = selector.get_map()
        for each, wish in wishes.items():
            if each in registered and not wish:
                selector.unregister(each)
            elif wish:
                (selector.modify if each in registered else selector.register)(each, wish)
        # What TLS has decrypted already, no selector sees.
        is_pending = isinstance(self._remote.socket, ssl.SSLSocket) and self._remote.socket.pending() > 0
        waits = not (hears_remote and is_pending)
        ready = {key.fileobj: events for key, events in selector.select(None if waits else 0)}
        local, remote = ready.get(self._local, 0), ready.get(self._remote.socket, 0)
        return bool(local & selectors.EVENT_READ), bool(remote & selectors.EVENT_READ) or not waits

    def _carry(self, hears_local: bool, hears_remote: bool) -> None:  # noqa: FBT001 - as _wait says
        if hears_remote and (data := _read(self._remote.socket)) is not None:
            self._take_frames(data)
            self._is_remote_open &= bool(data)
        if hears_local and (data := _read(self._local)) is not None:
            self._is_local_open = bool(data)
            if data:
                self._send(BINARY, bytes([_DATA]) + data)
        _write(self._local, self._to_local)
        _write(self._remote.socket, self._to_remote)

    def _take_frames(self, data: bytes) -> None:
        for opcode, payload in self._frames.feed(data):
            if opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                self._is_remote_open = False
            elif opcode == BINARY and payload:
                self._channel = payload[0]
                self._take_data(payload[1:])
            elif opcode == CONTINUATION:
                self._take_data(payload)

    def _take_data(self, payload: bytes) -> None:
        known = self._unread.get(self._channel, 0)
        self._unread[self._channel] = max(0, known - len(payload))
        said = payload[known:]
        if self._channel == _DATA:
            self._to_local += said
        elif said:
            # Nothing good comes after it.
            self._error += said
            self._is_remote_open = False

    def _send(self, opcode: int, payload: bytes) -> None:
        self._to_remote += write_frame(opcode, payload, mask=os.urandom(4))


def _wish(*, reads: bool, writes: bool) -> int:
    return (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if writes else 0)


def _read(opened: socket.socket) -> bytes | None:
    """Read what is there: nothing at the end, None when it is too early."""
    try:
        return opened.recv(_READ_SIZE)
    except _BUSY:
        return None


def _write(opened: socket.socket, pending: bytearray) -> None:
    """Write what can be written now, and forget it."""
    if pending:
        with suppress(*_BUSY):
            del pending[: opened.send(pending[:_READ_SIZE])]
