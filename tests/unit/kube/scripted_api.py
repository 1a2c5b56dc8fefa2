"""A real HTTP server whose answers are written down beforehand, for what a healthy Kubernetes API rarely does."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kfambassador.kube.client import Manifest

TOKEN = "canary-token"  # grepped for in everything that is printed


@dataclass(frozen=True, slots=True)
class Received:
    """One request as the server saw it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: Any


Answer = Callable[["_Exchange"], None]


def service(name: str, *, version: int = 1, **annotations: str) -> Manifest:
    """Build a Service as the API would store it."""
    metadata = {"name": name, "namespace": "default", "resourceVersion": str(version), "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}


def listing(*items: Manifest, version: int = 10, more: str = "") -> Answer:
    """Answer a list request, or a part of one."""
    return answer(
        {"kind": "ServiceList", "metadata": {"resourceVersion": str(version), "continue": more}, "items": items}
    )


def answer(document: object, *, status: int = 200, **headers: str) -> Answer:
    """Answer with a JSON document, or with text as it is."""
    body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def send(exchange: "_Exchange") -> None:
        exchange.send_response(status)
        for name, value in {**named, "Content-Length": str(len(body))}.items():
            exchange.send_header(name, value)
        exchange.end_headers()
        exchange.wfile.write(body)

    return send


def refusal(status: int, reason: str, message: str = "because", **headers: str) -> Answer:
    """Answer with a Kubernetes ``Status``."""
    return answer({"kind": "Status", "code": status, "reason": reason, "message": message}, status=status, **headers)


def event(type: str, manifest: Manifest) -> bytes:  # noqa: A002 - the API's own word
    """Write one line of a watch."""
    return json.dumps({"type": type, "object": manifest}).encode() + b"\n"


def bookmark(version: int) -> bytes:
    """Write a bookmark."""
    return event("BOOKMARK", {"kind": "Service", "metadata": {"resourceVersion": str(version)}})


def gone() -> bytes:
    """Write the line by which a watch says that it starts too early."""
    return event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})


def stream(*pieces: bytes, chunked: bool = True, ends: bool = True, stays: bool = False) -> Answer:
    """Answer a watch.

    Args:
        pieces: What is sent, each piece at once.
        chunked: Whether the end can be told from a cut, as HTTP/1.1 does it.
        ends: Whether the stream ends in peace; else it is cut.
        stays: Whether the server falls silent after the pieces, until the test is over.
    """

    def send(exchange: "_Exchange") -> None:
        exchange.send_response(200)
        exchange.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        exchange.end_headers()
        for piece in pieces:
            exchange.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            exchange.wfile.flush()
        if stays:
            exchange.server.over.wait()
        if chunked and ends:
            exchange.wfile.write(b"0\r\n\r\n")
        else:
            exchange.close_connection = True

    return send


def silence(exchange: "_Exchange") -> None:
    """Take the request and never answer it."""
    exchange.server.over.wait()
    exchange.close_connection = True


def hang_up(exchange: "_Exchange") -> None:
    """Close the connection without an answer."""
    exchange.close_connection = True


class _Server(ThreadingHTTPServer):
    """Gives each request the next answer of the script, and the last one ever after."""

    daemon_threads = True

    def __init__(self, script: list[Answer]) -> None:
        self.received: Queue[Received] = Queue()
        self.over = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def next_answer(self) -> Answer:
        with self._lock:
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients may leave whenever they like."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.received.put(Received(self.command, parts.path, query, self.headers, body))
        self.server.next_answer()(self)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the base class looks these names up

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@dataclass(frozen=True, slots=True)
class ScriptedApi:
    """The running server.

    Attributes:
        url: Its address.
        received: The requests it got, in order.
    """

    url: str
    received: "Queue[Received]"

    def requests(self) -> Sequence[Received]:
        """Take all requests that came so far."""
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


@contextmanager
def scripted_api(*script: Answer, certificate: Path | None = None) -> Iterator[ScriptedApi]:
    """Serve a script on a free port, over TLS when a file with a certificate and its key is given."""
    server = _Server(list(script))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        scheme = "http" if certificate is None else "https"
        yield ScriptedApi(f"{scheme}://127.0.0.1:{server.server_port}", server.received)
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
