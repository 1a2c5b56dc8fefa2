"""Servers for tests to route to."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from queue import SimpleQueue

from aiohttp import web

from kfambassador.local.background import BackgroundServer


@dataclass(frozen=True, slots=True)
class Echo:
    """One request as a backend saw it.

    Attributes:
        backend: The backend's name.
        method: The method.
        path: The target as it came on the wire: not decoded, with its query.
        headers: Every header in order, names in the case they came in.
        body: The body as text.
    """

    backend: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def read(cls, text: str | bytes) -> "Echo":
        """Read the answer of an EchoServer."""
        fields = json.loads(text)
        return cls(**fields | {"headers": tuple((name, value) for name, value in fields["headers"])})

    def header(self, name: str) -> str | None:
        """A header's value, several joined as HTTP joins them; None when it did not come."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class EchoServer(BackgroundServer):
    """Answers every request with what it saw, as JSON for ``Echo.read``.

    Args:
        name: Told in every answer, so that a test knows which of several backends answered.
        status: The HTTP status of every answer.
        port: The TCP port; 0 takes any free one.

    Attributes:
        seen: How many requests reached the server.
    """

    def __init__(self, name: str = "echo", *, status: int = 200, port: int = 0) -> None:
        self.name = name
        self.seen = 0
        self._status = status
        self._held: tuple[Future[None], SimpleQueue[Echo]] | None = None
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._echo)
        super().__init__(app, port=port)

    @contextmanager
    def hold(self) -> Iterator["SimpleQueue[Echo]"]:
        """Let requests come in but wait for their answers until the block ends; gives a queue of what came."""
        gate: Future[None] = Future()
        arrivals: SimpleQueue[Echo] = SimpleQueue()
        self._held = (gate, arrivals)
        try:
            yield arrivals
        finally:
            self._held = None
            gate.set_result(None)

    async def _echo(self, request: web.Request) -> web.Response:
        self.seen += 1
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        body = (await request.read()).decode(errors="replace")
        echo = Echo(self.name, request.method, request.raw_path, headers, body)
        if self._held is not None:
            gate, arrivals = self._held
            arrivals.put(echo)
            await asyncio.shield(asyncio.wrap_future(gate))
        return web.json_response(asdict(echo), status=self._status)
