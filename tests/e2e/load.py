"""A constant stream of requests from several threads, and servers that count and may be told to fail or to dawdle."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from threading import Condition, Event, Thread
from urllib.parse import urlsplit

from aiohttp import web

from kfambassador.local.background import BackgroundServer


class NamedServer(BackgroundServer):
    """Answers every request with its name.

    Attributes:
        name: What it answers.
        status: The status of its answers.
        delay: Seconds each answer takes.
        seen: How many requests came.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200
        self.delay = 0.0
        self.seen = 0
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        super().__init__(app)

    async def _answer(self, request: web.Request) -> web.Response:
        # Who asks whether it is there is no part of the load.
        if request.method == "POST":
            self.seen += 1
            await asyncio.sleep(self.delay)
            return web.Response(text=self.name, status=self.status)
        return web.Response(text=self.name)


class Load:
    """Requests without a pause, until the block ends; made by :func:`under_load`.

    Every answer is counted in the stretch in which its request was sent.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._stretch = 0
        self._answers: list[Counter[str]] = [Counter()]
        self.stopped = Event()

    def begin(self) -> None:
        """Begin a new stretch."""
        with self._changed:
            self._stretch += 1
            self._answers.append(Counter())

    def take(self, answers: int, *, of: str = "") -> Counter[str]:
        """Wait for so many answers of the stretch that was begun last, or so many by one server; give all it had."""
        with self._changed:
            stretch = self._answers[-1]
            assert self._changed.wait_for(lambda: (stretch[of] if of else stretch.total()) >= answers, 60), stretch
            return Counter(stretch)

    @property
    def answers(self) -> Counter[str]:
        """All answers since the beginning."""
        with self._changed:
            return sum(self._answers, Counter())

    def run(self, url: str) -> None:
        """Send one request after the other."""
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        while not self.stopped.is_set():
            stretch = self._answers[-1]
            answer = _ask(connection, parts.path)
            with self._changed:
                stretch[answer] += 1
                self._changed.notify_all()
        connection.close()


def _ask(connection: HTTPConnection, path: str) -> str:
    """Send a request; give who answered, or what went wrong."""
    try:
        connection.request("POST", path, body=b"{}")
        with connection.getresponse() as answer:
            text = answer.read().decode()
    except (OSError, HTTPException) as error:
        connection.close()
        return f"failed: {error!r}"
    return text if answer.status == 200 else f"{answer.status} of {text}"


@contextmanager
def under_load(url: str, *, threads: int = 3) -> Iterator[Load]:
    """Send requests to a URL while the block lasts."""
    load = Load()
    running = [Thread(target=load.run, args=(url,)) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        load.take(threads)
        yield load
    finally:
        load.stopped.set()
        for thread in running:
            thread.join()
