"""The tree of prefixes: a request finds every route that could take it, in order, in one short list."""

from hypothesis import given
from hypothesis import strategies as st

from kfambassador.envoy.tables import COPIES_PER_ROUTE, ROUTES_PER_NODE, arrange

texts = st.text("ab/", max_size=8)


@given(anchors=st.lists(texts, max_size=80), path=texts)
def test_the_longest_prefix_lists_every_route_that_could_take_the_path(anchors: list[str], path: str) -> None:
    nodes = arrange(anchors)
    reached = nodes.get(max((prefix for prefix in nodes if path.startswith(prefix)), key=len, default=""), [])
    assert reached == sorted(set(reached))
    assert {index for index, anchor in enumerate(anchors) if path.startswith(anchor)} <= set(reached)


@given(anchors=st.lists(texts, max_size=80))
def test_a_list_holds_what_stands_at_its_prefix_or_above_and_few_neighbours(anchors: list[str]) -> None:
    for prefix, reached in arrange(anchors).items():
        neighbours = [index for index in reached if not prefix.startswith(anchors[index])]
        assert len(neighbours) <= ROUTES_PER_NODE
        assert all(anchors[index].startswith(prefix) for index in neighbours)


def test_expressions_beside_many_prefixes_do_not_multiply_the_table() -> None:
    anchors = ["/"] * 200 + [f"/models/{number:04}/" for number in range(2000)]
    assert sum(map(len, arrange(anchors).values())) <= COPIES_PER_ROUTE * len(anchors) + 1000


def test_a_thousand_prefixes_inside_each_other_are_arranged() -> None:
    nodes = arrange(["/" * length for length in range(1, 1200)])
    assert {index for reached in nodes.values() for index in reached} == set(range(1199))


def test_nothing_is_arranged_to_nothing() -> None:
    assert arrange([]) == {}
