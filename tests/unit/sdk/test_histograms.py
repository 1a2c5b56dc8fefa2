"""Percentiles from buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.sdk.traffic.histograms import Bucket, Histogram

_COUNTS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), min_size=1, max_size=20)


def of(*counts: tuple[int, int]) -> Histogram:
    """Buckets a millisecond wide."""
    return Histogram.of((lower, 1, count) for lower, count in counts)


@pytest.mark.parametrize(
    ("counts", "percent", "time"),
    [
        ([], 50, None),
        ([(10, 1)], 0, 10.0),
        ([(10, 1)], 50, 10.5),
        ([(10, 1)], 100, 11.0),
        ([(10, 4)], 25, 10.25),
        ([(10, 50), (20, 50)], 50, 11.0),
        ([(10, 50), (20, 50)], 75, 20.5),
        ([(10, 99), (500, 1)], 99, 11.0),
        ([(10, 99), (500, 1)], 99.5, 500.5),
        ([(20, 1), (10, 1)], 100, 21.0),  # in any order
    ],
)
def test_percentiles(counts: list[tuple[int, int]], percent: float, time: float | None) -> None:
    assert of(*counts).percentile(percent) == time


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan")])
def test_what_is_no_percentile_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        of((10, 1)).percentile(percent)


@given(_COUNTS, st.lists(st.floats(0, 100), min_size=2, max_size=2))
def test_a_percentile_is_within_a_buckets_width_of_the_answer_of_that_rank(
    counts: list[tuple[int, int]], percents: list[float]
) -> None:
    low, high = sorted(percents)
    histogram = of(*counts)
    below, above = histogram.percentile(low), histogram.percentile(high)
    assert below is not None
    assert above is not None
    assert below <= above
    answers = sorted(lower for lower, count in counts for _ in range(count))
    # The answer of that rank, counted from 1; between two of them either will do.
    rank = len(answers) * low / 100
    near = {answers[min(len(answers) - 1, max(0, int(rank + shift)))] for shift in (-1, -1e-9, 0)}
    assert any(lower - 1e-6 <= below <= lower + 1 + 1e-6 for lower in near)


@given(_COUNTS, _COUNTS)
def test_what_was_counted_since_is_what_was_added(before: list[tuple[int, int]], added: list[tuple[int, int]]) -> None:
    assert of(*before, *added).minus(of(*before)) == of(*added)


def test_empty_buckets_are_left_out_and_what_went_back_is_none() -> None:
    assert Histogram.of([(1, 1, 0), (2, 1, 3)]).buckets == (Bucket(2, 1, 3),)
    assert of((1, 3)).minus(of((1, 5))) == Histogram()
    assert of((1, 3), (2, 1)).total == 4
