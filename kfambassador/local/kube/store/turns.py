"""Turns: one write after another, and long ones beside the loop."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, TypeVar

from kfambassador.local.kube.store.storage import Store

T = TypeVar("T")

_SWITCH: Final = 0.001  # seconds that a long write computes while the loop has something to do


class Turns:
    """Lets one write at a time use the store, in the order they come.

    A short write is made at once, on the loop. A long one is worked out in a thread, so that reads, watches and all
    else that comes meanwhile is answered; each change it makes is made on the loop, where the store is at home, so that
    nobody ever sees half of one. Other writes wait.

    Args:
        store: What is written to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()

    async def take(self, write: Callable[[], T], *, is_long: Callable[[], bool]) -> T:
        """Make a write when its turn comes. One that has begun is made to its end, whoever waits for it.

        Args:
            write: Makes it.
            is_long: Whether it may take long, asked when its turn has come.

        Raises:
            Exception: Whatever the write raises.
        """
        await self._turn.acquire()
        is_lent = False
        try:
            if not is_long():
                return write()
            loop = asyncio.get_running_loop()
            written = loop.run_in_executor(None, self._write_there, write, loop)
            is_lent = True
            written.add_done_callback(self._end)
        finally:
            if not is_lent:
                self._turn.release()
        return await asyncio.shield(written)

    def _write_there(self, write: Callable[[], T], loop: asyncio.AbstractEventLoop) -> T:
        def errand(change: Callable[[], None]) -> None:
            done: Future[None] = Future()
            loop.call_soon_threadsafe(_do, change, done)
            done.result()

        with self._store.visited(errand), _frequent_switches():
            return write()

    def _end(self, written: "asyncio.Future[T]") -> None:
        self._turn.release()
        if not written.cancelled():
            written.exception()  # whoever waited may be gone; then nobody else looks


@contextmanager
def _frequent_switches() -> Iterator[None]:
    # A request takes the loop some five steps, before each of which a thread that computes may be let go on for as long
    # as the whole process has it: by Python's own measure 25 ms together, which is put back afterwards.
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH))
    try:
        yield
    finally:
        if sys.getswitchinterval() <= _SWITCH:  # nobody else has said otherwise meanwhile
            sys.setswitchinterval(before)


def _do(change: Callable[[], None], done: "Future[None]") -> None:
    try:
        change()
    except BaseException as error:  # noqa: BLE001 - the thread that waits is to know, whatever it is
        done.set_exception(error)
    else:
        done.set_result(None)
