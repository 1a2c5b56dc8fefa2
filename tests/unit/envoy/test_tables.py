"""Ordered routes as a tree: whatever the path, its node holds every route that could take it, in order."""

import pytest

from kfambassador.envoy import tables
from kfambassador.envoy.protos import RouteConfiguration, RouteList
from kfambassador.envoy.tables import TableBuilder, arrange
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.model import RoutingTable
from tests.builders import compiled, sourced


def read(table: RoutingTable) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the routes tried when no prefix matches, and those of each prefix."""
    (host,) = RouteConfiguration.FromString(TableBuilder().build(table).body).virtual_hosts
    entries = host.matcher.matcher_tree.prefix_match_map.map
    return _names(host.matcher.on_no_match), {prefix: _names(entry) for prefix, entry in entries.items()}


def _names(node: object) -> list[str]:
    routes = RouteList()
    node.action.typed_config.Unpack(routes)  # type: ignore[attr-defined]  # messages carry no types
    return [route.name.removeprefix("default/") for route in routes.routes]


@pytest.fixture
def one_route_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree with as many nodes as can be."""
    monkeypatch.setattr(tables, "ROUTES_PER_NODE", 1)


MIXED = (
    sourced("any", prefix="/"),
    sourced("m", prefix="/models/"),
    sourced("deep", prefix="/models/deep/"),
    sourced("first", prefix="/m", precedence=9),
    sourced("regex", prefix="/models/.*/x", prefix_regex=True),
    sourced("other", prefix="/other/"),
    sourced("loud", prefix="/MODELS/", case_sensitive=False),
)


@pytest.mark.usefixtures("one_route_a_node")
def test_a_node_holds_its_own_routes_and_those_above_in_the_one_order() -> None:
    _, nodes = read(compiled(*MIXED).table)
    assert nodes["/models/deep/"] == ["first", "deep", "regex", "m", "loud", "any"]
    assert nodes["/models/"] == ["first", "regex", "m", "loud", "any"]
    assert nodes["/other/"] == ["loud", "other", "any"]
    assert nodes["/"] == ["loud", "any"]


def test_few_routes_share_a_node() -> None:
    root, nodes = read(compiled(*MIXED).table)
    assert root == []
    assert nodes == {"/": ["first", "deep", "regex", "m", "loud", "other", "any"]}


@pytest.mark.usefixtures("one_route_a_node")
def test_what_may_begin_with_anything_stands_at_the_root() -> None:
    root, nodes = read(compiled(sourced("regex", prefix="(/a|/b).*", prefix_regex=True), sourced("c")).table)
    assert root == ["regex"]
    assert sorted(nodes["/c/"]) == ["c", "regex"]


def test_a_table_without_routes_answers_404_to_all() -> None:
    (host,) = RouteConfiguration.FromString(TableBuilder().build(compiled().table).body).virtual_hosts
    assert not host.HasField("matcher")
    assert not host.routes
    assert list(host.domains) == ["*"]


def test_no_table_is_no_host() -> None:
    assert RouteConfiguration.FromString(TableBuilder().build(RoutingTable()).body) == RouteConfiguration(name="routes")


def expressions_and_prefixes(count: int) -> list[SourcedMapping]:
    expressions = [sourced(f"e{index}", prefix=f".*/{index}", prefix_regex=True) for index in range(count)]
    return [*expressions, *(sourced(f"p{index:04}") for index in range(count))]


def test_many_expressions_beside_many_prefixes_do_not_grow_as_their_product() -> None:
    routes = compiled(*expressions_and_prefixes(500)).table.routes()
    nodes = arrange([""] * 500 + [f"/p{index:04}/" for index in range(500)])
    assert sum(map(len, nodes.values())) <= tables.COPIES_PER_ROUTE * len(routes) + 1000


def test_no_routes_need_no_nodes() -> None:
    assert arrange([]) == {}
