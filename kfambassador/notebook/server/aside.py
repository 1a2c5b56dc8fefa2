"""Work that takes a moment, done aside of the server's loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class _Task(Generic[T]):
    def __init__(self, act: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self._act = act
        self._loop = loop
        self.done: asyncio.Future[T] = loop.create_future()

    def run(self) -> None:
        try:
            result = self._act()
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            self._tell(self._fail, error)
        else:
            self._tell(self._succeed, result)

    def _tell(self, act: Callable[..., None], value: object) -> None:
        # A server that has ended meanwhile has no loop any more, and nobody waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act, value)

    def _succeed(self, result: T) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Aside:
    """Does so much aside at once; what comes on top waits.

    Its threads do not outlive the server: a request to a model that takes ten minutes keeps nobody from ending it.

    Args:
        most: How many things are done at once.

    Example:
        >>> async def ask() -> int:
        ...     return await Aside(2).do(lambda: 6 * 7)
        >>> asyncio.run(ask())
        42
    """

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)

    async def do(self, act: Callable[[], T]) -> T:
        """Do something in a thread; give what it gives, or raise what it raises."""
        async with self._places:
            task = _Task(act, asyncio.get_running_loop())
            Thread(target=task.run, name="kfa-aside", daemon=True).start()
            return await asyncio.shield(task.done)
