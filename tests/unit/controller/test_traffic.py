"""Whose requests are counted together, and who is told."""

import asyncio

import pytest

from kfambassador.controller.sight import OWNER, Sight
from kfambassador.controller.traffic import describe_statistics, gather_rows, write_expressions
from kfambassador.errors import NoGateway
from kfambassador.routing.describe import name_mapping
from kfambassador.routing.model import RoutingTable
from tests.builders import compiled, sourced


def table() -> RoutingTable:
    """Two teams with a server each, a server that both use, and a redirect."""
    return compiled(
        sourced("a", "one", service="10.0.0.1:80"),
        sourced("b", "one", service="10.0.0.1:80"),
        sourced("c", "one", service="10.0.0.3:80"),
        sourced("d", "two", service="10.0.0.3:80"),
        sourced("e", "two", service="10.0.0.4:80", weight=10),
        sourced("f", "two", prefix="/e/", service="10.0.0.5:80"),
        sourced("g", "two", service="example.com", host_redirect=True),
    ).table


def names(*mappings: str, sight: Sight = OWNER) -> list[tuple[list[str], list[str]]]:
    rows = gather_rows(table(), mappings, sight).values()
    found = [([*map(name_mapping, row.splits)], [*map(name_mapping, row.others)]) for row in rows]
    return sorted(found)


def test_each_count_is_a_row() -> None:
    assert names() == [
        (["one/a", "one/b"], []),
        (["one/c", "two/d"], []),
        (["two/e"], []),
        (["two/f"], []),
    ]


def test_who_was_not_asked_about_and_is_in_the_count_is_known() -> None:
    assert names("one/a", "two/d", "no/such") == [(["one/a"], ["one/b"]), (["two/d"], ["one/c"])]


def test_nobody_is_told_of_what_they_may_not_see() -> None:
    sight = Sight(frozenset({"one"}))
    assert names(sight=sight) == [(["one/a", "one/b"], []), (["one/c"], ["two/d"])]
    assert names("two/e", sight=sight) == []


def test_without_an_envoy_to_ask_there_is_no_answer() -> None:
    with pytest.raises(NoGateway, match="admin socket"):
        asyncio.run(describe_statistics(table(), None))


@pytest.mark.parametrize(
    ("names", "questions"),
    [(0, 0), (1, 1), (64, 1), (65, 1), (10_000, 1)],
)
def test_few_questions_are_asked(names: int, questions: int) -> None:
    assert len(list(write_expressions([f"c{number}" for number in range(names)]))) == questions


def test_names_with_dots_are_always_asked_by_name() -> None:
    asked = list(write_expressions([f"c{number}" for number in range(65)] + [f"a.{number}" for number in range(65)]))
    assert len(asked) == 3
    assert asked[0] == r"^cluster\.[^.]+\.upstream_rq_(completed|4xx|5xx|timeout|time)$"
    assert r"a\.64" in asked[1] + asked[2]
    assert "c64" not in asked[1] + asked[2]
