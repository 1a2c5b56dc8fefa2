"""A proxy between a controller and the Kubernetes API that answers badly when a test says so.

It passes everything on as it comes, watches too; it is a process's worth of sockets, and nothing in the controller
knows of it.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import parse_qs, urlsplit

#: What is about one connection only (RFC 9110, 7.6.1), and what the proxy says itself.
_OF_CONNECTION: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_READ_SIZE: Final = 1 << 16


class Asked(NamedTuple):
    """A request as it arrived.

    Attributes:
        at: When, in seconds that never go back.
        method: Its method.
        path: Its path, without the query.
        query: Its query.
    """

    at: float
    method: str
    path: str
    query: dict[str, list[str]]

    @property
    def watches(self) -> bool:
        """Whether it asks what happens from now on."""
        return "watch" in self.query

    @property
    def lists(self) -> bool:
        """Whether it asks for all objects of a kind."""
        return self.method == "GET" and not self.watches and "limit" in self.query

    def is_of(self, plural: str) -> bool:
        """Tell whether it is about all objects of a kind."""
        return self.path.endswith(f"/{plural}")


@dataclass(frozen=True)
class Refuse:
    """Answer with an error status, and perhaps say when to come back."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True)
class Cut:
    """Pass a part of the answer's body on, in bytes, and cut the connection off."""

    after: int


@dataclass(frozen=True)
class Drip:
    """Pass the answer on in pieces of so many bytes, with a pause of seconds before each."""

    size: int
    pause: float


@dataclass(frozen=True)
class Say:
    """Answer 200 with another body."""

    body: bytes


Fault: TypeAlias = Refuse | Cut | Drip | Say

#: A watch that was begun too late, as the API says it once the watch is open.
EXPIRED: Final = Say(
    json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}).encode() + b"\n"
)

_Chooser: TypeAlias = Callable[[Asked], "Fault | None"]


class Unreliable:
    """The proxy; made by :func:`standing_between`.

    Attributes:
        url: Its address.
        asked: All requests that have arrived.
    """

    def __init__(self, target: str, authority: str) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._target = urlsplit(target).netloc
        self._trusted = ssl.create_default_context(cadata=authority)
        self._choose: _Chooser = lambda _: None
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    @contextmanager
    def misbehaving(self, choose: _Chooser) -> Iterator[None]:
        """Cut off who is connected, and choose for each request what is wrong with its answer, until the block ends."""
        self._choose = choose
        self.cut_off()
        try:
            yield
        finally:
            self._choose = lambda _: None

    def cut_off(self) -> None:
        """Cut every connection off."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def since(self, moment: float, wanted: Callable[[Asked], bool]) -> list[Asked]:
        """Give the requests since a moment that somebody wants to see."""
        return [each for each in list(self.asked) if each.at >= moment and wanted(each)]

    def admit(self, asked: Asked) -> Fault | None:
        """Note a request; give what is to be wrong with its answer."""
        self.asked.append(asked)
        return self._choose(asked)

    @contextmanager
    def connected(self) -> Iterator[HTTPSConnection]:
        """Connect to the API."""
        with closing(HTTPSConnection(self._target, timeout=60, context=self._trusted)) as connection:
            connection.connect()
            assert connection.sock is not None
            with self.noted(connection.sock):
                yield connection

    @contextmanager
    def noted(self, connected: socket.socket) -> Iterator[None]:
        """Have a connection among those that can be cut off."""
        with self._lock:
            self._open.add(connected)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connected)


class _Handler(BaseHTTPRequestHandler):
    """One connection of the controller's."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Unreliable

    def handle(self) -> None:
        with self.proxy.noted(self.connection), suppress(OSError, HTTPException):
            super().handle()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        fault = self.proxy.admit(Asked(time.monotonic(), self.command, parts.path, parse_qs(parts.query)))
        if isinstance(fault, Refuse):
            self._refuse(fault)
        elif isinstance(fault, Say):
            self._begin(200, [("Content-Type", "application/json")])
            self._send(fault.body)
            self._send(b"")
        else:
            self._pass_on(body, fault)

    def _refuse(self, fault: Refuse) -> None:
        body = json.dumps({"kind": "Status", "status": "Failure", "code": fault.status, "message": "a storm"}).encode()
        self.send_response(fault.status)
        self.send_header("Content-Length", str(len(body)))
        if fault.retry_after is not None:
            self.send_header("Retry-After", str(fault.retry_after))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self, body: bytes, fault: Cut | Drip | None) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_CONNECTION}
        with self.proxy.connected() as connection:
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            self._begin(answer.status, answer.getheaders())
            if isinstance(fault, Cut):
                self._send(_read_exactly(answer, fault.after))
                self.close_connection = True
                return
            for piece in _pieces(answer, fault):
                self._send(piece)
            self._send(b"")

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OF_CONNECTION:
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _send(self, piece: bytes) -> None:
        """Send a piece of the body; an empty one ends it."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _pieces(answer: HTTPResponse, fault: Drip | None) -> Iterator[bytes]:
    while piece := answer.read1(_READ_SIZE if fault is None else fault.size):
        if fault is not None:
            time.sleep(fault.pause)
        yield piece


def _read_exactly(answer: HTTPResponse, wanted: int) -> bytes:
    """Read so many bytes; fewer if there are fewer."""
    return answer.read(wanted)


@contextmanager
def standing_between(target: str, authority: str) -> Iterator[Unreliable]:
    """Stand between somebody and an API until the end of the block; the API speaks TLS, the proxy HTTP."""
    proxy = Unreliable(target, authority)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(handler, f"do_{method}", _Handler.handle_any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        proxy.cut_off()
        thread.join()
