"""When an endpoint that fails is left alone for a while."""

import pytest
from pydantic import ValidationError

from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.resources.legacy import OutlierDetection
from tests.builders import mapping
from tests.unit.attributes.messages import cluster_of


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, (5, 100, 3000)),
        ({"consecutive_5xx": 1, "max_ejection": 0, "interval_ms": 10}, (1, 0, 10)),
    ],
)
def test_all_three_are_told(written: dict[str, int], expected: tuple[int, int, int]) -> None:
    told = cluster_of(outlier_detection=written).outlier_detection
    found = (told.consecutive_5xx.value, told.max_ejection_percent.value, told.interval.ToMilliseconds())
    assert found == expected
    assert told.HasField("max_ejection_percent")


def test_without_limits_nobody_is_left_alone() -> None:
    assert not cluster_of().HasField("outlier_detection")


def test_limits_by_name_are_said_in_a_mappings_words() -> None:
    assert OutlierDetection(name="n").as_limits() == OutlierLimits()
    assert OutlierDetection(name="n", max_ejection=7).as_limits() == OutlierLimits(max_ejection=7)


@pytest.mark.parametrize(
    "written", [{"consecutive_5xx": 0}, {"max_ejection": 101}, {"interval_ms": 0}, {"interval_ms": 3_600_001}, 5]
)
def test_what_is_no_limit_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        mapping(outlier_detection=written)
