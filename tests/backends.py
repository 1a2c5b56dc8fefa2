"""Servers for tests to route to."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from queue import SimpleQueue
from threading import Condition, Event

from aiohttp import WSMsgType, web

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


@dataclass(frozen=True, slots=True)
class Answer:
    """How a server answers until it is told otherwise.

    Attributes:
        status: The HTTP status.
        headers: Headers of the answer; a list sends the header several times.
        times: For how many requests this holds, the usual answer follows; None for all.
        hold: Let these requests wait for their answer until the server is told otherwise.
        body: The answer's body instead of what the server saw; "" for that.
        size: Bytes of filling that the body has at least.
    """

    status: int = 200
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    times: int | None = None
    hold: bool = False
    body: str = ""
    size: int = 0

    def pairs(self) -> list[tuple[str, str]]:
        """The headers one by one."""
        return [
            (name, each)
            for name, value in self.headers.items()
            for each in ([value] if isinstance(value, str) else value)
        ]

    def text(self, echo: Echo) -> str:
        """The body, for a request that was seen so."""
        return self.body or json.dumps(asdict(echo)).ljust(self.size)


class Script:
    """What a server is told to answer, and what it saw; several threads use it.

    Attributes:
        seen: The requests that came, oldest first.
    """

    def __init__(self) -> None:
        self.seen: list[Echo] = []
        self._answer = Answer()
        self._left: int | None = None
        self._released = Event()
        self._changed = Condition()

    def tell(self, answer: Answer) -> None:
        """Answer so from now on; whoever was held back is answered, and what was seen is forgotten."""
        with self._changed:
            self._released.set()
            self._released = Event()
            self._answer, self._left = answer, answer.times
            self.seen = []

    def hear(self, echo: Echo) -> tuple[Answer, Event | None]:
        """Note a request; give its answer, and what it must wait for first."""
        with self._changed:
            self.seen = [*self.seen, echo]
            self._changed.notify_all()
            if self._left == 0:
                return Answer(), None
            if self._left is not None:
                self._left -= 1
            return self._answer, self._released if self._answer.hold else None

    def wait_for(self, requests: int, *, timeout: float) -> bool:
        """Wait until so many requests came; tell whether they did."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.seen) >= requests, timeout)


class EchoServer(BackgroundServer):
    """Answers every request with what it saw, as JSON for ``Echo.read``; a WebSocket also with what it is sent.

    Args:
        name: Told in every answer, so that a test knows which of several backends answered.
        status: The HTTP status of every answer.
        port: The TCP port; 0 takes any free one.

    Attributes:
        seen: How many requests reached the server.
        script: What the server is told to answer, and what it saw.
    """

    def __init__(self, name: str = "echo", *, status: int = 200, port: int = 0) -> None:
        self.name = name
        self.seen = 0
        self.script = Script()
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

    async def _echo(self, request: web.Request) -> web.StreamResponse:
        self.seen += 1
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        body = (await request.read()).decode(errors="replace")
        echo = Echo(self.name, request.method, request.raw_path, headers, body)
        if self._held is not None:
            gate, arrivals = self._held
            arrivals.put(echo)
            await asyncio.shield(asyncio.wrap_future(gate))
        answer, release = self.script.hear(echo)
        if release is not None:
            await asyncio.to_thread(release.wait)
        if request.headers.get("upgrade", "").lower() == "websocket" and answer.status == 200:
            return await _converse(request, echo)
        status = self._status if answer.status == 200 else answer.status
        text = answer.text(echo)
        response = web.Response(text=text, status=status, content_type="application/json")
        for name in answer.headers:
            response.headers.popall(name, None)
        for name, value in answer.pairs():
            response.headers.add(name, value)
        return response


async def _converse(request: web.Request, echo: Echo) -> web.WebSocketResponse:
    """Say what was seen, then repeat whatever is said."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json(asdict(echo))
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket
