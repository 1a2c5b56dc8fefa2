"""Following one kind of object for ever: a listing, then what happens to it, in a thread.

What to do next is decided by :func:`next_step`, which does nothing itself; the thread only carries it out.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from kfambassador.errors import ApiError, Forbidden, Gone, NotFound, Unauthorized
from kfambassador.kube.kinds import Kind
from kfambassador.kube.objects import Event, EventType, Manifest

if TYPE_CHECKING:
    from kfambassador.kube.client import KubeClient

_CHANCE = random.SystemRandom().random  # a seeded notebook keeps its own numbers

_TOO_MANY: Final = 429
_ENDINGS: Final[Mapping[type[ApiError], str]] = {
    Gone: "expired",
    NotFound: "missing",
    Forbidden: "forbidden",
    Unauthorized: "forbidden",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """The objects of a kind, all of them: forget what was known of it before.

    Attributes:
        kind: The kind.
        items: Its objects; none as well when the cluster does not have the kind.
        resource_version: The moment; "" when the cluster does not have the kind.
    """

    kind: Kind
    # Secrets may be among them: no repr shows what they hold.
    items: tuple[Manifest, ...] = field(repr=False)
    resource_version: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One object came, changed or went."""

    kind: Kind
    event: Event


@dataclass(frozen=True, slots=True)
class Lost:
    """The API cannot be followed at present: what is known of the kind stays, and grows old until it is listed again.

    Attributes:
        kind: The kind.
        error: Why, for a person.
        is_forbidden: Whether it is for want of a permission, which no patience brings.
    """

    kind: Kind
    error: str
    is_forbidden: bool = False


News: TypeAlias = Listed | Changed | Lost


@dataclass(frozen=True, slots=True)
class ReflectorSettings:
    """How patient a reflector is; all in seconds.

    Attributes:
        watch: The server is asked to end a watch after so long; the next one follows at once.
        read_timeout: A connection without a byte for so long is given up. Must be longer than the server's interval
            of bookmarks, which is a minute.
        calm: A watch that lasted so long, or brought something, was a good one: failures are counted anew after it.
        shortest_pause: The least pause after a first failure; it doubles with each further one.
        longest_pause: The longest pause after a failure, unless the server asks for more.
        missing: A kind that the cluster does not have is looked for again after so long.
    """

    watch: float = 300.0
    read_timeout: float = 90.0
    calm: float = 5.0
    shortest_pause: float = 0.1
    longest_pause: float = 30.0
    missing: float = 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """What a reflector does next.

    Attributes:
        since: Where to watch from; None means to list.
        failures: How many steps in a row went wrong before.
        pause: Seconds to wait first.
    """

    since: str | None = None
    failures: int = 0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went.

    Attributes:
        since: The resource version it came to; None when it came to none.
        error: Why it ended; None when it ended in peace.
        is_calm: Whether it was a watch that lasted, or brought something.
    """

    since: str | None = None
    error: ApiError | None = None
    is_calm: bool = False


def next_step(step: Step, outcome: Outcome, *, kind: Kind, settings: ReflectorSettings, chance: float) -> Step:
    """Decide what to do after a step.

    After anything but a peaceful end comes a listing: the server that answers next may be another one, or have lost its
    memory. A listing alone does not make up for failures, or one that expires at once would be repeated without end.

    Args:
        step: What was done.
        outcome: How it went.
        kind: The kind that is followed.
        settings: How patient to be.
        chance: A random number in [0, 1), so that many clients do not come back at the same moment.

    Example:
        >>> from kfambassador.kube.kinds import SERVICE
        >>> settings = ReflectorSettings()
        >>> next_step(Step(), Outcome(since="812"), kind=SERVICE, settings=settings, chance=0.5)
        Step(since='812', failures=0, pause=0.0)
    """
    if _is_missing(kind, step, outcome):
        return Step(pause=settings.missing)
    error = outcome.error
    failures = 0 if outcome.is_calm else step.failures
    if error is None and (outcome.is_calm or step.since is None):
        return Step(since=outcome.since, failures=failures)
    pause = _pause(failures, settings, chance)
    if error is None:
        return Step(since=outcome.since, failures=failures + 1, pause=pause)
    return Step(failures=failures + 1, pause=pause + (error.retry_after or 0.0))


def bad_news(step: Step, outcome: Outcome, *, kind: Kind) -> Listed | Lost | None:
    """Say what a step that went wrong means for what is known.

    A kind that the cluster does not have is no failure: it has no objects. Neither is a watch that came too late.
    """
    if _is_missing(kind, step, outcome):
        return Listed(kind, (), "")
    if outcome.error is None or (isinstance(outcome.error, Gone) and step.since is not None):
        return None
    return Lost(kind, str(outcome.error), is_forbidden=isinstance(outcome.error, Forbidden))


def name_ending(step: Step, outcome: Outcome) -> str:
    """Name why following a kind has to be begun anew, in one of few words; "" after a listing that came whole.

    Example:
        >>> name_ending(Step(since="812"), Outcome(since="900"))
        'ended'
        >>> name_ending(Step(since="812"), Outcome(error=Gone("too old", status=410)))
        'expired'
        >>> name_ending(Step(), Outcome(since="812"))
        ''
    """
    error = outcome.error
    if error is None:
        return "" if step.since is None else "ended"
    for kind, word in _ENDINGS.items():
        if isinstance(error, kind):
            return word
    if error.status is None:
        return "unanswered"
    return "throttled" if error.status == _TOO_MANY else "failed"


def _is_missing(kind: Kind, step: Step, outcome: Outcome) -> bool:
    return kind.is_custom and step.since is None and isinstance(outcome.error, NotFound)


def _pause(failures: int, settings: ReflectorSettings, chance: float) -> float:
    doubled = settings.shortest_pause * 2.0 ** min(failures + 1, 64)
    return min(doubled, settings.longest_pause) * (1 + chance) / 2


class Reflector:
    """A thread that follows one kind of object and tells a sink all that happens to it.

    The sink is called from that thread, one news at a time, and must not raise. A failure is told as :class:`Lost` and
    tried again, for ever; nothing is told of a listing that is not whole. Once :meth:`stop` has returned, the sink is
    not called any more.

    Args:
        client: The API; the reflector makes itself a copy with connections of its own.
        kind: What to follow.
        sink: Who is told.
        namespace: Where; None means in all namespaces.
        label_selector: Follow only objects with these labels; None means all.
        settings: How patient to be.
        chance: Gives random numbers in [0, 1).
        clock: Gives the time in seconds since any moment.

    Attributes:
        kind: What is followed.
        restarts: How often following it was begun anew, by the reason :func:`name_ending` gives. Its thread writes it.
    """

    def __init__(
        self,
        client: "KubeClient",
        kind: Kind,
        sink: Callable[[News], None],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        settings: ReflectorSettings = ReflectorSettings(),
        chance: Callable[[], float] = _CHANCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client.clone(read_timeout=settings.read_timeout)
        self.kind = kind
        self.restarts: Counter[str] = Counter()
        self._sink = sink
        self._namespace = namespace
        self._label_selector = label_selector
        self._settings = settings
        self._chance = chance
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"kfa-watch-{kind.plural}", daemon=True)

    def start(self) -> None:
        """Start following; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following, whatever the thread waits for; may be called twice.

        Only an attempt to connect cannot be interrupted: it ends by itself after five seconds at most, unheard.
        """
        self._stopping.set()
        self._client.close()
        if self._thread.is_alive():
            self._thread.join(timeout=0.5)

    def _run(self) -> None:
        step = Step()
        while not self._stopping.wait(step.pause):
            outcome = self._list() if step.since is None else self._watch(step.since)
            if (news := bad_news(step, outcome, kind=self.kind)) is not None:
                self._tell(news)
            if ending := name_ending(step, outcome):
                self.restarts[ending] += 1
            step = next_step(step, outcome, kind=self.kind, settings=self._settings, chance=self._chance())

    def _list(self) -> Outcome:
        try:
            listing = self._client.list(self.kind, namespace=self._namespace, label_selector=self._label_selector)
        except ApiError as error:
            return Outcome(error=error)
        self._tell(Listed(self.kind, listing.items, listing.resource_version))
        return Outcome(since=listing.resource_version)

    def _watch(self, since: str) -> Outcome:
        started = self._clock()
        seen, failure = since, None
        try:
            for event in self._client.watch(
                self.kind,
                since=since,
                namespace=self._namespace,
                label_selector=self._label_selector,
                timeout=self._settings.watch,
            ):
                seen = event.resource_version
                if event.type is not EventType.BOOKMARK:
                    self._tell(Changed(self.kind, event))
        except ApiError as error:
            failure = error
        return Outcome(seen, failure, is_calm=seen != since or self._clock() - started >= self._settings.calm)

    def _tell(self, news: News) -> None:
        if not self._stopping.is_set():
            self._sink(news)
