"""Just enough of an HTTP client: requests one after another on a connection, and streams, over TLS."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

_END: Final = b"\r\n\r\n"
_OK: Final = range(200, 300)


class Connection(asyncio.Protocol):
    """A connection that stays open.

    Args:
        host: What stands in the Host header.
        token: Who asks.
    """

    def __init__(self, host: str, token: str) -> None:
        self._head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
        self._received = bytearray()
        self._wake = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        #: What came of a stream, each part with its time; None before one was asked for.
        self.arrivals: list[tuple[float, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember by what to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        if self.arrivals is not None:
            self.arrivals.append((time.perf_counter(), data))
            return
        self._received += data
        self._wake.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is the library's
        """Let whoever waits see that nothing more comes."""
        self._transport = None
        self._wake.set()

    def close(self) -> None:
        """Close it."""
        if self._transport:
            self._transport.abort()

    async def ask(self, method: str, target: str, body: bytes = b"", *, media: str = "application/json") -> bytes:
        """Send a request; give the answer's body.

        Raises:
            RuntimeError: When the answer says that something is wrong.
        """
        self._send(method, target, body, media)
        code, length = await self._read_head()
        answer = await self._read(length) if length is not None else b"".join([each async for each in self._chunks()])
        if code not in _OK:
            message = f"{method} {target}: {code} {answer.decode(errors='replace')}"
            raise RuntimeError(message)
        return answer

    def listen(self, target: str) -> None:
        """Ask for a stream, and from now on only note what comes and when: to look at it would take others' time."""
        self._send("GET", target, b"", "application/json")
        self.arrivals = []

    def _send(self, method: str, target: str, body: bytes, media: str) -> None:
        assert self._transport
        extra = f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._transport.write(f"{method} {target} HTTP/1.1\r\n{self._head}{extra}\r\n".encode() + body)

    async def _read_head(self) -> tuple[int, int | None]:
        while (end := self._received.find(_END)) < 0:
            await self._more()
        head = bytes(self._received[:end]).decode("latin-1").lower()
        del self._received[: end + len(_END)]
        status, *fields = head.split("\r\n")
        values = dict(field.split(": ", 1) for field in fields)
        length = None if "chunked" in values.get("transfer-encoding", "") else int(values.get("content-length", 0))
        return int(status.split()[1]), length

    async def _read(self, length: int) -> bytes:
        while len(self._received) < length:
            await self._more()
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            while (end := self._received.find(b"\r\n")) < 0:
                await self._more()
            size = int(bytes(self._received[:end]), 16)
            del self._received[: end + 2]
            chunk = await self._read(size + 2)
            if not size:
                return
            yield chunk[:-2]

    async def _more(self) -> None:
        if self._transport is None:
            raise ConnectionError("the server closed the connection")
        self._wake.clear()
        await self._wake.wait()


async def connect(url: str, token: str) -> Connection:
    """Connect to a server of one's own on this machine: whose certificate it is, is known."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(address.netloc, token), address.hostname or "", address.port or 0, ssl=tls
    )
    return connection
