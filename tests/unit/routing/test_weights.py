"""Shares of mappings that compete: always a whole, with 0 and 100 exact."""

import pytest

from kfambassador.routing.weights import build_shares, is_rescaled


@pytest.mark.parametrize(
    ("weights", "shares", "rescaled"),
    [
        pytest.param([None], [100], False, id="alone"),
        pytest.param([10], [100], False, id="alone, whatever its weight"),
        pytest.param([0], [100], False, id="alone, even with none"),
        pytest.param([10, None], [10, 90], False, id="a canary"),
        pytest.param([None, 10], [90, 10], False, id="a canary, the other way round"),
        pytest.param([None, None], [50, 50], False, id="two alike"),
        pytest.param([None, None, None], [34, 33, 33], False, id="three alike"),
        pytest.param([10, 20, None], [10, 20, 70], False, id="two canaries"),
        pytest.param([10, None, None], [10, 45, 45], False, id="the rest is shared"),
        pytest.param([100, None], [100, 0], False, id="a rollout that is done"),
        pytest.param([0, None], [0, 100], False, id="a rollout that has not begun"),
        pytest.param([40, 60], [40, 60], False, id="a whole as written"),
        # In Ambassador these two lose requests: 60 of 100 find no route, and in the other all fractions stay 0.
        pytest.param([30, 10], [75, 25], True, id="no gap"),
        pytest.param([100, 100], [50, 50], True, id="no outage"),
        pytest.param([60, 60], [50, 50], True, id="too much"),
        pytest.param([60, 60, None], [50, 50, 0], True, id="too much, and nothing left"),
        pytest.param([100, 0], [100, 0], False, id="all and nothing"),
        pytest.param([0, 0], [50, 50], True, id="nothing and nothing"),
        pytest.param([1, 1, 1], [34, 33, 33], True, id="thirds"),
        pytest.param([1, 0, 2], [33, 0, 67], True, id="nothing stays nothing"),
    ],
)
def test_shares(weights: list[int | None], shares: list[int], rescaled: bool) -> None:
    assert list(build_shares(weights)) == shares
    assert is_rescaled(weights) is rescaled


def test_more_members_than_percents() -> None:
    shares = build_shares([None] * 150)
    assert sum(shares) == 100
    assert set(shares) == {0, 1}
