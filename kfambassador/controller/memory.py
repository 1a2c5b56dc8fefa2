"""Answers that are remembered for a while, so that the same is not asked again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

#: So many answers are remembered at most; those of long ago are forgotten first. Made-up questions fill no memory.
MOST: Final = 20_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Held(Generic[V]):
    answer: "asyncio.Future[V]"
    until: float


class Memory(Generic[K, V]):
    """Remembers answers by their questions. One that is being asked is not asked a second time; a failure is not kept.

    Belongs to one event loop.

    Args:
        seconds: How long an answer holds, from when it was asked for.
        clock: Seconds that never go back.
        most: How many answers are remembered at most.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float], most: int = MOST) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._held: dict[K, _Held[V]] = {}

    def __len__(self) -> int:
        return len(self._held)

    async def recall(self, question: K, ask: Callable[[K], Awaitable[V]]) -> V:
        """Give the answer that is remembered, or ask.

        Args:
            question: The question.
            ask: Finds the answer; what it raises is raised here.
        """
        held = self._held.get(question)
        if held is None or self._clock() >= held.until:
            held = self._begin(question, ask)
        try:
            # Whoever goes away leaves the others their answer.
            return await asyncio.shield(held.answer)
        except BaseException:
            failed = held.answer.done() and (held.answer.cancelled() or held.answer.exception() is not None)
            if failed and self._held.get(question) is held:
                del self._held[question]
            raise

    def _begin(self, question: K, ask: Callable[[K], Awaitable[V]]) -> _Held[V]:
        self._held.pop(question, None)
        if len(self._held) >= self._most:
            self._forget()
        answer = asyncio.ensure_future(ask(question))
        # A failure that nobody waits for any more is nobody's.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        held = self._held[question] = _Held(answer, self._clock() + self._seconds)
        return held

    def _forget(self) -> None:
        """Make room: they stand in the order they were asked in, so the eldest come first."""
        for question in list(islice(self._held, max(1, self._most // 10))):
            del self._held[question]
