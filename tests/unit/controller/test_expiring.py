"""When the loop wakes up because something expires, and what it then knows of each source."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kfambassador.controller.expiring import LONGEST_SLEEP, Alarm
from kfambassador.controller.state import SourceState, Work, follow_sources
from kfambassador.problems import ObjectKey
from kfambassador.resources.meta import ResourceSet

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY, OTHER = ObjectKey("Service", "team", "m"), ObjectKey("Service", "team", "n")


@dataclass
class Bed:
    """An alarm, a wall clock that anybody may set, and a timer that goes off when it is told to."""

    now: datetime = NOON
    rung: int = 0
    pending: list[float] = field(default_factory=list)
    asleep: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.alarm = Alarm(self.ring, wall=lambda: self.now, later=self.later)

    def ring(self) -> None:
        self.rung += 1

    def later(self, seconds: float, action: Callable[[], None]) -> "Bed":
        self.pending.append(seconds)
        self.asleep = action
        return self

    def cancel(self) -> None:
        self.pending.pop()
        self.asleep = None

    def wake(self) -> None:
        action, self.asleep = self.asleep, None
        assert action is not None
        action()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_with_nothing_that_expires_there_is_no_timer() -> None:
    bed = Bed()
    bed.alarm.set([], NOON)
    assert bed.pending == []


def test_it_rings_at_the_next_moment_and_not_before() -> None:
    bed = Bed()
    bed.alarm.set([after(30), after(7), after(-5)], NOON)
    assert (bed.pending, bed.rung) == ([7.0], 0)
    # A timer that goes off a little early, since it runs by another clock, sleeps on.
    bed.now = after(6.75)
    bed.wake()
    assert (bed.pending, bed.rung) == ([0.25], 0)
    bed.now = after(7)
    bed.wake()
    assert bed.rung == 1


def test_whoever_judges_anew_sets_it_again() -> None:
    bed = Bed()
    bed.alarm.set([after(7), after(30)], NOON)
    bed.now = after(7)
    bed.wake()
    bed.alarm.set([after(7), after(30)], bed.now)
    assert (bed.pending[-1], bed.rung) == (23.0, 1)


def test_a_moment_that_comes_while_one_judges_is_not_missed() -> None:
    bed = Bed(now=after(1))
    bed.alarm.set([after(0.5)], NOON)
    assert bed.rung == 1


def test_the_clock_is_looked_at_every_minute_and_may_have_jumped() -> None:
    bed = Bed()
    bed.alarm.set([after(86_400)], NOON)
    assert bed.pending == [LONGEST_SLEEP]
    bed.wake()
    assert (bed.pending, bed.rung) == ([LONGEST_SLEEP], 0)
    bed.now = after(90_000)
    bed.wake()
    assert bed.rung == 1


def test_a_clock_that_is_set_back_brings_back_what_expired() -> None:
    bed = Bed(now=after(10))
    bed.alarm.set([after(5)], bed.now)
    assert (bed.pending, bed.rung) == ([LONGEST_SLEEP], 0)
    bed.now = NOON
    bed.wake()
    assert bed.rung == 1


def test_only_the_last_timer_counts_and_none_after_the_end() -> None:
    bed = Bed()
    bed.alarm.set([after(7)], NOON)
    bed.alarm.set([after(3)], NOON)
    assert bed.pending == [3.0]
    bed.alarm.cancel()
    assert (bed.pending, bed.asleep) == ([], None)


def test_a_source_that_expires_is_undecided_until_envoy_has_heard_of_it() -> None:
    before = Work(ResourceSet(sources={KEY: "5", OTHER: "6"}, generation=3), since={KEY: 1, OTHER: 2})
    over = ResourceSet(sources={KEY: "5", OTHER: "6"}, expired=frozenset({KEY}), generation=4)
    since = follow_sources(before, over)
    assert since == {KEY: 4, OTHER: 2}
    after_it = Work(over, since=since)
    assert after_it.source(KEY, served=3).state is SourceState.PENDING
    assert after_it.source(KEY, served=4).is_decided
    assert follow_sources(after_it, ResourceSet(sources={KEY: "5"}, expired=frozenset({KEY}), generation=5)) == {KEY: 4}
    assert follow_sources(after_it, ResourceSet(sources={KEY: "5"}, generation=5)) == {KEY: 5}
