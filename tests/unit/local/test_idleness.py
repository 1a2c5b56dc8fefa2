"""When a gateway may end: moments in seconds, what was seen at each, and when it is over."""

from typing import TypeAlias

import pytest

from kfambassador.local.idleness import Idleness

Look: TypeAlias = tuple[float, bool, str]

LIMIT = 60.0


@pytest.mark.parametrize(
    ("looks", "over_at"),
    [
        pytest.param([], 60, id="never looked at"),
        pytest.param([(10, False, "")], 70, id="the first look tells nothing yet"),
        pytest.param([(10, False, "a"), (20, False, "a"), (30, False, "a")], 70, id="nothing happens"),
        pytest.param([(10, False, "a"), (50, False, "b")], 110, id="a request"),
        pytest.param([(10, False, "a"), (50, False, "b"), (55, False, "a")], 115, id="a count that began anew"),
        pytest.param([(10, False, "a"), (300, True, "a")], 360, id="a process that holds a lease"),
        pytest.param([(10, True, "a"), (20, False, "a")], 70, id="a process that held one"),
    ],
)
def test_it_is_over_so_long_after_the_last_use(looks: list[Look], over_at: float) -> None:
    idleness = Idleness(limit=LIMIT, now=0)
    for now, leased, activity in looks:
        idleness.note(now, leased=leased, activity=activity)
    assert not idleness.is_over(over_at - 0.1)
    assert idleness.is_over(over_at)
