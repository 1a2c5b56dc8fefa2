"""Trying again when the service fails."""

import pytest
from pydantic import ValidationError

from kfambassador.resources.validation import describe_refusals
from tests.builders import mapping
from tests.unit.attributes.messages import route_of


def test_nothing_is_tried_again_unless_somebody_says_so() -> None:
    assert not route_of().route.HasField("retry_policy")


@pytest.mark.parametrize("conditions", ["5xx, connect-failure", ["5xx", "connect-failure"], ("5xx", "connect-failure")])
def test_conditions_are_text_or_a_list(conditions: object) -> None:
    assert route_of(retry_policy={"retry_on": conditions}).route.retry_policy.retry_on == "5xx,connect-failure"


def test_a_policy_in_full() -> None:
    written = {
        "retry_on": "retriable-status-codes",
        "num_retries": 3,
        "per_try_timeout": "0.150s",
        "retriable_status_codes": [409, 429],
    }
    policy = route_of(retry_policy=written).route.retry_policy
    assert policy.num_retries.value == 3
    assert policy.per_try_timeout.ToMilliseconds() == 150
    assert list(policy.retriable_status_codes) == [409, 429]


def test_what_is_not_said_is_left_to_envoy() -> None:
    policy = route_of(retry_policy={"retry_on": "5xx"}).route.retry_policy
    assert not policy.HasField("num_retries")
    assert not policy.HasField("per_try_timeout")


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ({}, "retry_policy"),
        ({"retry_on": ""}, "retry_policy.retry_on"),
        ({"retry_on": "5xx", "num_retries": -1}, "retry_policy.num_retries"),
        ({"retry_on": "5xx", "num_retries": 2**32}, "retry_policy.num_retries"),
        ({"retry_on": "5xx", "per_try_timeout": 3}, "retry_policy.per_try_timeout"),
        ({"retry_on": "5xx", "per_try_timeout": "3"}, "retry_policy.per_try_timeout"),
        ({"retry_on": "5xx", "per_try_timeout": "-3s"}, "retry_policy.per_try_timeout"),
        ({"retry_on": "5xx", "retriable_status_codes": [600]}, "retry_policy.retriable_status_codes[0]"),
        ({"retry_on": "5xx", "retries": 3}, "retry_policy.retries"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(policy: dict[str, object], path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        mapping(retry_policy=policy)
    assert [fault.path for fault in describe_refusals(caught.value, {"retry_policy": policy})] == [path]
