"""How fast the cluster is written to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.controller.reporting.limits import Limit, TokenBucket


@given(st.lists(st.floats(0, 20), max_size=60))
def test_never_more_is_let_through_than_the_burst_and_what_came_since(gaps: list[float]) -> None:
    limit, now, taken = Limit(burst=5, rate=0.5), 100.0, 0
    bucket = TokenBucket(limit, now=now)
    for gap in gaps:
        now += gap
        taken += bucket.take(now) == 0
        assert taken <= limit.burst + (now - 100.0) * limit.rate + 1e-6


def test_who_waits_as_long_as_is_said_gets_a_token() -> None:
    bucket = TokenBucket(Limit(burst=1, rate=1 / 300), now=0)
    assert bucket.take(0) == 0
    assert bucket.take(10) == pytest.approx(290)
    assert bucket.take(300) == 0


def test_a_clock_that_stands_still_or_goes_back_makes_no_tokens() -> None:
    bucket = TokenBucket(Limit(burst=1, rate=1), now=100)
    assert bucket.take(100) == 0
    assert bucket.take(50) == 1
    assert bucket.take(50) == 1
