"""What is live of the gateways that panels show: kept newest, handed to whoever asks what came after."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from kfambassador.notebook.server.aside import Aside

if TYPE_CHECKING:
    from kfambassador.notebook.rows import Event
    from kfambassador.notebook.server.finding import Found
    from kfambassador.sdk.gateway import Gateway

T = TypeVar("T")

#: Seconds after which a question for news is answered without any.
PATIENCE: Final = 20.0
#: Seconds nobody has asked for, after which a gateway is not followed any more.
REST: Final = 30.0
#: How many gateways are followed at once; one more, and the one that was asked for longest ago is let go.
MOST: Final = 12


class Watch:
    """The newest event of each kind, numbered in the order they came.

    Args:
        gateway: Whose events.
        run: Which run of it, as :attr:`~kfambassador.notebook.server.finding.Found.run` says.
        loop: The server's loop.
    """

    def __init__(self, gateway: "Gateway", run: object, loop: asyncio.AbstractEventLoop) -> None:
        from kfambassador.notebook.feed import feed_of

        self.gateway = gateway
        self.run = run
        self.users = 0
        self.asked_at = time.monotonic()
        self._loop = loop
        self._name = secrets.token_hex(4)
        self._lock = Lock()
        self._number = 0
        self._newest: dict[str, tuple[int, str]] = {}
        self._news = asyncio.Event()
        self._is_closed = False
        self._feed = feed_of(gateway)
        self._end = self._feed.subscribe(self._hear)

    async def list_news(self, after: str, *, patience: float = PATIENCE) -> str:
        """Wait for events that came after a place, and give the newest of each kind.

        Args:
            after: The place that the answer before named; anything else begins at the beginning.
            patience: Seconds after which there are none.

        Returns:
            JSON: ``after``, the next place, and ``events``.
        """
        number = self._read_place(after)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self._is_closed and self._number <= number:
                    self._news.clear()
                    await self._news.wait()
        with self._lock:
            newer = sorted(each for each in self._newest.values() if each[0] > number)
            place = json.dumps(f"{self._name}.{self._number}")
        return f'{{"after":{place},"events":[{",".join(text for _, text in newer)}]}}'

    def close(self) -> None:
        """Follow the gateway no more, and close its connections. May take a moment."""
        self._is_closed = True
        self._end()
        self._wake()
        self.gateway.close()

    def _read_place(self, after: str) -> int:
        # A place of another run, or of a server that has ended since, says nothing here.
        name, _, number = after.partition(".")
        return int(number) if name == self._name and number.isascii() and number.isdecimal() else 0

    def _hear(self, event: "Event") -> None:
        text = json.dumps(event, separators=(",", ":"))
        with self._lock:
            self._number += 1
            self._newest[str(event["kind"])] = (self._number, text)
        self._wake()

    def _wake(self) -> None:
        # A server that has ended has no loop any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)


class Watches:
    """One watch for each gateway that is shown, as long as somebody asks."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._beginning: dict[str, asyncio.Lock] = {}
        self._looking = Aside(8)

    @asynccontextmanager
    async def use(self, gateway: str) -> AsyncIterator[Watch]:
        """Use a gateway; it stays followed meanwhile, and a while longer.

        Args:
            gateway: Its id.

        Raises:
            KfAmbassadorError: There is none, or it cannot be reached.
        """
        watch = await self._find(gateway)
        watch.users += 1
        try:
            yield watch
        finally:
            watch.users -= 1
            watch.asked_at = time.monotonic()
            asyncio.get_running_loop().call_later(REST, self._rest, gateway, watch)

    async def look(self, act: Callable[[], T]) -> T:
        """Look which gateways there are, aside."""
        return await self._looking.do(act)

    @property
    def following(self) -> int:
        """How many gateways are followed."""
        return len(self._watches)

    async def _find(self, gateway: str) -> Watch:
        # Several panels that ask at once connect once.
        async with self._beginning.setdefault(gateway, asyncio.Lock()):
            try:
                found = await self._looking.do(partial(_find, gateway))
            except Exception:
                self._let_go(gateway)
                self._beginning.pop(gateway, None)
                raise
            known = self._watches.get(gateway)
            if known is not None and known.run == found.run:
                return known
            loop = asyncio.get_running_loop()
            watch = await self._looking.do(lambda: Watch(found.connect(), found.run, loop))
            self._let_go(gateway)
            self._make_room()
            self._watches[gateway] = watch
            return watch

    def _rest(self, gateway: str, watch: Watch) -> None:
        is_used = watch.users > 0 or time.monotonic() - watch.asked_at < REST
        if not is_used and self._watches.get(gateway) is watch:
            self._let_go(gateway)

    def _make_room(self) -> None:
        while len(self._watches) >= MOST:
            self._let_go(min(self._watches, key=lambda each: (self._watches[each].users, self._watches[each].asked_at)))

    def _let_go(self, gateway: str) -> None:
        watch = self._watches.pop(gateway, None)
        if watch is not None:
            closing = asyncio.ensure_future(self._looking.do(watch.close))
            # Whatever a connection says at its end is nobody's business any more.
            closing.add_done_callback(lambda done: done.exception())


def _find(gateway: str) -> "Found":
    from kfambassador.notebook.server.finding import find_one

    return find_one(gateway)
