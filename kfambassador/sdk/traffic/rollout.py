"""A canary that gets more and more of the requests while it does well, and none when it does not."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from kfambassador.errors import ConfigurationError, Conflict, MappingRejected, RolledBack
from kfambassador.resources.fields import is_number
from kfambassador.sdk.faces.figures import show_rows
from kfambassador.sdk.traffic.statistics import HEADINGS, SplitStatistics, write_row
from kfambassador.tables import write_table

if TYPE_CHECKING:
    from kfambassador.sdk.exposure import Exposure

#: How often it is looked within a step: often enough to end a bad one early.
_LOOKS: Final = 6
_SHORTEST_PAUSE: Final = 0.05
_WHOLE: Final = 100
#: The columns of the table of statistics that tell how a step went.
_COUNTS: Final = slice(2, 11)
_HEADINGS: Final = ("SHARE", *HEADINGS[_COUNTS], "VERDICT")

#: Says whether a canary does well: True, or words that say what is wrong (False is words enough).
Check: TypeAlias = Callable[[SplitStatistics], bool | str]


@dataclass(frozen=True, slots=True)
class Guard:
    """Limits within which a canary does well.

    Attributes:
        error_rate: The largest part of its requests that may end in a server error (5xx), from 0.0 to 1.0.
        p99_ms: How long 99 of 100 requests may take at most, in milliseconds; None does not look.
        min_requests: With fewer requests in a step nothing is judged, and the step passes; with fewer in all steps
            together there is nothing to trust in, and nothing is promoted.

    Raises:
        ConfigurationError: A limit is none.

    Example:
        >>> guard = Guard(error_rate=0.01, p99_ms=250)
        >>> guard(SplitStatistics(mappings=("team/m",), requests=100, server_errors=3))
        '3 of 100 requests failed (3.0 %), and 1.0 % may'
    """

    error_rate: float = 0.01
    p99_ms: float | None = None
    min_requests: int = 1

    def __post_init__(self) -> None:
        # A limit that nothing can exceed would let everything pass.
        if not is_number(self.error_rate) or not 0 <= self.error_rate <= 1:
            words = f"error_rate: expected a part of the requests from 0.0 to 1.0, got {self.error_rate!r}"
            raise ConfigurationError(f"{words}; five percent are 0.05")
        if self.p99_ms is not None and (not is_number(self.p99_ms) or not 0 < self.p99_ms < inf):
            raise ConfigurationError(f"p99_ms: expected milliseconds above 0, got {self.p99_ms!r}; None does not look")
        if not is_number(self.min_requests) or not 0 <= self.min_requests < inf:
            raise ConfigurationError(f"min_requests: expected how many, 0 or more, got {self.min_requests!r}")

    def __call__(self, seen: SplitStatistics) -> bool | str:
        """Judge what a canary did."""
        if blindness := self.find_blindness(seen):
            return blindness
        if seen.requests < self.min_requests or not seen.requests:
            return True
        if seen.error_rate > self.error_rate:
            failed = f"{seen.server_errors} of {seen.requests} requests failed"
            return f"{failed} ({100 * seen.error_rate:.1f} %), and {100 * self.error_rate:.1f} % may"
        if self.p99_ms is not None and seen.p99_ms is not None and seen.p99_ms > self.p99_ms:
            return f"p99 is {seen.p99_ms:.0f} ms, and may be {self.p99_ms:.0f} ms"
        return True

    @staticmethod
    def find_blindness(seen: SplitStatistics) -> str:
        """Say why what a canary did cannot be judged, however much it is; "" where it can."""
        if seen.hidden:
            return "what it did is not told: others' requests are counted with it"
        if seen.shared_with:
            return f"what it did cannot be told from {', '.join(seen.shared_with)}, which has the same server"
        return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rollout.

    Attributes:
        weight: The canary's share in percent.
        seen: What it did in that time.
        verdict: What is wrong; "" when nothing is.
    """

    weight: int
    seen: SplitStatistics
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What happened at each step; printed, it is a table.

    Attributes:
        variant: The variant.
        steps: One for each share, in order.
        promoted: Whether it is the stable server now.

    Example:
        >>> Rollout("canary", (Step(5, SplitStatistics(mappings=("team/m",), requests=40)),), promoted=True)
        SHARE  REQUESTS  4XX  5XX  TIMEOUTS  ERRORS  VERDICT
        5%     40        0    0    0         0.0%    well
    """

    variant: str
    steps: tuple[Step, ...] = field(repr=False)
    promoted: bool = False

    def __repr__(self) -> str:
        return write_table(_HEADINGS, self._rows())

    def _repr_html_(self) -> str:
        return show_rows(f"Rollout of {self.variant}", _HEADINGS, self._rows(), empty="no step was taken")

    def _rows(self) -> list[tuple[str, ...]]:
        return [(f"{step.weight}%", *write_row(step.seen)[_COUNTS], _judge(step)) for step in self.steps]


def _judge(step: Step) -> str:
    return step.verdict or ("well" if step.seen.requests else "nobody asked")


class _Pause(Protocol):
    def __call__(self, seconds: float, /) -> object: ...


def run_rollout(
    exposure: "Exposure",
    steps: Sequence[int],
    every: float,
    *,
    check: Check | None,
    variant: str,
    promote: bool,
    pause: _Pause = time.sleep,
) -> Rollout:
    """Give a canary more and more of the requests; see :meth:`~kfambassador.sdk.exposure.Exposure.rollout`.

    Whatever ends it early, Ctrl-C too, sends all requests to the stable server again.
    """
    check_steps(steps, every, promote=promote)
    judge = _read_check(check)
    done: list[Step] = []
    is_promoting = False
    try:
        for weight in steps:
            exposure.canary(weight=weight, variant=variant)
            done.append(_watch(exposure, weight, every, judge=judge, variant=variant, pause=pause))
            if done[-1].verdict:
                break
        verdict = done[-1].verdict or _ask_for_more(judge, done)
        if not verdict:
            if promote:
                is_promoting = True
                exposure.promote(variant)
            return Rollout(variant, tuple(done), promoted=promote)
    except BaseException as error:
        # Where somebody else took the canary away, an older promotion is not ours to take back.
        is_promoted = is_promoting and not isinstance(error, MappingRejected | Conflict)
        exposure.rollback(None if is_promoted else variant)
        raise
    exposure.rollback(variant)
    done[-1] = replace(done[-1], verdict=verdict)
    history = Rollout(variant, tuple(done))
    raise RolledBack(f"{exposure.name}: {variant} was rolled back at {done[-1].weight} %: {verdict}", history=history)


def _ask_for_more(judge: Check, done: Sequence[Step]) -> str:
    """Say that too few requests came to trust a variant; "" when enough did, or the caller's own check is content."""
    seen = sum(step.seen.requests for step in done)
    if not isinstance(judge, Guard) or seen >= judge.min_requests:
        return ""
    return (
        f"only {seen} requests came in all its steps, and {judge.min_requests} are wanted to judge it by: watch longer "
        "with every=, or say Guard(min_requests=0)"
    )


def _watch(exposure: "Exposure", weight: int, every: float, *, judge: Check, variant: str, pause: _Pause) -> Step:
    """Watch one step; end it as soon as something is wrong."""
    start = exposure.statistics(variant=variant)
    deadline = time.monotonic() + every
    while True:
        left = deadline - time.monotonic()
        pause(max(0.0, min(left, max(_SHORTEST_PAUSE, every / _LOOKS))))
        seen = exposure.statistics(variant=variant).since(start).total
        verdict = judge(seen)
        words = _read_verdict(verdict)
        if words or time.monotonic() >= deadline:
            return Step(weight, seen, words)


def _read_check(check: Check | None) -> Check:
    """Give the check, the usual Guard for None; refuse what would be called in vain."""
    if check is None:
        return Guard()
    given: object = check
    if isinstance(given, type) or not callable(given):
        shown = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        raise ConfigurationError(f"while_: expected Guard(...) or a function of what was seen, got {shown}")
    return check


def _read_verdict(verdict: object) -> str:
    """Say what is wrong; whatever is neither true nor words is no word of trust."""
    if isinstance(verdict, str):
        return verdict
    # Compared, because numpy has truth values of its own.
    if verdict == True:  # noqa: E712
        return ""
    return "the check said no" if not verdict else f"the check gave {verdict!r}, which is neither True nor words"


def check_steps(steps: Sequence[int], every: float, *, promote: bool) -> None:
    """Refuse steps that do not grow, those after which nothing is known of who is promoted, and a time that is none.

    Raises:
        ConfigurationError: They are refused.
    """
    if not _are_percentages(steps) or list(steps) != sorted(set(steps)):
        raise ConfigurationError(f"steps: expected growing percentages from 0 to 100, got {steps!r}")
    if promote and steps[-1] == 0:
        words = "with 0 percent a canary gets no request, so it would be promoted unseen: add a share above 0"
        raise ConfigurationError(f"steps: {words}, or say promote=False")
    if not is_number(every) or not 0 <= every < inf:
        raise ConfigurationError(f"every: expected seconds, got {every!r}")


def _are_percentages(steps: object) -> bool:
    if not isinstance(steps, Sequence) or isinstance(steps, str | bytes) or not steps:
        return False
    return all(isinstance(step, int) and not isinstance(step, bool) and 0 <= step <= _WHOLE for step in steps)
