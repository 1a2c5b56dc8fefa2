"""Which of several replicas tells the cluster: a thread that claims a Lease, keeps it, and knows until when."""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from kfambassador.controller.reporting.lease import Candidate, LeaseSettings
from kfambassador.errors import ApiError, Conflict, Forbidden, NotFound
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import LEASE
from kfambassador.problems import Fault, Origin, Problem, Severity

_log = logging.getLogger(__name__)

_CHANCE: Final = random.SystemRandom().random
# A Lease that may not be used is asked for more rarely: permissions come by hand.
_FORBIDDEN_PAUSE: Final = 30.0
#: As little as a request is given; what is left of a term may be less.
SHORTEST_PATIENCE: Final = 0.05


def read_steady_clock() -> float:
    """Give the seconds since any moment: never back, whatever becomes of the time of day, and through sleep as well.

    A machine that slept finds its term over when it wakes.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def make_identity(name: str) -> str:
    """Name a replica so that no other has its name, not even its own successor in the same pod.

    Example:
        >>> make_identity("gateway-0") == make_identity("gateway-0")
        False
    """
    return f"{name}_{uuid.uuid4().hex[:8]}"


class Leadership(Protocol):
    """Whether this replica may tell the cluster anything."""

    @property
    def term(self) -> int:
        """Counts how often it began to."""

    def remaining(self) -> float:
        """Give for how many seconds it still may; 0 when it may not. Costs no more than reading a clock."""


class Alone:
    """The leadership of a gateway that is known to be the only replica: it may always.

    Example:
        >>> Alone().remaining()
        inf
    """

    term = 1

    def remaining(self) -> float:
        """See :meth:`Leadership.remaining`."""
        return float("inf")


class Election:
    """Takes part in an election between ``start`` and ``stop``; gives the Lease up at the end.

    That this replica leads is nowhere noted: it follows from the last renewal and the clock, so it ends by itself even
    where this thread hangs in a request.

    Args:
        client: The cluster; the election makes itself a copy with connections of its own.
        settings: Which Lease.
        identity: What this replica is called; no two may be called the same.
        on_change: Called in the election's thread when a term begins or has ended.
        on_problem: Called there when :attr:`problem` is another.
        clock: Seconds that never go back.
        tell_time: The time of day, for people who read the Lease.
        chance: Gives random numbers in [0, 1), so that replicas do not all look at the same moment.
    """

    def __init__(
        self,
        client: KubeClient,
        settings: LeaseSettings,
        *,
        identity: str,
        on_change: Callable[[], None],
        on_problem: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = read_steady_clock,
        tell_time: Callable[[], str] = lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        chance: Callable[[], float] = _CHANCE,
    ) -> None:
        self.identity = identity
        self._term = 0
        self._settings = settings
        self._client = client.clone(read_timeout=settings.deadline / 2)
        self._candidate = Candidate(settings, identity=identity)
        self._on_change = on_change
        self._on_problem = on_problem
        self._clock = clock
        self._tell_time = tell_time
        self._chance = chance
        self._until = float("-inf")
        self._lease: Manifest | None = None
        self._noticed = 0
        self._problem: Problem | None = None
        self._pause = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kfa-lease", daemon=True)

    @property
    def term(self) -> int:
        """See :attr:`Leadership.term`."""
        return self._term

    @property
    def holder(self) -> str:
        """Who was seen to hold the Lease; "" for nobody."""
        return self._candidate.holder

    @property
    def problem(self) -> Problem | None:
        """What keeps this replica out of the election, with what to do; None when nothing does."""
        return self._problem

    def remaining(self) -> float:
        """See :meth:`Leadership.remaining`."""
        return max(0.0, self._until - self._clock())

    def start(self) -> None:
        """Take part; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Give up the Lease if it is held, so that another replica need not wait.

        Whoever writes by it must have stopped before.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._settings.retry)
        if not self._thread.is_alive() and self.remaining() > 0 and self._lease is not None:
            self._release(self._lease)
        self._client.close()

    def attempt(self) -> float:
        """Look at the Lease, and claim or renew it where that is due.

        Returns:
            Seconds until the next attempt.
        """
        before = self._problem
        try:
            self._claim()
        except Forbidden as error:
            self._note_problem(str(error))
            self._pause = _FORBIDDEN_PAUSE
        except ApiError as error:
            self._lease = None
            if not self._stopping.is_set():
                _log.info("The Lease %s is not to be had at present: %s", self._name, error)
            self._pause = max(self._settings.retry, error.retry_after or 0.0)
        else:
            self._pause = self._settings.retry
        if self._problem != before:
            self._on_problem()
        self._notice()
        return self._next_pause()

    @property
    def _name(self) -> str:
        return f"{self._settings.namespace}/{self._settings.name}"

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = self.attempt()

    def _next_pause(self) -> float:
        remaining = self.remaining()
        if remaining > 0:
            # Not past the end of the term, so that what is being written then is cut off.
            return min(self._pause, remaining)
        return self._pause * (1 + self._chance())

    def _claim(self) -> None:
        """Renew at once what was held a moment ago; look first in any other case."""
        client = self._client
        if (remaining := self.remaining()) > 0:
            client = client.hurried(max(remaining, SHORTEST_PATIENCE))
        lease = self._lease if remaining > 0 else None
        if lease is None:
            lease = self._read(client)
            self._candidate.see(lease, now=self._clock())
            if not self._candidate.may_claim(now=self._clock(), leads=remaining > 0):
                # Another replica has it, whatever this one thought.
                self._lease, self._until, self._problem = None, float("-inf"), None
                return
        self._take(client, lease)

    def _take(self, client: KubeClient, lease: Manifest | None) -> None:
        asked = self._clock()
        wanted = self._candidate.claim(lease, told=self._tell_time())
        self._lease = None
        try:
            stored = client.create(wanted) if lease is None else client.replace(wanted)
        except Conflict:
            # Somebody else was quicker. What that means is for the next look to say.
            return
        except NotFound as error:
            if lease is None:
                self._note_problem(str(error))
            return
        now = self._clock()
        self._candidate.see(stored, now=now)
        until = asked + self._settings.deadline
        if self.remaining() == 0 and until > now:
            self._term += 1
        self._lease, self._until, self._problem = stored, until, None

    def _read(self, client: KubeClient) -> Manifest | None:
        try:
            return client.get(LEASE, self._settings.name, namespace=self._settings.namespace)
        except NotFound:
            return None

    def _notice(self) -> None:
        """Say so when a term began or ended."""
        term = self._term if self.remaining() > 0 else 0
        if term == self._noticed:
            return
        self._noticed = term
        if term:
            _log.info(
                "This replica (%s) tells the cluster from now on: it holds the Lease %s", self.identity, self._name
            )
        else:
            _log.warning("This replica (%s) tells the cluster nothing any more: the Lease is lost", self.identity)
        self._on_change()

    def _note_problem(self, words: str) -> None:
        message = (
            f"no status and no Event is written: replicas agree by the Lease {self._name} on who writes, and it is "
            f"not to be had. {words.rstrip('.')}. A gateway that is a single replica for good needs none: set lease to "
            "false"
        )
        problem = Fault("lease-forbidden", message, severity=Severity.WARNING).at(Origin())
        self._problem = problem

    def _release(self, lease: Manifest) -> None:
        self._until = float("-inf")
        try:
            self._client.hurried(self._settings.retry).replace(self._candidate.release(lease, told=self._tell_time()))
        except ApiError as error:
            _log.info("The Lease %s runs out by itself: %s", self._name, error)
