"""The tree answers as a plain list of the same routes does, and as we explain it: on a real Envoy."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kfambassador.envoy import expressions, hosts, layout, nodes, tables
from kfambassador.envoy.layout import lay_out
from kfambassador.envoy.listeners import LISTENER, ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.nodes import arrange, count_entries
from kfambassador.envoy.protos import HttpConnectionManager, Listener, RouteConfiguration, RouteList, VirtualHost
from kfambassador.envoy.routes import build_routes
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.envoy.tables import TableBuilder, place_route
from kfambassador.envoy.translate import translate
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import Route, RoutingTable
from kfambassador.routing.model import VirtualHost as Host
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from tests.builders import compiled, resource_set, sourced
from tests.properties.mappings import NARROW_EXPRESSIONS, Asked, mapping_lists, path_attributes, sent_requests
from tests.xds_gateway import XdsGateway, request, xds_gateway

LIST = "list"
GENERATION_PATH = "/generation"

generations = count(1)


@pytest.fixture(scope="module")
def gateway() -> Iterator[XdsGateway]:
    with xds_gateway(both_ways(next(generations), RoutingTable())) as running:
        yield running


@pytest.fixture(scope="module")
def tree(gateway: XdsGateway) -> Iterator[HTTPConnection]:
    with closing(gateway.connect(LISTENER)) as connection:
        yield connection


@pytest.fixture(scope="module")
def plain_list(gateway: XdsGateway) -> Iterator[HTTPConnection]:
    with closing(gateway.connect(LIST)) as connection:
        yield connection


def both_ways(generation: int, table: RoutingTable) -> Snapshot:
    """The same routes twice, each answering with its own name: as the tree, and at another port as a list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "build_routes", answer_with_name)
        tree = TableBuilder().build(table)
    routes = RouteList.FromString(b"".join(map(answer_with_name, table.routes()))).routes
    host = VirtualHost(name="all", domains=["*"], routes=routes)
    written = RouteConfiguration(name=LIST, virtual_hosts=[host]).SerializeToString(deterministic=True)
    return Snapshot(
        {
            TypeUrl.LISTENER: {LISTENER: build_listener(ListenerSettings(port=0)), LIST: listen_to_list()},
            TypeUrl.ROUTE_CONFIGURATION: {ROUTES: tree, LIST: XdsResource.of(LIST, written)},
        },
        generation,
    )


def answer_with_name(route: Route) -> bytes:
    """The route as it is shipped, except that it goes nowhere."""
    routes = RouteList.FromString(build_routes(route))
    for each in routes.routes:
        each.ClearField("route")
        each.direct_response.status = 200
        each.direct_response.body.inline_string = each.name
    written: bytes = routes.SerializeToString(deterministic=True)
    return written


def listen_to_list() -> XdsResource:
    listener = Listener.FromString(build_listener(ListenerSettings(port=0)).body)
    manager = HttpConnectionManager()
    shipped = listener.filter_chains[0].filters[0].typed_config
    shipped.Unpack(manager)
    manager.rds.route_config_name = LIST
    shipped.Pack(manager)
    listener.name = LIST
    return XdsResource.of(LIST, listener.SerializeToString(deterministic=True))


def compile_decided(written: Sequence[SourcedMapping]) -> RoutingTable:
    """The table of these mappings with each canary decided, so that the same request has the same answer."""
    table = compile_routes(resource_set(*written), TenancyPolicy.laptop()).table
    routes = (replace(route, splits=(replace(route.splits[0], share=100),)) for route in table.routes())
    return replace(table, virtual_hosts=(Host("all", ("*",), tuple(routes)),))


def with_generation(table: RoutingTable, generation: int) -> RoutingTable:
    """The table with one more route, first of all, that tells which generation answers."""
    name = f"g{generation}"
    (route,) = compiled(sourced(name, prefix=GENERATION_PATH, prefix_exact=True)).table.routes()
    return replace(table, virtual_hosts=(Host("all", ("*",), (route, *table.routes())),))


def ask(connection: HTTPConnection, asked: Asked) -> str:
    response, body = request(connection, *asked)
    return body if response.status == 200 else str(response.status)


def await_generation(connection: HTTPConnection, generation: int) -> None:
    """Wait until the connection's worker has the table; it is told a moment after Envoy has said so."""
    while ask(connection, Asked("GET", GENERATION_PATH, {})) != f"default/g{generation}":
        pass


def assert_alike(
    gateway: XdsGateway,
    connections: Sequence[HTTPConnection],
    table: RoutingTable,
    asked: Sequence[Asked],
) -> None:
    """Serve the table both ways; both must answer as we explain."""
    generation = next(generations)
    gateway.serve(both_ways(generation, with_generation(table, generation)))
    for connection in connections:
        await_generation(connection, generation)
    for each in asked:
        winner = explain(table, RequestLine.read(*each)).winner
        explained = f"{winner.splits[0].namespace}/{winner.splits[0].mapping.name}" if winner else "404"
        assert [ask(connection, each) for connection in connections] == [explained] * len(connections), each


class Sizes(NamedTuple):
    """From how many of a kind on a table is built otherwise, and how much of it may be copies."""

    routes: int
    hosts: int
    expressions: int
    copies: int

    @contextmanager
    def in_force(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nodes, "ROUTES_PER_NODE", self.routes)
            patch.setattr(hosts, "HOSTS_PER_SHARE", self.hosts)
            patch.setattr(expressions, "EXPRESSIONS_PER_NODE", self.expressions)
            patch.setattr(layout, "FREE_COPIES", self.copies)
            yield


@pytest.mark.e2e
@settings(max_examples=60)
@given(
    written=mapping_lists(least=6, most=30),
    asked=st.lists(sent_requests(), min_size=20, max_size=40),
    sizes=st.builds(
        Sizes,
        routes=st.sampled_from([1, 2, 16]),
        hosts=st.sampled_from([1, 2, 16]),
        expressions=st.sampled_from([0, 1, 16]),
        copies=st.sampled_from([0, 1000]),
    ),
)
def test_the_tree_answers_as_a_list_does_and_as_we_explain_it(
    gateway: XdsGateway,
    tree: HTTPConnection,
    plain_list: HTTPConnection,
    written: list[SourcedMapping],
    asked: list[Asked],
    sizes: Sizes,
) -> None:
    with sizes.in_force():
        assert_alike(gateway, (tree, plain_list), compile_decided(written), asked)


MANY_HOSTS = 40


@pytest.mark.e2e
@settings(max_examples=25)
@given(
    beside=mapping_lists(most=10),
    paths=st.lists(path_attributes(), min_size=4, max_size=6, unique_by=str),
    asked=st.lists(sent_requests(hosts=MANY_HOSTS), min_size=20, max_size=40),
)
def test_many_hosts_and_expressions_answer_as_a_list_does_and_as_we_explain_it(
    gateway: XdsGateway,
    tree: HTTPConnection,
    plain_list: HTTPConnection,
    beside: list[SourcedMapping],
    paths: list[dict[str, Any]],
    asked: list[Asked],
) -> None:
    of_hosts = [
        sourced(f"h{host}-{number}", host=f"h{host}.com", **path)
        for host in range(MANY_HOSTS)
        for number, path in enumerate([{"prefix": "/a/"}, *paths])
    ]
    of_any = [sourced(f"e{number}", prefix=text, prefix_regex=True) for number, text in enumerate(NARROW_EXPRESSIONS)]
    table = compile_decided([*beside, *of_hosts, *of_any])
    laid_out = list(lay_out([place_route(route).standing for route in table.routes()]))
    assert len(laid_out) > 1
    assert any(each.questions for each in laid_out)
    assert_alike(gateway, (tree, plain_list), table, asked)


@settings(max_examples=300)
@given(
    anchors=st.lists(st.text("/ab", max_size=5), max_size=40),
    path=st.text("/ab", max_size=7),
    share=st.sampled_from([1, 2, 5]),
    spare=st.integers(0, 100),
)
def test_whatever_the_path_its_node_holds_every_route_that_could_take_it(
    anchors: list[str], path: str, share: int, spare: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "ROUTES_PER_NODE", share)
        arranged = arrange(range(len(anchors)), anchors, len(anchors) + spare)
    assert count_entries(arranged) <= len(anchors) + spare
    reached = max((prefix for prefix in arranged if path.startswith(prefix)), key=len, default=None)
    found = [] if reached is None else arranged[reached]
    assert {index for index, anchor in enumerate(anchors) if path.startswith(anchor)} <= set(found)
    assert found == sorted(set(found))


# Whatever passes our checks, Envoy takes: one route it refused would hold up every other.

LONG = "a" * 20_000
ODD_TEXT = st.text(max_size=12) | st.sampled_from(["", "*", "%", "é", "\x00", "\r\n", " ", "(", "[", "**", LONG])
ODD_VALUES = st.dictionaries(ODD_TEXT, ODD_TEXT, max_size=3)
ODD: dict[str, st.SearchStrategy[Any]] = {
    "prefix": ODD_TEXT,
    "prefix_regex": st.booleans(),
    "prefix_exact": st.booleans(),
    "case_sensitive": st.booleans(),
    "method": ODD_TEXT,
    "method_regex": st.booleans(),
    "host": ODD_TEXT,
    "host_regex": st.booleans(),
    "hostname": ODD_TEXT,
    "headers": ODD_VALUES,
    "regex_headers": ODD_VALUES,
    "query_parameters": ODD_VALUES,
    "regex_query_parameters": ODD_VALUES,
    "rewrite": ODD_TEXT,
    "host_rewrite": ODD_TEXT,
    "add_request_headers": ODD_VALUES,
    "service": ODD_TEXT,
    "weight": st.integers(0, 100),
    "timeout_ms": st.integers(0, 365 * 24 * 3600 * 1000),
    "idle_timeout_ms": st.integers(0, 365 * 24 * 3600 * 1000),
    "connect_timeout_ms": st.integers(1, 3600 * 1000),
}


@st.composite
def odd_mappings(draw: st.DrawFn) -> list[SourcedMapping]:
    """Mappings that are in order but for an attribute or two."""
    written = []
    for number in range(draw(st.integers(1, 8))):
        names = draw(st.lists(st.sampled_from(sorted(ODD)), unique=True, min_size=1, max_size=2))
        attributes: dict[str, Any] = {name: draw(ODD[name]) for name in names}
        with suppress(ValidationError):
            written.append(sourced(f"m{number}", **{"service": "10.0.0.1"} | attributes))
    return written


@pytest.mark.e2e
@settings(max_examples=150)
@given(written=odd_mappings())
def test_envoy_takes_whatever_passes_our_checks(gateway: XdsGateway, written: list[SourcedMapping]) -> None:
    table = compile_routes(resource_set(*written, generation=next(generations)), TenancyPolicy.laptop()).table
    status = gateway.offer(translate(table, ListenerSettings(port=0)))
    if status.rejection is not None:
        gateway.serve(both_ways(next(generations), RoutingTable()))
    assert status.rejection is None
