"""Sockets that another thread may close while somebody waits on them."""

import socket
import threading
from contextlib import suppress
from weakref import WeakSet

from urllib3.connection import HTTPConnection


class OpenSockets:
    """The open sockets of one client.

    Attributes:
        are_shut: Whether they were closed for good.
    """

    def __init__(self) -> None:
        self.are_shut = False
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()

    def track(self, connection: type[HTTPConnection]) -> type:
        """Return a class of connections like the given one whose sockets are among these."""

        def connect(self_: HTTPConnection) -> None:
            connection.connect(self_)
            self._add(self_.sock)

        return type(connection.__name__, (connection,), {"connect": connect})

    def shut(self) -> None:
        """End every wait on one of these, now and in the future: readers see the end of their stream."""
        with self._lock:
            self.are_shut = True
            for opened in self._open:
                _end(opened)

    def _add(self, opened: socket.socket) -> None:
        with self._lock:
            self._open.add(opened)
            if self.are_shut:
                _end(opened)


def _end(opened: socket.socket) -> None:
    # Past TLS on purpose: the reader must see an end, not find its TLS object taken away under its hands.
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
