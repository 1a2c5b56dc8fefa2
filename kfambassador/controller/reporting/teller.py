"""What whoever tells the cluster has in common: a thread, a term, a measured pace, and an end to every write."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from kfambassador.controller.observing import Observer
from kfambassador.controller.reporting.election import SHORTEST_PATIENCE, Alone, Leadership
from kfambassador.controller.reporting.limits import Limit, TokenBucket
from kfambassador.controller.state import Work
from kfambassador.errors import ApiError, Forbidden
from kfambassador.kube.client import KubeClient
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, Severity

_log = logging.getLogger(__name__)

_READ_TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the cluster is written to; in seconds where nothing else is said.

    Attributes:
        limit: How many writes at once, and how many a second after that.
        gather: What changes within so long is looked at together.
        shortest: After a failure nothing is tried for so long; each time it happens again, twice as long.
        longest: The longest of these pauses, unless the API asks for a longer one.
        forbidden: After a refusal for want of a permission nothing is tried for so long.
    """

    limit: Limit
    gather: float = 0.1
    shortest: float = 1.0
    longest: float = 60.0
    forbidden: float = 300.0


@dataclass(slots=True)
class _Newest:
    """What the event loop's thread leaves for the teller's; under the lock."""

    work: Work | None = None
    served: int | None = None


@dataclass(slots=True)
class _Trouble:
    """What keeps the teller from writing."""

    failures: int = 0
    until: float = float("-inf")
    problem: Problem | None = field(default=None)


class Teller(Observer, ABC):
    """Writes to the cluster between ``start`` and ``stop``, in a thread of its own, while its replica leads.

    The event loop's thread tells it what there is, and never waits for it. Whenever a term begins everything is looked
    at anew: another replica may have written meanwhile.

    Args:
        name: What it writes, in words: "Statuses of Mappings".
        thread: What its thread is called.
        client: The cluster; the teller makes itself copies with connections of its own.
        leadership: Whether it may write.
        pace: How fast.
        clock: Seconds that never go back.
        tell_time: The time as Kubernetes writes it; None is the time of day.

    Attributes:
        counts: How many writes went well ("written") or did not ("failed").
        on_problem: Called in the teller's thread when :attr:`problem` is another.
    """

    def __init__(
        self,
        name: str,
        client: KubeClient,
        *,
        thread: str,
        leadership: Leadership | None = None,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
        tell_time: Callable[[], str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.on_problem: Callable[[], None] = _do_nothing
        self._name = name
        self._base = client
        self._client = client.clone(read_timeout=_READ_TIMEOUT)
        self._leadership = leadership or Alone()
        self._pace = pace
        self._clock = clock
        self._tell_time = tell_time or _tell_time
        self._bucket = TokenBucket(pace.limit, now=clock())
        self._lock = threading.Lock()
        self._newest = _Newest()
        self._judged: tuple[Work, int | None] | None = None
        self._trouble = _Trouble()
        self._term = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=thread, daemon=True)

    @property
    def problem(self) -> Problem | None:
        """What keeps it from writing for want of a permission, with what to do; None when nothing does."""
        return self._trouble.problem

    def start(self) -> None:
        """Begin to write; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a write under way is cut off."""
        self._stopping.set()
        self._wake.set()
        with self._lock:
            self._client.close()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def change_leadership(self) -> None:
        """Note that a term began or has ended: what is being written after its end is cut off."""
        if self._leadership.remaining() == 0:
            with self._lock:
                cut, self._client = self._client, self._base.clone(read_timeout=_READ_TIMEOUT)
            cut.close()
        self._wake.set()

    def report(self, work: Work, served: int | None) -> None:
        """Note what was made of what there is, and how far that has come."""
        if work.generation == 0:
            # Nothing was read yet, and whoever begins with nothing takes all that comes for new.
            return
        with self._lock:
            if self._newest.work is work and self._newest.served == served:
                return
            self._newest.work, self._newest.served = work, served
        self._wake.set()

    def write_open(self) -> float | None:
        """Write what is open and may be written now.

        Returns:
            When to come back for the rest, by the clock; None when nothing is left.
        """
        if self._leadership.remaining() == 0:
            return None
        if self._term != self._leadership.term:
            self._term, self._judged = self._leadership.term, None
            self._begin_term()
        return self._write_all()

    @abstractmethod
    def _begin_term(self) -> None:
        """Look at everything anew."""

    @abstractmethod
    def _write_all(self) -> float | None:
        """Write what is open; see :meth:`write_open`."""

    def _run(self) -> None:
        due: float | None = None
        while not self._stopping.is_set():
            self._wake.wait(None if due is None else max(0.0, due - self._clock()))
            self._wake.clear()
            self._stopping.wait(self._pace.gather)
            try:
                due = self.write_open()
            except Exception:  # noqa: BLE001 - a fault of our own must not keep everything else untold for ever
                _log.exception("%s could not be written", self._name)
                due = self._clock() + self._pace.longest

    def _find_affected(self, work: Work | None, served: int | None) -> set[ObjectKey] | None:
        """Find the objects of which something else may be said than last time; None when there is no news at all.

        Of those whose answer waits for an Envoy nothing is said here: any news may be theirs.
        """
        before = self._judged
        if work is None or (before is not None and before[0] is work and before[1] == served):
            return None
        self._judged = (work, served)
        if before is not None and before[0] is work:
            return set()
        known = before[0] if before is not None else Work()
        affected = {key for key, since in work.since.items() if known.since.get(key) != since}
        problems = (*known.compiled.problems, *work.compiled.problems)
        affected.update(problem.origin.object for problem in problems if problem.origin.object is not None)
        return affected

    def _may_write(self) -> float:
        """Say when something may be written, by the clock: now is 0, and takes its token."""
        now = self._clock()
        if self._trouble.until > now:
            return self._trouble.until
        wait = self._bucket.take(now)
        return now + wait if wait else 0.0

    def _connect(self) -> KubeClient | None:
        """Give the client for one write that must not outlive the term; None where the term is over."""
        remaining = self._leadership.remaining()
        if remaining == 0 or self._stopping.is_set():
            return None
        with self._lock:
            return self._client.hurried(max(remaining, SHORTEST_PATIENCE))

    def _succeed(self) -> None:
        self.counts["written"] += 1
        self._change_trouble(_Trouble())

    def _put_off(self, error: ApiError) -> float:
        """Write nothing for a while, as long as the API asks for at least; give until when."""
        now = self._clock()
        if self._stopping.is_set() or self._leadership.remaining() == 0:
            return now
        self.counts["failed"] += 1
        trouble, doubled = self._trouble, self._pace.shortest * 2.0 ** min(self._trouble.failures, 30)
        pause = max(min(doubled, self._pace.longest), error.retry_after or 0.0)
        problem = trouble.problem
        if isinstance(error, Forbidden):
            pause, problem = self._pace.forbidden, self._describe(error)
        else:
            _log.info("%s are written later: %s", self._name, error)
        self._change_trouble(_Trouble(trouble.failures + 1, now + pause, problem))
        return self._trouble.until

    def _change_trouble(self, trouble: _Trouble) -> None:
        is_news = trouble.problem != self._trouble.problem
        self._trouble = trouble
        if is_news:
            self.on_problem()

    def _describe(self, error: Forbidden) -> Problem:
        message = f"{self._name} are not written: {error}"
        return Fault("write-forbidden", message, severity=Severity.WARNING).at(Origin())


def _do_nothing() -> None:
    """Stand for a listener that nobody gave."""


def _tell_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
