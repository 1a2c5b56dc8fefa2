"""Every attribute of a Mapping is in some golden file."""

import pytest

from kfambassador.resources.mapping import Mapping
from tests.golden.cases import find_cases

ATTRIBUTES = {name: field.get_default(call_default_factory=True) for name, field in Mapping.model_fields.items()}


@pytest.fixture(scope="module")
def written() -> list[Mapping]:
    return [sourced.mapping for case in find_cases() for sourced in case.read().mappings]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_some_golden_input_sets_it(name: str, written: list[Mapping]) -> None:
    assert any(getattr(mapping, name) != ATTRIBUTES[name] for mapping in written)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_it_has_a_case_of_its_own(name: str) -> None:
    assert f"attributes/{name}" in {case.name for case in find_cases()}
