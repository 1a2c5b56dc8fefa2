"""How much of the service is used at once."""

import pytest
from pydantic import ValidationError

from kfambassador.resources.legacy import CircuitBreaker
from tests.builders import mapping
from tests.unit.attributes.messages import cluster_of


def test_only_what_is_said_is_told() -> None:
    first, second = cluster_of(
        circuit_breakers=[
            {"max_connections": 1, "max_pending_requests": 2, "max_requests": 3, "max_retries": 0},
            {"priority": "high", "max_requests": 2**32 - 1},
        ]
    ).circuit_breakers.thresholds
    limits = (first.max_connections, first.max_pending_requests, first.max_requests, first.max_retries)
    assert [limit.value for limit in limits] == [1, 2, 3, 0]
    assert first.HasField("max_retries")
    assert (first.priority, second.priority) == (0, 1)
    assert second.max_requests.value == 2**32 - 1
    assert not second.HasField("max_connections")


def test_without_limits_nothing_is_told() -> None:
    assert not cluster_of().HasField("circuit_breakers")
    assert not cluster_of(circuit_breakers=[]).HasField("circuit_breakers")


def test_a_single_entry_needs_no_list() -> None:
    assert mapping(circuit_breakers={"max_requests": 1}) == mapping(circuit_breakers=[{"max_requests": 1}])


def test_limits_by_name_are_said_in_todays_words() -> None:
    (limits,) = CircuitBreaker(name="n", max_connections=1, max_requests=2, max_pending=3, max_retries=4).as_limits()
    assert limits.model_dump() == {
        "priority": "default",
        "max_connections": 1,
        "max_pending_requests": 3,
        "max_requests": 2,
        "max_retries": 4,
    }


@pytest.mark.parametrize(
    "entry", [{"max_requests": -1}, {"max_requests": 2**32}, {"priority": "low"}, {"max_pending": 1}, 5]
)
def test_what_is_no_limit_is_refused(entry: object) -> None:
    with pytest.raises(ValidationError):
        mapping(circuit_breakers=[entry])
