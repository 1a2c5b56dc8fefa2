"""Listening: connections as they come in, over TLS only, and no more than there is room for."""

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
from collections.abc import Callable
from typing import Final

#: What a server for HTTPS answers to HTTP, in the words of Kubernetes' own.
PLAIN: Final = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

_log = logging.getLogger(__name__)

_HANDSHAKE: Final = b"\x16"  # what TLS begins with (RFC 8446, section 5.1)
_PATIENCE: Final = 32.0  # seconds, as on a cluster, that a client may take to agree on TLS
_FAREWELL: Final = 5.0  # seconds a client has to say that it has heard the end
_BACKLOG: Final = 512
_MOST: Final = 4096
_SHARE: Final = 0.75  # of the files this process may open; databases, sockets of others and logs need some
_PAUSE: Final = 0.1  # seconds until it is tried again to take a connection that the machine had no room for
_PLAIN_SIZE: Final = 1 << 16

#: Makes the protocol of a connection, given what is to be called once it has ended.
MakeProtocol = Callable[[Callable[[], None]], asyncio.Protocol]


def count_room() -> int:
    """How many connections may be open at once; more wait until one ends."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if soft == resource.RLIM_INFINITY else max(1, min(_MOST, int(soft * _SHARE)))


async def listen(listener: socket.socket, tls: ssl.SSLContext, make_protocol: MakeProtocol) -> None:
    """Take connections until cancelled; those that are open then stay so.

    Args:
        listener: The socket they come in by.
        tls: How to speak TLS.
        make_protocol: Makes what speaks on a connection.
    """
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(count_room())
    listener.setblocking(False)  # noqa: FBT003 - the name is the library's
    listener.listen(_BACKLOG)
    async with asyncio.TaskGroup() as greetings:
        while True:
            await room.acquire()
            connection = await _accept(loop, listener)
            greetings.create_task(_greet(connection, tls, make_protocol, _Seat(room)))


class _Seat:
    """The room one connection takes, given back once."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room: asyncio.Semaphore | None = room

    def leave(self) -> None:
        if self._room:
            self._room.release()
            self._room = None


async def _accept(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> socket.socket:
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
        except OSError:  # no files left, or a client that is gone already
            await asyncio.sleep(_PAUSE)
        else:
            return connection


async def _greet(connection: socket.socket, tls: ssl.SSLContext, make_protocol: MakeProtocol, seat: _Seat) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_PATIENCE):
            if await _begins_tls(loop, connection):
                await loop.connect_accepted_socket(
                    lambda: make_protocol(seat.leave), connection, ssl=tls, ssl_shutdown_timeout=_FAREWELL
                )
                return
    except (OSError, TimeoutError):
        """A client that is gone, too slow or does not trust this server: it knows, and nobody else need."""
    except Exception:  # noqa: BLE001 - one bad connection must not end all others
        _log.exception("a connection failed")
    seat.leave()


async def _begins_tls(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> bool:
    """Whether a client begins as TLS does; a connection to one that does not is closed."""
    with contextlib.ExitStack() as closing:
        closing.callback(connection.close)
        begin = await _peek(loop, connection)
        if begin == _HANDSHAKE:
            closing.pop_all()
            return True
        if begin:
            await loop.sock_recv(connection, _PLAIN_SIZE)  # unread bytes would take the answer away
            await loop.sock_sendall(connection, PLAIN)
            connection.shutdown(socket.SHUT_WR)
    return False


async def _peek(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> bytes:
    """Look at the first byte and leave it; b"" when there will be none."""
    while True:
        try:
            return connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            readable = loop.create_future()
            loop.add_reader(connection, _settle, readable)
            try:
                await readable
            finally:
                loop.remove_reader(connection)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
