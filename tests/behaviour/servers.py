"""Backends that speak more than clear HTTP/1.1: TLS, gRPC, and any protocol a connection can be upgraded to."""

import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import grpc
import trustme

from tests.backends import Echo, Script

#: What a TLS server tells of a connection, as if they were headers.
SERVER_NAME, CLIENT = ":sni", ":client"


class Authorities:
    """Two certificate authorities: one that signed the backends' certificates, and one nobody should trust.

    Attributes:
        own: Signed everything that is in order.
        other: Signed nothing that anybody here holds.
        client: A certificate a gateway may show to a backend.
    """

    def __init__(self) -> None:
        self.own = trustme.CA()
        self.other = trustme.CA()
        self.client = self.own.issue_cert("gateway@example.org", common_name="gateway")

    def server_context(self, *names: str, checks_clients: bool = False) -> ssl.SSLContext:
        """What a server by these names needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.own.issue_cert(*names).configure_cert(context)
        if checks_clients:
            self.own.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class _EchoHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "TlsEchoServer"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode(errors="replace")
        headers = (*self.headers.items(), *self.server.tell(self.connection))
        echo = Echo(self.server.name, self.command, self.path, headers, body)
        answer, release = self.server.script.hear(echo)
        if release is not None:
            release.wait()
        text = answer.text(echo).encode()
        self.send_response(answer.status)
        for name, value in answer.pairs():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class's names


class TlsEchoServer(ThreadingHTTPServer):
    """Answers as an EchoServer does, over TLS, and tells which name it was asked by and who the client is."""

    daemon_threads = True

    def __init__(self, name: str, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _EchoHandler)
        self.name = name
        self.script = Script()
        self._asked: dict[int, str] = {}
        self._context = context
        context.sni_callback = self._note

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.server_address[1])

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection; its handshake is made in the thread that serves it."""
        connection, address = super().get_request()
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off the handshake is no fault of ours."""

    def tell(self, connection: Any) -> list[tuple[str, str]]:
        """What a connection is known by, as headers."""
        said = [(SERVER_NAME, self._asked[id(connection)])] if id(connection) in self._asked else []
        certificate = connection.getpeercert()
        names = [value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"]
        return said + [(CLIENT, name) for name in names]

    def _note(self, connection: object, asked: str | None, context: ssl.SSLContext) -> None:
        self._asked.pop(id(connection), None)
        if asked:
            self._asked[id(connection)] = asked


class _UpgradeHandler(StreamRequestHandler):
    server: "UpgradeServer"

    def handle(self) -> None:
        line = self.rfile.readline().decode("latin-1")
        if not line:
            return
        method, path, _ = line.split(" ", 2)
        headers = []
        while (text := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        echo = Echo(self.server.name, method, path, tuple(headers), "")
        self.server.script.hear(echo)
        protocol = echo.header("upgrade")
        if protocol is None:
            body = json.dumps(asdict(echo))
            self.wfile.write(
                f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            return
        self.wfile.write(f"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\n".encode())
        self.wfile.write(json.dumps(asdict(echo)).encode() + b"\n")
        for said in self.rfile:
            self.wfile.write(said)


class UpgradeServer(ThreadingTCPServer):
    """Takes any upgrade that is asked for, says what it saw in one line, and then repeats every line."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _UpgradeHandler)
        self.name = name
        self.script = Script()

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no fault of ours."""


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serve while the block runs."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class GrpcEchoServer(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Answers every unary call with what it saw, as JSON; speaks HTTP/2 only.

    ``/grpc.health.v1.Health/Check`` is answered as the health protocol has it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.script = Script()
        self.port = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve while the block runs."""
        server = grpc.server(ThreadPoolExecutor(8), handlers=(self,))
        self.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()

    def service(self, handler_call_details: Any) -> Any:
        """Find the handler of a call."""
        path = handler_call_details.method
        if path == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")
        return grpc.unary_unary_rpc_method_handler(partial(self._echo, path))

    def _echo(self, path: str, request: bytes, context: Any) -> bytes:
        metadata = [(name, value if isinstance(value, str) else "") for name, value in context.invocation_metadata()]
        echo = Echo(self.name, "POST", path, tuple(metadata), request.decode(errors="replace"))
        answer, release = self.script.hear(echo)
        if release is not None:
            release.wait()
        context.send_initial_metadata(answer.pairs())
        if answer.status != 200:
            context.abort(grpc.StatusCode.UNAVAILABLE, "as it was told")
        return answer.text(echo).encode()
