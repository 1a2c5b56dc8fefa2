"""Whatever the rewrite or redirect: what we tell of the path or the address is what a server or a client is told."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from tests.backends import Echo, EchoServer
from tests.builders import resource_set, sourced
from tests.xds_gateway import XdsGateway, request, xds_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("outcomes")]

generations = count(1)


@pytest.fixture(scope="module")
def backend() -> Iterator[EchoServer]:
    with EchoServer("echo") as server:
        yield server


@pytest.fixture(scope="module")
def gateway() -> Iterator[XdsGateway]:
    with xds_gateway(snapshot(compile_all([], next(generations)))) as running:
        yield running


@pytest.fixture(scope="module")
def connection(gateway: XdsGateway) -> Iterator[HTTPConnection]:
    with closing(gateway.connect()) as opened:
        yield opened


def compile_all(written: list[SourcedMapping], generation: int) -> RoutingTable:
    return compile_routes(resource_set(*written, generation=generation), TenancyPolicy.laptop()).table


def snapshot(table: RoutingTable) -> Snapshot:
    return translate(table, ListenerSettings(port=0))


PATTERNS = ["a", "a*", "(a)(b)?", "/", "^/([ab])", "b$", "[ab]+", "", "(/a)+", "x", r"/(\w)"]
SUBSTITUTIONS = ["", "x", r"\1", r"\0\0", r"-\1-", r"\\", "/"]
REGEXES = st.builds(
    lambda pattern, substitution: {"pattern": pattern, "substitution": substitution},
    st.sampled_from([pattern for pattern in PATTERNS if pattern]),
    st.sampled_from(SUBSTITUTIONS),
)
PATHS = [
    {"prefix": "/m/"},
    {"prefix": "/m"},
    {"prefix": "/M/", "case_sensitive": False},
    {"prefix": "/m/ab", "prefix_exact": True},
    {"prefix": "/m/[ab/]*", "prefix_regex": True},
]
REWRITES = st.one_of(
    st.sampled_from([{}, {"rewrite": ""}, {"rewrite": "/"}, {"rewrite": "/x"}, {"rewrite": "/x/"}]),
    REGEXES.map(lambda regex: {"regex_rewrite": regex}),
)
REDIRECTS = st.one_of(
    st.sampled_from([{}, {"path_redirect": "/n"}, {"path_redirect": "/n?y=1"}, {"prefix_redirect": "/n/"}]),
    REGEXES.map(lambda regex: {"regex_redirect": regex}),
).map(lambda given: {"host_redirect": True, **given})
PLACES = st.sampled_from(["b.com", "b.com:8080", "https://b.com", "https://b.com:8443", "b.com:443"])
ASKED = ["/m/", "/m/ab", "/m/aab/b", "/m//a/../b", "/m/a?q=a/b", "/mab", "/m/ab?"]


@settings(max_examples=60)
@given(path=st.sampled_from(PATHS), changes=REWRITES | REDIRECTS, place=PLACES)
def test_what_we_tell_is_what_happens(
    gateway: XdsGateway,
    connection: HTTPConnection,
    backend: EchoServer,
    path: dict[str, Any],
    changes: dict[str, Any],
    place: str,
) -> None:
    here = f"127.0.0.1:{backend.port}"
    generation = next(generations)
    mark = sourced(f"g{generation}", prefix=f"/mark/{generation}", prefix_exact=True, service=here)
    subject = sourced("m", service=place if "host_redirect" in changes else here, **path, **changes)
    table = compile_all([mark, subject], generation)
    gateway.serve(snapshot(table))
    while request(connection, "GET", f"/mark/{generation}")[0].status != 200:
        pass
    for url in ASKED:
        told, seen = tell(table, url), see(connection, url)
        # No server takes a path without its slash.
        assert seen == (told if told.startswith(("/", "http", "404")) else "400"), url


def tell(table: RoutingTable, url: str) -> str:
    """What we say becomes of a request."""
    explanation = explain(table, RequestLine.read("GET", url))
    if explanation.winner is None:
        return "404"
    split = explanation.winner.splits[0]
    return explanation.location(split) or explanation.upstream_path(split)


def see(connection: HTTPConnection, url: str) -> str:
    """What does become of it."""
    response, body = request(connection, "GET", url, {"Host": "a.com"})
    if response.status == 200:
        return Echo.read(body).path.partition("?")[0]
    return response.headers.get("location", str(response.status))
