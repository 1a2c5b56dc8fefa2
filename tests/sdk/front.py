"""A front before an HTTP API of this machine: it holds back a chosen request, or answers nobody at all for a while."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import Final, NamedTuple
from urllib.parse import urlsplit

#: What the front leaves out: it is about one connection only (RFC 9110, 7.6.1).
_OF_CONNECTION: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Request(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether it changes an object of a namespace."""
        return self.method in _WRITES and "/namespaces/" in self.path and "dryRun" not in self.path


class Answer(NamedTuple):
    """What the API answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Held:
    """Requests that are held back.

    Attributes:
        arrived: Each request as it comes in to be held.
    """

    wanted: Callable[[Request], bool]
    arrived: "SimpleQueue[Request]" = field(default_factory=SimpleQueue)
    released: Event = field(default_factory=Event)
    is_forwarded: bool = True

    def release(self) -> None:
        """Let them go on."""
        self.released.set()

    def drop(self) -> None:
        """Let none of them reach the API."""
        self.is_forwarded = False
        self.released.set()


class Front:
    """What stands before an API; made by :func:`standing_before`.

    Attributes:
        url: Its address.
        requests: What has arrived.
    """

    def __init__(self, target: str, authority: str = "") -> None:
        self._target = urlsplit(target).netloc
        self._trusted = ssl.create_default_context(cadata=authority) if authority else None
        self.url = ""
        self.requests: list[Request] = []
        self._changed = Condition()
        self._held: Held | None = None
        self._is_cut = False

    @contextmanager
    def hold(self, wanted: Callable[[Request], bool]) -> Iterator[Held]:
        """Hold back requests; what is held at the end of the block is dropped."""
        held = Held(wanted)
        with self._changed:
            self._held = held
        try:
            yield held
        finally:
            with self._changed:
                self._held = None
            if not held.released.is_set():
                held.drop()

    def count_writes(self, nth: int) -> Callable[[Request], bool]:
        """Pick the n-th write from now on, counted from one, and all that come later."""
        counted = iter(range(1, 1_000_000))
        return lambda request: request.writes and next(counted) >= nth

    def cut(self) -> None:
        """Answer nobody from now on; who is connected is cut off at the next request."""
        with self._changed:
            self._is_cut = True

    def mend(self) -> None:
        """Answer again."""
        with self._changed:
            self._is_cut = False

    def admit(self, request: Request) -> bool:
        """Note a request; tell whether it may go on, which may take a while."""
        with self._changed:
            self.requests.append(request)
            if self._is_cut:
                return False
            held = self._held
            is_held = held is not None and held.wanted(request)
        if held is None or not is_held:
            return True
        held.arrived.put(request)
        held.released.wait()
        return held.is_forwarded

    def forward(self, request: Request, headers: dict[str, str], body: bytes) -> Answer:
        """Ask the API."""
        with closing(self._connect()) as connection:
            connection.request(request.method, request.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())

    def _connect(self) -> http.client.HTTPConnection:
        if self._trusted:
            return http.client.HTTPSConnection(self._target, timeout=60, context=self._trusted)
        return http.client.HTTPConnection(self._target, timeout=60)


@contextmanager
def standing_before(target: str, authority: str = "") -> Iterator[Front]:
    """Stand before an API until the end of the block, in HTTP; the API speaks TLS where its authority is given."""
    front = Front(target, authority)

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body go out together, and at once.
        wbufsize = -1
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path)
            if not front.admit(request):
                self.close_connection = True
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_CONNECTION}
            answer = front.forward(request, headers, body)
            self.send_response(answer.status)
            for name, value in answer.headers:
                if name.lower() not in _OF_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Whoever asked is gone."""

    for method in ("GET", *_WRITES):
        setattr(Door, f"do_{method}", Door.handle_any)
    server = Server(("127.0.0.1", 0), Door)
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
