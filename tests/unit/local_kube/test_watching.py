"""Watching: changes in batches, and a beat where it is quiet."""

import asyncio
from collections.abc import Iterator

import pytest

from kfambassador.local.kube.store.storage import Key, Store
from kfambassador.local.kube.store.watching import BATCH, Watchers


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None, indexes={})
    yield opened
    opened.close()


def put(store: Store, number: int = 1) -> None:
    for each in range(number):
        store.put(Key("maps", "a", f"x{each}"), {"value": each})


async def follow(store: Store, *, seconds: float, beat: float) -> list[list[int]]:
    """The versions a watcher is told, batch by batch, until the end."""
    until = asyncio.get_running_loop().time() + seconds
    batches = Watchers(store).follow("maps", 0, until=until, beat=beat)
    return [[change.version for change in batch] async for batch in batches]


def test_many_changes_are_told_in_batches_and_in_their_order(store: Store) -> None:
    put(store, 2 * BATCH + 1)
    told = asyncio.run(follow(store, seconds=0.01, beat=60))
    assert [len(batch) for batch in told] == [BATCH, BATCH, 1, 0]
    assert [version for batch in told for version in batch] == list(range(1, 2 * BATCH + 2))


def test_others_are_heard_between_two_batches(store: Store) -> None:
    put(store, 2 * BATCH)
    heard: list[int] = []

    async def play() -> None:
        watcher = Watchers(store).follow("maps", 0, until=asyncio.get_running_loop().time() + 60, beat=60)
        await anext(watcher)
        asyncio.get_running_loop().call_soon(heard.append, 1)
        await anext(watcher)
        await watcher.aclose()  # type: ignore[attr-defined]  # it is a generator

    asyncio.run(play())
    assert heard == [1]


def test_a_quiet_watch_is_told_nothing_again_and_again(store: Store) -> None:
    told = asyncio.run(follow(store, seconds=0.2, beat=0.01))
    assert len(told) > 2
    assert not any(told)


def test_a_change_puts_the_next_beat_off_and_ends_none(store: Store) -> None:
    async def play() -> list[list[int]]:
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, put, store)
        return await follow(store, seconds=0.3, beat=0.1)

    told = asyncio.run(play())
    assert told[0] == [1]
    assert told[1:]
    assert not any(told[1:])


def test_a_watch_ends_when_all_do(store: Store) -> None:
    async def play() -> list[object]:
        watchers = Watchers(store)
        asyncio.get_running_loop().call_soon(watchers.close)
        until = asyncio.get_running_loop().time() + 60
        return [batch async for batch in watchers.follow("maps", 0, until=until, beat=60)]

    assert asyncio.run(play()) == []
