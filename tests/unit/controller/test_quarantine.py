"""The search for the mapping that Envoy refuses, against an Envoy that refuses whole tables and names nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.controller.quarantine import Common, Quarantine
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping, SourcedResource
from kfambassador.resources.module import Module
from kfambassador.resources.secret import Secret, SecretKey

NOTHING = Common()


def sourced(name: str) -> SourcedMapping:
    mapping = Mapping(name=name, prefix=f"/{name}/", service="s")
    return SourcedMapping(mapping, Origin(ObjectKey("Service", "test", name), document=1), namespace="test")


def module(name: str) -> Common:
    """A Module, and a Secret that never changes."""
    origin = Origin(ObjectKey("Module", "ambassador", name))
    return Common((SourcedResource(Module(name="ambassador"), origin, namespace="ambassador"),), SECRETS)


SECRETS = {SecretKey("ambassador", "tls"): Secret(SecretKey("ambassador", "tls"))}


def settle(
    quarantine: Quarantine,
    mappings: list[SourcedMapping],
    bad: set[str],
    *,
    common: Common = NOTHING,
    bad_common: Common | None = None,
) -> tuple[list[str], int]:
    """Publish until nothing more is due; give what is served in the end, and how many tables it took."""
    for tables in range(1, 200):
        served = quarantine.admit(mappings, common)
        is_bad = served.common is bad_common or any(each.mapping.name in bad for each in served.mappings)
        more = quarantine.refuse(served, "missing ]: [") if is_bad else quarantine.accept(served)
        if not more:
            return [each.mapping.name for each in quarantine.admit(mappings, common).mappings], tables
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
    assert quarantine.refuse(quarantine.admit(mappings, NOTHING), "no")
    assert {"a", "b"} <= {each.mapping.name for each in quarantine.admit(mappings, NOTHING).mappings}


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
    served = quarantine.admit(mappings, NOTHING)
    assert quarantine.refuse(served, "port taken")
    assert quarantine.admit(mappings, NOTHING) == served
    assert ["port taken" in problem.message for problem in quarantine.problems] == [True]
    # The same words once more are no news, and nothing is tried for ever.
    assert not quarantine.refuse(served, "port taken")
    assert quarantine.accept(served)
    quarantine.admit(mappings, NOTHING)
    assert quarantine.problems == ()


def test_of_what_speaks_for_everybody_the_last_good_one_stays() -> None:
    quarantine, mappings, good, bad = Quarantine(), [sourced("a")], module("good"), module("bad")
    settle(quarantine, mappings, set(), common=good)
    assert settle(quarantine, mappings, set(), common=bad, bad_common=bad) == (["a"], 2)
    assert quarantine.admit(mappings, bad).common is good
    [problem] = quarantine.problems
    assert (problem.code, str(problem.origin)) == ("envoy-rejected", "Module ambassador/bad")
    mended = module("mended")
    assert quarantine.admit(mappings, mended).common is mended
    assert quarantine.problems == ()


def test_a_mapping_and_what_speaks_for_everybody_are_told_apart() -> None:
    quarantine, good, bad = Quarantine(), module("good"), module("bad")
    settle(quarantine, [sourced("a")], set(), common=good)
    mappings = [sourced("b"), sourced("bad"), sourced("c")]
    served, _ = settle(quarantine, mappings, {"bad"}, common=bad, bad_common=bad)
    assert served == ["b", "c"]
    assert [str(problem.origin) for problem in quarantine.problems] == [
        "Service test/bad, annotation document 1",
        "Module ambassador/bad",
    ]


def test_a_change_for_everybody_is_not_held_back_for_a_mapping() -> None:
    quarantine, changed = Quarantine(), module("changed")
    settle(quarantine, [sourced("a")], set(), common=module("good"))
    mappings = [sourced("b"), sourced("bad"), sourced("c")]
    served, _ = settle(quarantine, mappings, {"bad"}, common=changed)
    assert (served, quarantine.admit(mappings, changed).common) == (["b", "c"], changed)
    assert len(quarantine.problems) == 1


def test_nothing_is_served_without_what_speaks_for_everybody() -> None:
    # Before anything was accepted there is nothing to fall back to, and a Module left out may be an open door.
    quarantine, bad, mended = Quarantine(), module("bad"), module("mended")
    mappings = [sourced(f"m{number}") for number in range(100)]
    served, tables = settle(quarantine, mappings, set(), common=bad, bad_common=bad)
    assert quarantine.admit(mappings, bad).common is bad
    assert [str(problem.origin) for problem in quarantine.problems] == [
        "Module ambassador/bad",
        "Secret ambassador/tls",
    ]
    assert tables <= 10
    assert served == []
    served, tables = settle(quarantine, mappings, set(), common=mended)
    assert (len(served), tables, quarantine.problems) == (100, 1, ())


def test_a_first_table_with_a_culprit_and_much_for_everybody() -> None:
    quarantine, mappings = Quarantine(), [sourced(f"m{number}") for number in range(9)]
    served, _ = settle(quarantine, mappings, {"m3"}, common=module("good"))
    assert served == [f"m{number}" for number in range(9) if number != 3]


@given(st.integers(0, 40), st.sets(st.integers(0, 40), max_size=6))
def test_exactly_the_culprits_are_held_back(count: int, culprits: set[int]) -> None:
    quarantine, mappings = Quarantine(), [sourced(f"m{number}") for number in range(count)]
    served, _ = settle(quarantine, mappings, {f"m{number}" for number in culprits})
    assert served == [f"m{number}" for number in range(count) if number not in culprits]
    assert len(quarantine.problems) == len([number for number in culprits if number < count])
