"""A tree of prefixes within a limit: larger nodes rather than a larger table."""

import pytest

from kfambassador.envoy.nodes import arrange, count_entries

ANCHORS = ["", *(f"/{team}/{model:02}/" for team in "abcd" for model in range(40))]


def longest(limit: int) -> int:
    return max(map(len, arrange(range(len(ANCHORS)), ANCHORS, limit).values()))


def test_no_routes_need_no_nodes() -> None:
    assert arrange([], [], 0) == {}


def test_nodes_are_small_where_the_limit_allows() -> None:
    assert longest(1000) <= 17


@pytest.mark.parametrize("limit", range(len(ANCHORS), 260, 7))
def test_the_limit_holds(limit: int) -> None:
    nodes = arrange(range(len(ANCHORS)), ANCHORS, limit)
    assert len(ANCHORS) <= count_entries(nodes) <= limit


def test_without_room_for_copies_all_share_one_node() -> None:
    assert arrange(range(len(ANCHORS)), ANCHORS, len(ANCHORS)) == {"": list(range(len(ANCHORS)))}


def test_the_largest_nodes_are_cut_first() -> None:
    assert longest(170) == 41
    assert longest(190) < 41


def test_some_of_the_routes() -> None:
    assert arrange([0, 2], ["/a", "/b", "/c"], 10) == {"/": [0, 2]}
