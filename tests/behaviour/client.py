"""Sending one request to Envoy, in whichever protocol it is written, and reading what came back."""

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from gzip import decompress
from http.client import HTTPConnection, HTTPResponse

import aiohttp
import grpc

from tests.backends import Echo
from tests.behaviour.casefile import Request
from tests.behaviour.policies import KEY

Pairs = list[tuple[str, str]]

#: Seconds until a client gives up; only a failing test waits so long.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: The headers, in order.
        text: The body.
        grpc: The name of the gRPC status, "" for anything but gRPC.
        said: What came back of what was sent over an upgraded connection.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    grpc: str = ""
    said: str = ""

    @property
    def echo(self) -> Echo | None:
        """What the backend saw, if one answered."""
        try:
            return Echo.read(self.text)
        except (ValueError, TypeError, AttributeError, KeyError):
            return None

    def header(self, name: str) -> str | None:
        """A header's value, several joined as HTTP joins them; None when it did not come."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def cookies(self) -> dict[str, str]:
        """The cookies that were set."""
        set_ = [value.split(";")[0].partition("=") for name, value in self.headers if name.lower() == "set-cookie"]
        return {name: value for name, _, value in set_}


class Client:
    """One client of the gateway, with a connection that it keeps.

    Args:
        address: Where the gateway listens.
        port: Its TCP port.
        proxied: The address a proxy in front of the gateway says this client has, in the PROXY protocol.
    """

    def __init__(self, address: str, port: int, proxied: str | None = None) -> None:
        self.address = f"{address}:{port}"
        self._connection = _ProxiedConnection(address, port, timeout=PATIENCE)
        self._connection.proxied = proxied
        self._channels: dict[str, grpc.Channel] = {}
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()
        for channel in self._channels.values():
            channel.close()

    def send(self, request: Request, fill: Callable[[str], str] = str) -> Answered:
        """Send a request; ``fill`` puts values in the place of placeholders."""
        headers = [
            (name, fill(each))
            for name, value in request.headers.items()
            for each in ([value] if isinstance(value, str) else value)
        ]
        if request.cookies and self.cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answered = self._dispatch(request, headers, fill)
        if request.cookies:
            self.cookies |= answered.cookies()
        return answered

    def _dispatch(self, request: Request, headers: Pairs, fill: Callable[[str], str]) -> Answered:
        host, target, body = fill(request.host), fill(request.target), fill(request.body or "")
        if request.method == "GRPC":
            return self._call(host, target, headers, body)
        if request.method == "GRPC-WEB":
            return self._call_from_the_web(host, target, headers, body)
        if request.upgrade == "websocket":
            return asyncio.run(_converse(f"http://{self.address}{target}", host, headers, body))
        if request.upgrade is not None:
            return self._upgrade(host, target, headers, request)
        self._connection._http_vsn_str = request.version
        with begin(self._connection, request.method, target, [("host", host), *headers], body) as response:
            return _read(response)

    def get(self, target: str) -> int:
        """Ask for a path, as if by https and with a key for whoever asks for one; the status, 0 for no answer."""
        headers = [("host", "gateway.example"), ("authorization", KEY), ("x-forwarded-proto", "https")]
        try:
            with begin(self._connection, "GET", target, headers) as response:
                response.read()
                return response.status
        except OSError:
            # What was just replaced may close the connection; the next one is made anew.
            return 0

    def _upgrade(self, host: str, target: str, headers: Pairs, request: Request) -> Answered:
        asks = [("host", host), ("connection", "upgrade"), ("upgrade", request.upgrade or ""), *headers]
        address, _, port = self.address.rpartition(":")
        with (
            closing(HTTPConnection(address, int(port), timeout=PATIENCE)) as connection,
            begin(connection, request.method, target, asks) as response,
        ):
            if response.status != 101:
                return _read(response)
            saw = response.fp.readline().decode()
            connection.sock.sendall(f"{request.body or ''}\n".encode())
            return Answered(101, tuple(response.getheaders()), saw, said=response.fp.readline().decode().strip())

    def _call(self, host: str, path: str, headers: Pairs, body: str) -> Answered:
        if host not in self._channels:
            options = [("grpc.default_authority", host), ("grpc.use_local_subchannel_pool", 1)]
            self._channels[host] = grpc.insecure_channel(self.address, options)
        call = self._channels[host].unary_unary(path, lambda text: text, lambda text: text)
        try:
            answer, state = call.with_call(body.encode(), metadata=headers, timeout=PATIENCE)
        except grpc.RpcError as error:
            return Answered(200, _texts(error.initial_metadata()), error.details() or "", error.code().name)
        return Answered(200, _texts(state.initial_metadata()), answer.decode(errors="replace"), state.code().name)

    def _call_from_the_web(self, host: str, path: str, headers: Pairs, body: str) -> Answered:
        frame = struct.pack(">BI", 0, len(body)) + body.encode()
        asks = [("host", host), ("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1"), *headers]
        with begin(self._connection, "POST", path, asks, frame) as response:
            frames = list(_frames(response.read()))
        data = "".join(text for kind, text in frames if kind == 0)
        trailers = dict(
            line.split(":", 1) for kind, text in frames if kind & 0x80 for line in text.strip().split("\r\n")
        )
        code = int(trailers.get("grpc-status") or response.getheader("grpc-status") or 2)
        name = next(each.name for each in grpc.StatusCode if each.value[0] == code)
        return Answered(response.status, tuple(response.getheaders()), data, name)


class _ProxiedConnection(HTTPConnection):
    """A connection that begins with the PROXY protocol where there is a proxy."""

    proxied: str | None = None
    _http_vsn_str = "HTTP/1.1"

    def connect(self) -> None:
        """Connect, and say whose connection it is."""
        super().connect()
        if self.proxied is not None:
            self.sock.sendall(f"PROXY TCP4 {self.proxied} 127.0.0.1 1234 80\r\n".encode())


@contextmanager
def begin(
    connection: HTTPConnection, method: str, target: str, headers: Pairs, body: str | bytes = b""
) -> Iterator[HTTPResponse]:
    """Send a request with just these headers, and wait for the answer's; the body is the block's to read."""
    content = body.encode() if isinstance(body, str) else body
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if content and not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers):
        connection.putheader("content-length", str(len(content)))
    connection.endheaders(content or None)
    try:
        yield connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _read(response: HTTPResponse) -> Answered:
    body = response.read()
    if response.getheader("content-encoding") == "gzip":
        body = decompress(body)
    return Answered(response.status, tuple(response.getheaders()), body.decode(errors="replace"))


def _texts(metadata: object) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in metadata or () if isinstance(value, str))  # type: ignore[attr-defined]


def _frames(body: bytes) -> Iterator[tuple[int, str]]:
    while len(body) >= 5:
        kind, length = struct.unpack(">BI", body[:5])
        yield kind, body[5 : 5 + length].decode(errors="replace")
        body = body[5 + length :]


async def _converse(url: str, host: str, headers: Pairs, body: str) -> Answered:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with session.ws_connect(url, headers=[("host", host), *headers]) as socket:
                saw = json.dumps(await socket.receive_json())
                await socket.send_str(body)
                return Answered(101, tuple(socket._response.headers.items()), saw, said=await socket.receive_str())
        except aiohttp.WSServerHandshakeError as error:
            return Answered(error.status, tuple((error.headers or {}).items()))
