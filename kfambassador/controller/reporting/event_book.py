"""Which Events are due: what was told of each object, how often, and when it is to be told again. Does no I/O."""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kfambassador.controller.reporting.events import MENDED, WARNING, Remark
from kfambassador.controller.reporting.limits import Limit, TokenBucket
from kfambassador.problems import ObjectKey

#: How often, in seconds, what is still wrong is told again in a cluster, which keeps an Event for an hour.
CLUSTER_REPEAT: Final = 1800.0

#: Of what was told of one object and holds no more, so much is remembered.
_MOST_PAST: Final = 25


@dataclass(frozen=True, slots=True)
class EventPace:
    """How fast Events are written on one object.

    Attributes:
        each: How many; client-go's own limit.
        repeat: Seconds after which a problem that is still there is told again, by a higher count; None never tells it
            again.
    """

    each: Limit = field(default_factory=lambda: Limit(burst=25, rate=1 / 300))
    repeat: float | None = None


@dataclass(slots=True)
class Entry:
    """A remark about an object, and how far telling it has come.

    Attributes:
        key: The object.
        remark: What is told.
        due: When it is to be told, by the clock; None when there is nothing more to do.
        count: How often it was told; 0 when it was not, or when that is not known.
        may_exist: Whether it may have been told before this term; then it need not be told again.
    """

    key: ObjectKey
    remark: Remark
    due: float | None
    count: int = 0
    may_exist: bool = False


@dataclass(slots=True)
class _Account:
    """What is told of one object."""

    uid: str
    bucket: TokenBucket
    entries: dict[Remark, Entry] = field(default_factory=dict)
    # How often what holds no more was told: it may come back.
    past: dict[Remark, int] = field(default_factory=dict)
    warned: bool = False


class EventBook:
    """Keeps an account of each object with problems. Belongs to one thread.

    Args:
        pace: How fast on one object, and how often again.

    Example:
        >>> key = ObjectKey("Service", "team", "iris")
        >>> book = EventBook(EventPace(repeat=60))
        >>> book.note(key, "uid", [Remark(WARNING, "WrongType", "expected a number", "spec")], now=0, may_exist=False)
        >>> entry = book.next(0)
        >>> entry.remark.reason
        'WrongType'
        >>> book.settle(entry, now=0, count=1)
        >>> book.next(0) is None, book.next_due(), book.next(60).count
        (True, 60, 1)
    """

    def __init__(self, pace: EventPace) -> None:
        self._pace = pace
        self._accounts: dict[ObjectKey, _Account] = {}
        # By when it is due; what was put off or taken back meanwhile is passed over.
        self._heap: list[tuple[float, int, Entry]] = []
        self._numbers = itertools.count()

    def clear(self) -> None:
        """Forget everything."""
        self._accounts.clear()
        self._heap.clear()

    def forget(self, key: ObjectKey) -> None:
        """Forget an object that is gone, or says nothing any more."""
        account = self._accounts.pop(key, None)
        if account is not None:
            for entry in account.entries.values():
                entry.due = None

    def mending(self) -> list[ObjectKey]:
        """List the objects that a problem was told of and that have none now."""
        return [key for key, account in self._accounts.items() if account.warned and not account.entries]

    def note(self, key: ObjectKey, uid: str, wanted: Sequence[Remark], *, now: float, may_exist: bool) -> None:
        """Note all that is to be told of an object.

        Args:
            key: Which object.
            uid: Its uid: another object of the same name begins anew.
            wanted: What is wrong with it.
            now: The time.
            may_exist: Whether this may have been told before this term.
        """
        account = self._accounts.get(key)
        if account is not None and account.uid != uid:
            self.forget(key)
            account = None
        if account is None:
            if not wanted:
                return
            account = self._accounts[key] = _Account(uid, TokenBucket(self._pace.each, now=now))
        for each in [each for each in account.entries if each not in wanted and (wanted or each is not MENDED)]:
            self._end(account, each)
        for each in wanted:
            if each not in account.entries:
                self._begin(account, Entry(key, each, now, account.past.pop(each, 0), may_exist))

    def note_mended(self, key: ObjectKey, *, now: float) -> None:
        """Note that nothing is wrong with an object any more, and that it is served."""
        account = self._accounts[key]
        account.warned = False
        self._begin(account, Entry(key, MENDED, now, account.past.pop(MENDED, 0)))

    def next(self, now: float) -> Entry | None:
        """Give what is to be told next, None when nothing is due. What its object's limit forbids is put off."""
        while self._heap and self._heap[0][0] <= now:
            due, _, entry = self._heap[0]
            if entry.due != due:
                heapq.heappop(self._heap)
            elif wait := self._accounts[entry.key].bucket.wait(now):
                heapq.heappop(self._heap)
                self._put(entry, now + wait)
            else:
                return entry
        return None

    def next_due(self) -> float | None:
        """Give when something is due, None when nothing will be."""
        while self._heap and self._heap[0][2].due != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def settle(self, entry: Entry, *, now: float, count: int, wrote: bool = True) -> None:
        """Note that an entry was told, or need not be.

        Args:
            entry: Which.
            now: The time.
            count: How often it was told by now; 0 when that is not known.
            wrote: Whether something was written for it.
        """
        account = self._accounts[entry.key]
        entry.count, entry.may_exist = count, False
        account.warned |= entry.remark.kind == WARNING
        if wrote:
            account.bucket.take(now)
        repeats = self._pace.repeat is not None and entry.remark.kind == WARNING
        self._put(entry, now + (self._pace.repeat or 0.0) if repeats else None)

    def _begin(self, account: _Account, entry: Entry) -> None:
        account.entries[entry.remark] = entry
        self._put(entry, entry.due)

    def _end(self, account: _Account, told: Remark) -> None:
        entry = account.entries.pop(told)
        entry.due = None
        account.past[told] = entry.count
        for oldest in [*account.past][:-_MOST_PAST]:
            del account.past[oldest]

    def _put(self, entry: Entry, due: float | None) -> None:
        entry.due = due
        if due is not None:
            heapq.heappush(self._heap, (due, next(self._numbers), entry))
