"""The search for the mapping that Envoy refuses, against an Envoy that refuses whole tables and names nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.controller.quarantine import Quarantine
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping


def sourced(name: str) -> SourcedMapping:
    mapping = Mapping(name=name, prefix=f"/{name}/", service="s")
    return SourcedMapping(mapping, Origin(ObjectKey("Service", "test", name), document=1), namespace="test")


def settle(quarantine: Quarantine, mappings: list[SourcedMapping], bad: set[str]) -> tuple[list[str], int]:
    """Publish until nothing more is due; give what is served in the end, and how many tables it took."""
    for tables in range(1, 200):
        served = quarantine.admit(mappings)
        poison = [each.mapping.name for each in served if each.mapping.name in bad]
        more = quarantine.refuse(served, "missing ]: [") if poison else quarantine.accept(served)
        if not more:
            return [each.mapping.name for each in quarantine.admit(mappings)], tables
    pytest.fail("the search does not end")


def test_one_culprit_among_many_is_found_in_few_tables() -> None:
    quarantine, mappings = Quarantine(), [sourced(f"m{number}") for number in range(1000)]
    served, tables = settle(quarantine, mappings, {"m700"})
    assert len(served) == 999
    assert "m700" not in served
    assert tables <= 13


def test_what_was_served_before_stays_served_all_along() -> None:
    quarantine, mappings = Quarantine(), [sourced("a"), sourced("b")]
    settle(quarantine, mappings, set())
    mappings += [sourced("bad"), sourced("c"), sourced("d")]
    assert quarantine.refuse(quarantine.admit(mappings), "no")
    assert {"a", "b"} <= {each.mapping.name for each in quarantine.admit(mappings)}


def test_the_problem_carries_envoys_words_and_the_place() -> None:
    quarantine, mappings = Quarantine(), [sourced("bad")]
    settle(quarantine, mappings, {"bad"})
    [problem] = quarantine.problems
    assert "missing ]: [" in problem.message
    assert str(problem.origin) == "Service test/bad, annotation document 1"


def test_an_edited_mapping_gets_another_chance() -> None:
    quarantine, mappings = Quarantine(), [sourced("good"), sourced("bad")]
    settle(quarantine, mappings, {"bad"})
    mended = [mappings[0], sourced("bad")]
    served, _ = settle(quarantine, mended, set())
    assert served == ["good", "bad"]
    assert quarantine.problems == ()


def test_a_refusal_that_no_mapping_can_explain_holds_nobody_back() -> None:
    quarantine, mappings = Quarantine(), [sourced("a")]
    settle(quarantine, mappings, set())
    assert not quarantine.refuse(quarantine.admit(mappings), "port taken")
    assert quarantine.problems == ()


@given(st.integers(0, 40), st.sets(st.integers(0, 40), max_size=6))
def test_exactly_the_culprits_are_held_back(count: int, culprits: set[int]) -> None:
    quarantine, mappings = Quarantine(), [sourced(f"m{number}") for number in range(count)]
    served, _ = settle(quarantine, mappings, {f"m{number}" for number in culprits})
    assert served == [f"m{number}" for number in range(count) if number not in culprits]
    assert len(quarantine.problems) == len([number for number in culprits if number < count])
