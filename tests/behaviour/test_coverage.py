"""The suite is as large as it was promised to be, and leaves no attribute out."""

from tests.behaviour.casefile import all_cases
from tests.behaviour.coverage import attributes, count_features, count_requests, options
from tests.behaviour.mutations import WITHOUT_EFFECT, mutations

CASES = all_cases().values()

#: What was promised.
REQUESTS, FEATURES = 300, 60


def test_there_are_as_many_requests_as_promised() -> None:
    assert count_requests(CASES) >= REQUESTS


def test_there_are_as_many_features_as_promised() -> None:
    assert len(count_features(CASES)) >= FEATURES


def test_no_attribute_of_a_mapping_is_left_out() -> None:
    assert set(attributes()) - count_features(CASES).keys() == set()


def test_no_option_of_the_module_is_left_out() -> None:
    assert set(options()) - count_features(CASES).keys() == set()


def test_every_attribute_option_and_hook_can_be_taken_away() -> None:
    mutated = {mutation.name for mutation in mutations()}
    assert {*attributes(), *options()} - mutated == WITHOUT_EFFECT.keys()
    assert any("." in name and name[0].isupper() for name in mutated)
