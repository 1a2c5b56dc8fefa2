"""Answers that are remembered for a while."""

import asyncio
from collections.abc import Callable

import pytest

from kfambassador.controller.memory import Memory


class Oracle:
    """Answers every question with how often it was asked anything, once it may."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_away = False

    async def ask(self, question: str) -> int:
        self.asked.append(question)
        number = len(self.asked)
        await self.may_answer.wait()
        if self.is_away:
            raise ConnectionError("away")
        return number


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def remember(clock: Callable[[], float], *, most: int = 10) -> Memory[str, int]:
    return Memory(10.0, clock=clock, most=most)


async def until_asked(oracle: Oracle, times: int) -> None:
    while len(oracle.asked) < times:  # noqa: ASYNC110 - other tasks have their turn meanwhile
        await asyncio.sleep(0)


def test_an_answer_holds_for_so_long_and_no_longer() -> None:
    async def scene() -> None:
        oracle, clock = Oracle(), Clock()
        memory = remember(clock)
        assert await memory.recall("a", oracle.ask) == 1
        clock.now += 9.9
        assert await memory.recall("a", oracle.ask) == 1
        assert await memory.recall("b", oracle.ask) == 2
        clock.now += 0.1
        assert await memory.recall("a", oracle.ask) == 3

    asyncio.run(scene())


def test_it_holds_from_when_it_was_asked_for() -> None:
    async def scene() -> None:
        oracle, clock = Oracle(), Clock()
        memory = remember(clock)
        oracle.may_answer.clear()
        first = asyncio.ensure_future(memory.recall("a", oracle.ask))
        await until_asked(oracle, 1)
        clock.now += 9.0
        oracle.may_answer.set()
        assert await first == 1
        clock.now += 1.0
        assert await memory.recall("a", oracle.ask) == 2

    asyncio.run(scene())


def test_what_is_being_asked_is_not_asked_again_even_when_the_first_goes_away() -> None:
    async def scene() -> None:
        oracle = Oracle()
        memory = remember(Clock())
        oracle.may_answer.clear()
        first, second = (asyncio.ensure_future(memory.recall("a", oracle.ask)) for _ in range(2))
        await until_asked(oracle, 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        oracle.may_answer.set()
        assert await second == 1
        assert oracle.asked == ["a"]

    asyncio.run(scene())


def test_a_failure_is_everybodys_who_waits_and_is_not_remembered() -> None:
    async def scene() -> None:
        oracle = Oracle()
        memory = remember(Clock())
        oracle.is_away = True
        answers = await asyncio.gather(*(memory.recall("a", oracle.ask) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in answers] == [ConnectionError] * 3
        assert len(memory) == 0
        oracle.is_away = False
        assert await memory.recall("a", oracle.ask) == 2

    asyncio.run(scene())


def test_made_up_questions_fill_no_memory() -> None:
    async def scene() -> None:
        oracle = Oracle()
        memory = remember(Clock(), most=10)
        for number in range(1000):
            await memory.recall(str(number), oracle.ask)
            assert len(memory) <= 10
        # The newest is among those that are kept.
        assert await memory.recall("999", oracle.ask) == 1000

    asyncio.run(scene())
