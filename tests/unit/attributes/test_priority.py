"""Which of the service's connection limits a request counts against."""

import pytest

from tests.unit.attributes.messages import route_of


@pytest.mark.parametrize(("priority", "number"), [("high", 1), ("default", 0), (None, 0)])
def test_the_priority_is_the_routes(priority: str | None, number: int) -> None:
    assert route_of(priority=priority).route.priority == number
