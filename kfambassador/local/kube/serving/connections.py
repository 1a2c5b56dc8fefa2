"""Connections: HTTP on one connection, where every fault of a client is answered by a Status."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, cast

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong
from aiohttp.http_parser import RawRequestMessage

from kfambassador.local.kube.documents.document import encode
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.requests.bodies import JSON_TYPE, MAX_BODY

#: The most bytes of a request's line and headers, as in Kubernetes.
MAX_HEAD: Final = 1 << 20

#: Answers a request.
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


def make_http_server(answer: Answer) -> web.Server:
    """Make what the connections of one server share.

    Args:
        answer: Answers a request, whatever it is.
    """

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await answer(request)  # type: ignore[arg-type]  # made by make_request
        finally:
            if isinstance(request.protocol, Connection):
                request.protocol.end()

    def make_request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        request = web.Request(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)
        if isinstance(protocol, Connection):
            protocol.begin(request)
        return request

    return web.Server(serve, request_factory=make_request, handler_cancellation=True)


async def close_http_server(server: web.Server, *, grace: float) -> None:
    """End all connections; what is being answered has so many seconds to come to an end."""
    await asyncio.sleep(0)  # whoever is connected already is heard
    connections = server.connections
    server.pre_shutdown()
    await server.shutdown(grace)
    for connection in connections:
        if isinstance(connection, Connection):
            connection.abort()
    await asyncio.sleep(0)  # now they are told that they have ended


class Connection(web.RequestHandler):
    """One connection.

    Args:
        server: What the connections share.
        idle: Seconds after a request without another one, after which it is closed.
        patience: Seconds that the head of a request may take, from its beginning to its end; for the first one they
            begin with the connection.
        leave: Called once the connection has ended.
    """

    def __init__(self, server: web.Server, *, idle: float, patience: float, leave: Callable[[], None]) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp's word for no log
            keepalive_timeout=idle,
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
        )
        self._leave = leave
        self._patience = patience
        self._deadline: asyncio.TimerHandle | None = None
        self._line: asyncio.Transport | None = None
        self._is_answering = False
        self._head = 0  # bytes that came since the last request
        self._body: StreamReader | None = None
        self._writer: AbstractStreamWriter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self._line = cast("asyncio.Transport", transport)
        self._await_head()

    def abort(self) -> None:
        """End at once: to part in good order takes a client that listens."""
        if self._line:
            self._line.abort()

    def begin(self, request: web.Request) -> None:
        """Note that a request has begun: its head is whole."""
        self._await_nothing()
        self._is_answering, self._head = True, 0
        self._body, self._writer = request.content, request.writer

    def end(self) -> None:
        """Note that a request is answered."""
        self._is_answering = False

    def data_received(self, data: bytes) -> None:
        """Read on; a head that does not end is refused."""
        super().data_received(data)
        if self._is_answering or (self._body and not self._body.is_eof()):
            return
        self._await_head()
        self._head += len(data)
        # What follows the head in one piece with it is counted too, hence the second half.
        if self._head > 2 * MAX_HEAD:
            self._refuse(_too_long())

    def eof_received(self) -> None:
        """Answer a client that sends no more, and has not sent all of its request."""
        is_cut = self._head > 0 if self._body is None or self._body.is_eof() else not self._has_answered()
        if is_cut:
            self._refuse(status.bad_request("the request ends before it is whole: the client closed its side"))

    def connection_lost(self, exc: BaseException | None) -> None:
        """Clean up."""
        super().connection_lost(exc)
        self._await_nothing()
        self._line = self._body = self._writer = None
        self._leave()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - the signature is aiohttp's
    ) -> web.StreamResponse:
        """Answer what is no request, without its words: they may hold a token."""
        if request.writer.output_size > 0:
            raise ConnectionError("The answer is under way.")
        refusal = _explain(status, exc)
        response = web.Response(body=encode(refusal.document()), status=refusal.code, content_type=JSON_TYPE)
        response.force_close()
        return response

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(self._patience, self.force_close)

    def _await_nothing(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None

    def _has_answered(self) -> bool:
        return self._writer is not None and self._writer.output_size > 0

    def _refuse(self, refusal: status.StatusError) -> None:
        if self.transport is None or self._has_answered():
            return
        body = encode(refusal.document())
        lines = (
            f"HTTP/1.1 {refusal.code} {HTTPStatus(refusal.code).phrase}",
            f"Content-Type: {JSON_TYPE}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        self.transport.write("\r\n".join((*lines, "", "")).encode() + body)
        self.force_close()


def _too_long() -> status.StatusError:
    return status.StatusError(431, "RequestHeaderFieldsTooLarge", f"line and headers are over {MAX_HEAD} bytes")


def _explain(code: int, error: BaseException | None) -> status.StatusError:
    if isinstance(error, LineTooLong):
        return _too_long()
    if isinstance(error, BadHttpMethod):
        return status.not_allowed()
    if code == HTTPStatus.BAD_REQUEST:
        return status.bad_request("this is no request in HTTP/1.1")
    _log.error("a request failed: %s", type(error).__name__)
    return status.internal("this is a fault of the server; its log says more")
