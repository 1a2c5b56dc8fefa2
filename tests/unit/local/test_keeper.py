"""How often an Envoy that dies is started anew."""

import pytest

from kfambassador.local.keeper import RestartLimit


@pytest.mark.parametrize(
    ("deaths", "restarted"),
    [
        pytest.param([0, 1, 2], [True, True, True], id="three at once"),
        pytest.param([0, 1, 2, 3], [True, True, True, False], id="a fourth within the minute"),
        pytest.param([0, 1, 2, 60], [True, True, True, True], id="a fourth after the minute"),
        pytest.param([0, 58, 59, 60, 61], [True, True, True, True, False], id="the minute moves on"),
        pytest.param([0, 30, 60, 90, 120, 150], [True] * 6, id="now and then, for ever"),
    ],
)
def test_three_restarts_a_minute(deaths: list[float], restarted: list[bool]) -> None:
    limit = RestartLimit(most=3, within=60)
    assert [limit.allow(now) for now in deaths] == restarted
