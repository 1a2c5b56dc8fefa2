"""What is live of a gateway, for everybody who watches it: one thread for each gateway, as long as somebody does.

It asks the read API only, holds no secret, and never writes anything.
"""

import json
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from kfambassador.errors import KfAmbassadorError
from kfambassador.notebook.answering.desk import tell_error
from kfambassador.notebook.progressing import describe_status
from kfambassador.notebook.rows import Event, TableBuilder, build_figures
from kfambassador.problems import Problem
from kfambassador.routing.describe import Json
from kfambassador.sdk.readiness.progress import watch_progress
from kfambassador.sdk.readiness.status import ExposureStatus
from kfambassador.sdk.views import Generation, Route

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway
    from kfambassador.sdk.traffic.statistics import Statistics

#: Seconds between two readings of what Envoy counts.
INTERVAL: Final = 2.0
#: Seconds between two tables at least: nobody reads faster.
TABLE_INTERVAL: Final = 1.0
#: Seconds a change is waited for where nothing can be counted: without a read API each look lists the whole cluster.
_UNCOUNTED_INTERVAL: Final = 15.0
_LONGEST_PAUSE: Final = 10.0

_CLOSED: Final = "This gateway was closed here: connect() again, and show that."

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Look:
    """A gateway's table at one moment, as it was read.

    Attributes:
        routes: In the order they are evaluated.
        problems: Everything that is wrong.
        event: The same for a route browser.
    """

    routes: Sequence[Route]
    problems: Sequence[Problem]
    event: Event


class Feed:
    """Tells listeners of a gateway's table, figures, publications and connection, whenever they change.

    Listeners are called from the feed's thread, from the caller's of :meth:`subscribe` and :meth:`look`, and from those
    that publish. What they raise is passed over. It ends when nobody listens, and for good when the gateway is closed.

    Args:
        gateway: The gateway.
        interval: Seconds between two readings of what Envoy counts.
    """

    def __init__(self, gateway: "Gateway", *, interval: float = INTERVAL) -> None:
        self.gateway = gateway
        self._interval = interval
        self._patience = interval
        self._lock = Lock()
        self._listeners: list[Listener] = []
        self._newest: dict[str, Event] = {}
        access = gateway._access  # noqa: SLF001 - how it is read, and when it is closed
        told: dict[str, Json] = {"url": gateway.url, "place": str(gateway.place), "namespace": gateway.namespace}
        self._builder = TableBuilder(told, knows_envoy=not access.reader.is_own)
        self._known: Generation | None = None
        self._counted: Statistics | None = None
        self._running: Flag | None = None
        self._is_closed = False
        self._publishing: dict[tuple[str, str], ExposureStatus] = {}
        access.on_close(self.close)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell somebody of everything from now on, beginning with what is known; what is given back ends it."""
        with self._lock:
            if not self._is_closed:
                self._listeners.append(listener)
                self._start()
            newest = list(self._newest.values())
        for event in newest:
            with suppress(Exception):
                listener(event)
        return lambda: self._unsubscribe(listener)

    def close(self) -> None:
        """Say that it is over, and tell nobody any more."""
        with self._lock:
            self._is_closed = True
            self._end()
        self._tell({"kind": "connection", "state": "lost", "words": _CLOSED})
        with self._lock:
            self._listeners.clear()

    def look(self) -> Look:
        """Read the table now, and tell everybody.

        Raises:
            NoGateway: The gateway does not answer.
        """
        # The number first: whatever changes while the rest is read is then read once more.
        generation = self.gateway.await_change()
        return self._read(generation)

    @property
    def is_running(self) -> bool:
        """Whether somebody is told."""
        return self._running is not None

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            with suppress(ValueError):
                self._listeners.remove(listener)
            if not self._listeners:
                self._end()

    def _start(self) -> None:
        if self._running is not None:
            return
        # What was live when somebody last listened is not any more.
        self._counted = None
        self._publishing.clear()
        for kind in ("figures", "progress", "connection"):
            self._newest.pop(kind, None)
        self._running = Flag()
        Thread(target=self._run, args=(self._running,), name="kfa-feed", daemon=True).start()

    def _end(self) -> None:
        if self._running is not None:
            self._running.set()
            self._running = None

    def _read(self, generation: Generation) -> Look:
        routes, problems = self.gateway.routes(), self.gateway.problems()
        with self._lock:
            event = self._builder.build(routes, problems, generation)
            self._known = generation
        self._tell(event)
        return Look(routes, problems, event)

    def _run(self, ended: Flag) -> None:
        stop_watching = watch_progress(self._on_progress)
        failures = 0
        try:
            while not ended.is_set():
                try:
                    self._follow(ended)
                    failures = 0
                except Exception as error:  # noqa: BLE001 - whoever looks at a table must be told that it stands still
                    if ended.is_set():
                        break
                    failures += 1
                    self._tell({"kind": "connection", "state": "lost", "words": tell_error(error)["words"]})
                    ended.wait(min(self._interval * 2 ** (failures - 1), _LONGEST_PAUSE))
        finally:
            stop_watching()

    def _follow(self, ended: Flag) -> None:
        """Wait for a change as long as counts are not due, then tell what is new."""
        started = time.monotonic()
        generation = self.gateway.await_change(self._known, wait=self._patience)
        if ended.is_set():
            return
        self._tell_once({"kind": "connection", "state": "live", "words": ""})
        if generation != self._known:
            self._read(generation)
        self._count()
        # In a burst of changes a table a second is enough.
        ended.wait(max(0.0, TABLE_INTERVAL - (time.monotonic() - started)))

    def _count(self) -> None:
        before = self._counted
        if before is not None and time.time() - before.at < self._interval:
            return
        try:
            now = self.gateway.statistics(used_only=True)
        except KfAmbassadorError:
            # Without a read API the table is known and the counts are not.
            self._patience = max(self._interval, _UNCOUNTED_INTERVAL)
            return
        self._counted, self._patience = now, self._interval
        if before is not None and now.at > before.at:
            self._tell_once(build_figures(now.since(before), seconds=now.at - before.at), but=("at", "seconds"))

    def _on_progress(self, place: tuple[str, str], status: ExposureStatus | None) -> None:
        if status is None:
            self._publishing.pop(place, None)
        else:
            self._publishing[place] = status
        exposures: list[Json] = [describe_status(each) for each in tuple(self._publishing.values())]
        self._tell({"kind": "progress", "exposures": exposures})

    def _tell_once(self, event: Event, *, but: Sequence[str] = ()) -> None:
        """Tell what is another than before; empty figures after empty figures are no news."""
        known = self._newest.get(str(event["kind"]), {})
        is_same = {**known, **dict.fromkeys(but)} == {**event, **dict.fromkeys(but)}
        if not is_same:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._newest[str(event["kind"])] = event
            listeners = tuple(self._listeners)
        for listener in listeners:
            with suppress(Exception):
                listener(event)


_FEEDS: WeakValueDictionary[int, Feed] = WeakValueDictionary()
_FEEDS_LOCK = Lock()


def feed_of(gateway: "Gateway") -> Feed:
    """The one feed of a gateway, which all its browsers share."""
    with _FEEDS_LOCK:
        # The feed holds the gateway, so its identity cannot become another's while the feed is there.
        feed = _FEEDS.get(id(gateway))
        if feed is None:
            feed = _FEEDS[id(gateway)] = Feed(gateway)
        return feed


def pack(event: Event) -> bytes:
    """Write an event small, for what is kept with a widget (RFC 1950)."""
    return zlib.compress(json.dumps(event, separators=(",", ":")).encode(), level=1)
