"""Every case of ``cases/`` on a real Envoy."""

import pytest

from tests.behaviour.casefile import all_cases
from tests.behaviour.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("behaviour")]

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_it_behaves_as_the_case_says(behaviour_world: World, case: str) -> None:
    differences = behaviour_world.play(CASES[case])
    assert not differences, "\n".join(differences)
