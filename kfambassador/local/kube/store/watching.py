"""Watching: every change of a resource, told to whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final, Self

from kfambassador.local.kube.documents.selectors import Selector
from kfambassador.local.kube.store.storage import Change, Record, Store

#: The most changes that are told at once.
BATCH: Final = 500


class Watchers:
    """Those who wait for changes.

    A watcher that is slow holds nothing back and is held nothing back: it takes up the history where it left off, and
    when the history no longer reaches that far it must list again.

    Args:
        store: Where the changes come from.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._is_closing = False
        store.listen(self._wake)

    def close(self) -> None:
        """End all watches."""
        self._is_closing = True
        for waiting in self._waiting.values():
            for event in waiting:
                event.set()

    async def follow(self, resource: str, since: int, *, until: float, beat: float) -> AsyncIterator[list[Change]]:
        """Follow the changes of a resource, in batches.

        Args:
            resource: The resource.
            since: The revision after which to begin.
            until: When to end, on the loop's clock.
            beat: After how many quiet seconds to give an empty batch.

        Raises:
            Compacted: When the history does not reach back that far.
        """
        loop = asyncio.get_running_loop()
        told = loop.time()
        with self._listen(resource) as event, _Alarm(loop, event) as alarm:
            while not self._is_closing:
                event.clear()
                if changes := self._store.changes(resource, since)[:BATCH]:
                    since, told = changes[-1].version, loop.time()
                    yield changes
                    if len(changes) == BATCH:
                        await asyncio.sleep(0)  # others are heard before the next batch
                    continue
                if loop.time() < min(told + beat, until):
                    alarm.set(min(told + beat, until))
                    await event.wait()
                    continue
                told = loop.time()
                yield []
                if told >= until:
                    return

    @contextmanager
    def _listen(self, resource: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        waiting = self._waiting.setdefault(resource, set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)

    def _wake(self, change: Change) -> None:
        for event in self._waiting.get(change.last.key.resource, ()):
            event.set()


class _Alarm:
    """Wakes a watcher at a time, or before: to move a timer with every change would cost more than to look in vain."""

    def __init__(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        self._loop = loop
        self._event = event
        self._timer: asyncio.TimerHandle | None = None

    def set(self, time: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_at(time, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._event.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()


def see_change(change: Change, namespace: str, selector: Selector) -> tuple[str, Record] | None:
    """What a change looks like to a watch of one namespace and selector.

    Returns:
        The type of event and the object, None when the watch does not see it. An object that no longer fits the
        selector is seen as deleted, one that fits from now on as added.
    """
    if namespace and change.last.key.namespace != namespace:
        return None
    was_seen = change.before is not None and (not selector or selector.matches(change.before.document))
    is_seen = change.after is not None and (not selector or selector.matches(change.after.document))
    if not was_seen and not is_seen:
        return None
    if not is_seen:
        return "DELETED", change.last
    return ("MODIFIED" if was_seen else "ADDED"), change.last
