"""Guards judge what a canary did; a rollout's history is a table."""

from math import inf, nan

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.sdk.traffic.rollout import Guard, Rollout, Step, check_steps
from kfambassador.sdk.traffic.statistics import SplitStatistics

GUARD = Guard(error_rate=0.05, p99_ms=100, min_requests=10)


def seen(requests: int = 100, errors: int = 0, slow: int = 0, **fields: object) -> SplitStatistics:
    times = ((10.0, 1.0, requests - slow), (500.0, 10.0, slow)) if requests else ()
    return SplitStatistics.model_validate(
        {"mappings": ("team/m",), "requests": requests, "server_errors": errors, "times": times, **fields}
    )


@pytest.mark.parametrize(
    ("did", "verdict"),
    [
        (seen(), True),
        (seen(errors=5), True),
        (seen(errors=6), "6 of 100 requests failed (6.0 %), and 5.0 % may"),
        (seen(slow=10), "p99 is 50"),
        (seen(requests=9, errors=9), True),
        (seen(requests=0), True),
        (seen(hidden=True, requests=0), "what it did is not told"),
        (seen(shared_with=("team/other",)), "cannot be told from team/other"),
    ],
)
def test_judges(did: SplitStatistics, verdict: bool | str) -> None:
    judged = GUARD(did)
    assert judged is True if verdict is True else str(verdict) in str(judged)


def test_a_guard_without_a_limit_does_not_look_at_times() -> None:
    assert Guard()(seen(slow=100)) is True


@pytest.mark.parametrize("steps", [[], [10, 5], [5, 5], [-1, 5], [50, 101]])
def test_refuses_steps_that_do_not_grow(steps: list[int]) -> None:
    with pytest.raises(ConfigurationError, match="growing percentages"):
        check_steps(steps, 1.0, promote=True)


@pytest.mark.parametrize("steps", ["10", 5, ["10"], [1.5]])
def test_refuses_steps_that_are_no_whole_numbers(steps: list[int]) -> None:
    with pytest.raises(ConfigurationError, match="growing percentages"):
        check_steps(steps, 1.0, promote=True)


def test_nobody_is_promoted_who_never_got_a_request() -> None:
    with pytest.raises(ConfigurationError, match="steps: with 0 percent a canary gets no request"):
        check_steps([0], 1.0, promote=True)
    check_steps([0], 1.0, promote=False)
    check_steps([0, 1], 1.0, promote=True)


@pytest.mark.parametrize("every", [-1, nan, inf, "5m"])
def test_refuses_a_time_that_is_none(every: float) -> None:
    with pytest.raises(ConfigurationError, match="expected seconds, got"):
        check_steps([5], every, promote=True)


@pytest.mark.parametrize(
    "limits",
    [
        {"error_rate": 5},
        {"error_rate": -0.1},
        {"error_rate": nan},
        {"error_rate": "1%"},
        {"p99_ms": nan},
        {"p99_ms": 0},
        {"min_requests": -1},
    ],
)
def test_refuses_a_limit_that_would_let_everything_pass(limits: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(limits))}: expected"):
        Guard(**limits)  # type: ignore[arg-type]


def test_the_history_is_a_table() -> None:
    steps = (Step(5, seen(requests=0)), Step(10, seen()), Step(50, seen(errors=6), "6 of 100 requests failed"))
    headings, unasked, first, second = repr(Rollout("canary", steps)).splitlines()
    assert headings.split()[:3] == ["SHARE", "REQUESTS", "4XX"]
    assert (first.split()[0], first.split()[-1]) == ("10%", "well")
    assert unasked.endswith("nobody asked")
    assert second.endswith("6 of 100 requests failed")
