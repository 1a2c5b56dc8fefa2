"""Ordered routes as a tree: whatever the path, its node holds every route that could take it, in order."""

from collections.abc import Iterator
from typing import Any

import pytest

from kfambassador.envoy import nodes
from kfambassador.envoy.layout import lay_out
from kfambassador.envoy.protos import RouteConfiguration, RouteList
from kfambassador.envoy.tables import TableBuilder, place_route
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.regex import check_regex
from tests.builders import compiled, sourced


def read(table: RoutingTable) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the routes tried when no prefix matches, and those of each prefix."""
    (host,) = RouteConfiguration.FromString(TableBuilder().build(table).body).virtual_hosts
    entries = host.matcher.matcher_tree.prefix_match_map.map
    return _names(host.matcher.on_no_match), {prefix: _names(entry) for prefix, entry in entries.items()}


def _names(node: object) -> list[str]:
    routes = RouteList()
    node.action.typed_config.Unpack(routes)  # type: ignore[attr-defined]  # messages carry no types
    return list(map(name, routes.routes))


@pytest.fixture
def one_route_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree with as many nodes as can be."""
    monkeypatch.setattr(nodes, "ROUTES_PER_NODE", 1)


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
    _, found = read(compiled(*MIXED).table)
    assert found["/models/deep/"] == ["first", "deep", "regex", "m", "loud", "any"]
    assert found["/models/"] == ["first", "regex", "m", "loud", "any"]
    assert found["/other/"] == ["loud", "other", "any"]
    assert found["/"] == ["loud", "any"]


def test_few_routes_share_a_node() -> None:
    root, found = read(compiled(*MIXED).table)
    assert root == []
    assert found == {"/": ["first", "deep", "regex", "m", "loud", "other", "any"]}


@pytest.mark.usefixtures("one_route_a_node")
def test_what_may_begin_with_anything_stands_at_the_root() -> None:
    root, found = read(compiled(sourced("regex", prefix="(/a|/b).*", prefix_regex=True), sourced("c")).table)
    assert root == ["regex"]
    assert sorted(found["/c/"]) == ["c", "regex"]


def test_a_table_without_routes_answers_404_to_all() -> None:
    (host,) = RouteConfiguration.FromString(TableBuilder().build(compiled().table).body).virtual_hosts
    assert not host.HasField("matcher")
    assert not host.routes
    assert list(host.domains) == ["*"]


def test_no_table_is_no_host() -> None:
    assert RouteConfiguration.FromString(TableBuilder().build(RoutingTable()).body) == RouteConfiguration(name="routes")


HOSTS = 40


def of_hosts(parts: list[str]) -> list[SourcedMapping]:
    """A mapping for every host and part."""
    return [
        sourced(f"h{host}-{number}", host=f"h{host}.com", prefix=part)
        for host in range(HOSTS)
        for number, part in enumerate(parts)
    ]


def of_any(count: int) -> list[SourcedMapping]:
    return [sourced(f"p{index:04}") for index in range(count)]


def expressions(count: int) -> list[SourcedMapping]:
    return [sourced(f"e{index}", prefix=f"/.*/e{index}/.*", prefix_regex=True) for index in range(count)]


PARTS = [f"/part-{number}/" for number in range(10)]


def lists(matcher: Any) -> Iterator[RouteList]:
    """Every list of routes in a matcher."""
    tree = matcher.matcher_tree.prefix_match_map.map
    asked = [entry.on_match for entry in matcher.matcher_list.matchers]
    for node in [*tree.values(), *asked, *([matcher.on_no_match] if matcher.HasField("on_no_match") else [])]:
        if node.HasField("matcher"):
            yield from lists(node.matcher)
        else:
            yield RouteList.FromString(node.action.typed_config.value)


def test_the_table_holds_what_is_laid_out() -> None:
    table = compiled(*of_hosts(PARTS), *of_any(20), *expressions(20)).table
    found = RouteConfiguration.FromString(TableBuilder().build(table).body).virtual_hosts
    laid_out = list(lay_out([place_route(route).standing for route in table.routes()]))
    assert [sum(len(each.routes) for each in lists(host.matcher)) for host in found] == [
        each.count_entries() for each in laid_out
    ]
    assert all(host.matcher.HasField("matcher_list") for host in found)


def virtual_hosts(*written: SourcedMapping) -> list[Any]:
    return list(RouteConfiguration.FromString(TableBuilder().build(compiled(*written).table).body).virtual_hosts)


def test_many_hosts_share_virtual_hosts_as_routes_share_nodes() -> None:
    *shares, others = virtual_hosts(*of_hosts(PARTS), *of_any(16))
    assert {len(share.domains) for share in shares} == {16, HOSTS % 16}
    assert sorted(domain for share in shares for domain in share.domains) == sorted(f"h{n}.com" for n in range(HOSTS))
    assert max(len(each.routes) for share in shares for each in lists(share.matcher)) <= 16
    assert list(others.domains) == ["*"]
    assert [name(route) for each in lists(others.matcher) for route in each.routes] == [
        f"p{n:04}" for n in range(15, -1, -1)
    ]
    assert len({share.name for share in [*shares, others]}) == len(shares) + 1


def test_what_is_for_no_single_host_is_found_by_all() -> None:
    *shares, others = virtual_hosts(*of_hosts(["/"]), sourced("glob", host="*.com"), sourced("any", prefix="/any/"))
    assert len(shares) > 1
    for share in [*shares, others]:
        assert {"glob", "any"} <= {name(route) for each in lists(share.matcher) for route in each.routes}


def test_few_hosts_are_told_apart_by_their_routes() -> None:
    (host,) = virtual_hosts(*of_hosts(["/"])[:16], *of_any(2))
    assert list(host.domains) == ["*"]


def test_hosts_that_are_no_names_are_told_apart_by_their_routes() -> None:
    (host,) = virtual_hosts(*(sourced(f"h{n}", host=f"h{n}_*.com", prefix="/") for n in range(40)))
    assert list(host.domains) == ["*"]


def test_many_expressions_are_asked_for_first() -> None:
    (host,) = virtual_hosts(*expressions(200), sourced("plain"))
    [entry] = host.matcher.matcher_list.matchers
    asked = [each.single_predicate.value_match.safe_regex.regex for each in entry.predicate.or_matcher.predicate]
    assert [sum(f"/e{n}/" in each for each in asked) for n in range(200)] == [1] * 200
    assert not any(map(check_regex, asked))
    [without] = lists(host.matcher.on_no_match.matcher)
    assert [name(route) for route in without.routes] == ["plain"]
    assert max(len(each.routes) for each in lists(entry.on_match.matcher)) == 201


def test_few_expressions_are_tried_with_the_others() -> None:
    (host,) = virtual_hosts(*expressions(16), sourced("plain"))
    assert not host.matcher.HasField("matcher_list")


def name(route: Any) -> str:
    found: str = route.name.removeprefix("default/")
    return found
