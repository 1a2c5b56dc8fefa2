"""Turns: writes one after another, long ones beside the loop."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from kfambassador.local.kube.store.storage import Change, Key, Record, Store
from kfambassador.local.kube.store.turns import Turns

MAP = Key("maps", "a", "x")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None, indexes={})
    yield opened
    opened.close()


def yes() -> bool:
    return True


def no() -> bool:
    return False


class LongWrite:
    """A write that ends when it is let go."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._may_end = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self) -> Record:
        self._store.put(MAP, {"value": "begun"})
        self.has_begun.set()
        assert self._may_end.wait(30)
        return self._store.put(MAP, {"value": "ended"})

    def let_go(self) -> None:
        self._may_end.set()


@asynccontextmanager
async def under_way(turns: Turns, write: LongWrite) -> AsyncIterator["asyncio.Task[Record]"]:
    task = asyncio.create_task(turns.take(write, is_long=yes))
    assert await asyncio.to_thread(write.has_begun.wait, 30)
    try:
        yield task
    finally:
        write.let_go()


def value(store: Store) -> str:
    record = store.get(MAP)
    assert record
    return str(record.document["value"])


def putting(store: Store, text: str) -> Callable[[], Record]:
    return lambda: store.put(MAP, {"value": text})


def test_the_loop_goes_on_while_a_long_write_is_under_way(store: Store) -> None:
    async def play() -> None:
        turns, write = Turns(store), LongWrite(store)
        async with under_way(turns, write) as task:
            assert value(store) == "begun"
            assert not task.done()
        assert (await task).version == 2
        assert value(store) == "ended"

    asyncio.run(play())


def test_whatever_a_long_write_changes_is_changed_on_the_loop(store: Store) -> None:
    threads: set[int] = set()
    store.listen(lambda _: threads.add(threading.get_ident()))

    async def play() -> None:
        turns, write = Turns(store), LongWrite(store)
        write.let_go()
        await turns.take(write, is_long=yes)

    asyncio.run(play())
    assert threads == {threading.get_ident()}


def test_what_a_listener_makes_of_a_change_is_made_with_it(store: Store) -> None:
    other = Key("maps", "a", "other")

    def follow(change: Change) -> None:
        if change.last.key == MAP:
            store.put(other, {"seen": change.version})

    store.listen(follow)

    async def play() -> Record:
        return await Turns(store).take(putting(store, "x"), is_long=yes)

    record = asyncio.run(play())
    followed = store.get(other)
    assert followed
    assert (record.version, followed.version) == (1, 2)


def test_writes_are_made_in_the_order_they_come(store: Store) -> None:
    async def play() -> list[int]:
        turns, write = Turns(store), LongWrite(store)
        async with under_way(turns, write):
            others = [
                asyncio.create_task(turns.take(putting(store, str(number)), is_long=yes if number % 2 else no))
                for number in range(6)
            ]
            await asyncio.sleep(0)
            assert not any(other.done() for other in others)
        return [(await other).version for other in others]

    assert asyncio.run(play()) == [3, 4, 5, 6, 7, 8]


def test_a_long_write_goes_on_when_nobody_waits_for_it_and_others_have_their_turn_after_it(store: Store) -> None:
    async def play() -> int:
        turns, write = Turns(store), LongWrite(store)
        async with under_way(turns, write) as task:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()
            after = asyncio.create_task(turns.take(putting(store, "after"), is_long=no))
            await asyncio.sleep(0)
            assert not after.done()
        return (await after).version

    assert asyncio.run(play()) == 3
    assert [change.last.document["value"] for change in store.changes("maps", 0)] == ["begun", "ended", "after"]


def test_who_gives_up_waiting_leaves_the_turn_to_the_next(store: Store) -> None:
    async def play() -> None:
        turns, write = Turns(store), LongWrite(store)
        async with under_way(turns, write):
            first, second = (asyncio.create_task(turns.take(putting(store, text), is_long=no)) for text in "12")
            await asyncio.sleep(0)
            first.cancel()
        await second

    asyncio.run(play())
    assert value(store) == "2"
    assert store.revision == 3


@pytest.mark.parametrize("is_long", [yes, no])
def test_a_write_that_fails_tells_who_waits_and_ends_its_turn(store: Store, is_long: Callable[[], bool]) -> None:
    def fail() -> None:
        message = "no"
        raise ValueError(message)

    async def play() -> None:
        turns = Turns(store)
        with pytest.raises(ValueError, match="no"):
            await turns.take(fail, is_long=is_long)
        await turns.take(putting(store, "next"), is_long=is_long)

    asyncio.run(play())
    assert value(store) == "next"


def test_what_goes_wrong_with_a_change_goes_wrong_for_the_write(store: Store) -> None:
    def fail(_change: object) -> None:
        message = "a listener fails"
        raise ValueError(message)

    store.listen(fail)

    async def play() -> None:
        with pytest.raises(ValueError, match="a listener fails"):
            await Turns(store).take(putting(store, "x"), is_long=yes)

    asyncio.run(play())


def test_while_a_long_write_computes_threads_switch_often_and_afterwards_as_before(store: Store) -> None:
    before = sys.getswitchinterval()

    async def play() -> None:
        turns, write = Turns(store), LongWrite(store)
        async with under_way(turns, write) as task:
            assert sys.getswitchinterval() < before
        await task

    asyncio.run(play())
    assert sys.getswitchinterval() == before
