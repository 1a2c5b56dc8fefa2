"""A mapping told to have no request has none, whatever the table and the request."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.explain import explain
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.reachability import covers, find_shadowed
from kfambassador.routing.requests import RequestLine
from tests.builders import compiled
from tests.properties.mappings import mapping_lists, requests


def table_of(written: list[SourcedMapping]) -> RoutingTable:
    return compiled(*written).table


@settings(max_examples=50)
@given(written=mapping_lists(least=6, most=20), lines=st.lists(requests(), min_size=10, max_size=30))
def test_what_cannot_be_reached_wins_nothing(written: list[SourcedMapping], lines: list[RequestLine]) -> None:
    table = table_of(written)
    shadowed = [each.route for each in find_shadowed(table.routes())]
    winners = [explain(table, line).winner for line in lines]
    assert not any(winner is route for winner in winners for route in shadowed)


@settings(max_examples=50)
@given(written=mapping_lists(least=2, most=12), lines=st.lists(requests(), min_size=10, max_size=20))
def test_what_covers_another_takes_all_that_the_other_takes(
    written: list[SourcedMapping], lines: list[RequestLine]
) -> None:
    table = table_of(written)
    for line in lines:
        matching = [verdict.route for verdict in explain(table, line).verdicts if not verdict.reason]
        for wide in table.routes():
            if any(covers(wide.match, narrow.match) for narrow in matching):
                assert any(wide is each for each in matching)


@settings(max_examples=50)
@given(written=mapping_lists(least=6, most=20))
def test_what_covers_comes_first(written: list[SourcedMapping]) -> None:
    routes = table_of(written).routes()
    for each in find_shadowed(routes):
        assert covers(each.by.match, each.route.match)
        assert routes.index(each.by) < routes.index(each.route)
