"""A server whose answers arrive in pieces, each when a test says so."""

import asyncio
import gzip
from concurrent.futures import Future

from aiohttp import web

from kfambassador.local.background import BackgroundServer


class Drip(BackgroundServer):
    """Sends a first event, and the second once it is told to; the path's last word says how, and where it breaks off.

    Attributes:
        go: Set, the rest is sent.
    """

    def __init__(self) -> None:
        self.go: Future[None] = Future()
        app = web.Application()
        app.router.add_route("*", "/{kind:.*}", self._answer)
        super().__init__(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.rpartition("/")[2]
        if kind == "json":
            return web.json_response({"accept": request.headers.get("accept-encoding")})
        if kind == "down":
            return web.Response(status=503, text="no healthy upstream")
        if kind == "gzip":
            body = gzip.compress(b"data: a\n\n")
            return web.Response(body=body, headers={"content-encoding": "gzip", "content-type": "text/event-stream"})
        response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
        if kind == "sized":
            response.content_length = 18
        await response.prepare(request)
        await response.write(b"data: a\n\n")
        if kind == "stuck":
            await asyncio.sleep(30)
        await asyncio.wrap_future(self.go)
        if kind == "broken":
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(b"data: b\n\n")
        return response
