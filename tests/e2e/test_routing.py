"""What people write, and what then becomes of requests: a real Envoy, fed over xDS, in front of real servers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from typing import Any

import pytest

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.backends import Echo, EchoServer
from tests.builders import Manifest, document, resource_set, service, slice_, sourced
from tests.xds_gateway import XdsGateway, request, xds_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("routing")]

Item = Manifest | SourcedMapping


@dataclass
class World:
    """A gateway, a connection to it that is kept, and two servers behind it."""

    gateway: XdsGateway
    connection: HTTPConnection
    servers: dict[str, EchoServer]
    generations: Iterator[int]

    def target(self, name: str) -> str:
        """A server as a mapping names it."""
        return f"127.0.0.1:{self.servers[name].port}"

    def publish(self, *items: Item) -> None:
        """Serve what was written, and wait until the connection's worker does."""
        generation = next(self.generations)
        mark = sourced(
            f"g{generation}", "marks", prefix=f"/mark/{generation}", prefix_exact=True, service=self.target("a")
        )
        self.gateway.serve(snapshot(*items, mark, generation=generation))
        while request(self.connection, "GET", f"/mark/{generation}")[0].status != 200:
            pass

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Echo | None]:
        """Send a request; give the status, and what the server saw if one answered."""
        response, body = request(self.connection, method, path, {"Host": "localhost", **(headers or {})})
        return response.status, Echo.read(body) if response.status == 200 else None

    def see(self, method: str, path: str, headers: dict[str, str] | None = None) -> Echo:
        """Send a request that a server answers."""
        status, echo = self.ask(method, path, headers)
        assert echo is not None, status
        return echo


def snapshot(*items: Item, generation: int) -> Snapshot:
    return translate(
        compile_routes(resource_set(*items, generation=generation), TenancyPolicy.laptop()).table,
        ListenerSettings(port=0),
    )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    generations = count(1)
    with (
        EchoServer("a") as a,
        EchoServer("b") as b,
        xds_gateway(snapshot(generation=next(generations))) as gateway,
        closing(gateway.connect()) as connection,
    ):
        yield World(gateway, connection, {"a": a, "b": b}, generations)


POST = {"method": "POST"}
NO: dict[str, str] = {}

# For each: what two mappings say (to the servers a and b), and for requests which of them answers with which path;
# "-" is nobody.
CASES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, dict[str, str], str]]]] = {
    "prefix": (
        [{"prefix": "/m/"}, {"prefix": "/m/deep/"}],
        [("GET /m/x?q=1", NO, "a /x?q=1"), ("GET /m/deep/x", NO, "b /x"), ("GET /m", NO, "-"), ("GET /other", NO, "-")],
    ),
    "prefix is text": ([{"prefix": "/man"}], [("GET /mankind", NO, "a /kind"), ("GET /man/kind", NO, "a //kind")]),
    "prefix without slash": ([{"prefix": "m/"}], [("GET /m/", NO, "-")]),
    "prefix_exact": (
        [{"prefix": "/m", "prefix_exact": True, "rewrite": "/whole"}],
        [("GET /m?q=1", NO, "a /whole?q=1"), ("GET /m/", NO, "-")],
    ),
    "prefix_regex": (
        [{"prefix": "/models/[a-z]+", "prefix_regex": True, "rewrite": "/v1"}, {"prefix": "/models/"}],
        [("GET /models/abc?q=1", NO, "a /v1?q=1"), ("GET /models/abc1", NO, "b /abc1")],
    ),
    "case_sensitive": (
        [{"prefix": "/Models/", "case_sensitive": False}],
        [("GET /mODELS/X", NO, "a /X")],
    ),
    "case counts": ([{"prefix": "/Models/"}], [("GET /models/", NO, "-")]),
    "method": (
        [{"prefix": "/m/", "method": "POST"}],
        [("POST /m/", NO, "a /"), ("GET /m/", NO, "-")],
    ),
    "method_regex": (
        [{"prefix": "/m/", "method": "PUT|PATCH", "method_regex": True}],
        [("PUT /m/", NO, "a /"), ("PATCH /m/", NO, "a /"), ("POST /m/", NO, "-")],
    ),
    "host": (
        [{"prefix": "/m/", "host": "Models.example.org"}, {"prefix": "/m/"}],
        [
            ("GET /m/", {"Host": "models.example.org"}, "a /"),
            ("GET /m/", {"Host": "models.example.org:8080"}, "a /"),
            ("GET /m/", {"Host": "MODELS.example.ORG"}, "a /"),
            ("GET /m/", {"Host": "models.example.org."}, "a /"),
            ("GET /m/", {"Host": "other.example.org"}, "b /"),
        ],
    ),
    "hostname": (
        [{"prefix": "/m/", "hostname": "*.example.org"}, {"prefix": "/m/", "hostname": "models.*"}],
        [
            ("GET /m/", {"Host": "x.example.org:80"}, "a /"),
            ("GET /m/", {"Host": "models.net"}, "b /"),
            ("GET /m/", {"Host": "example.org"}, "-"),
        ],
    ),
    "host_regex": (
        [{"prefix": "/m/", "host": "(x|Y)[.]org", "host_regex": True}],
        [("GET /m/", {"Host": "y.org:80"}, "a /"), ("GET /m/", {"Host": "y.orgs"}, "-")],
    ),
    "headers": (
        [{"prefix": "/m/", "headers": {"X-Kind": "canary", "x-any": True}}, {"prefix": "/m/"}],
        [
            ("GET /m/", {"x-kind": "canary", "x-any": ""}, "a /"),
            ("GET /m/", {"x-kind": "canary"}, "b /"),
            ("GET /m/", {"x-kind": "Canary", "x-any": "1"}, "b /"),
        ],
    ),
    "regex_headers": (
        [{"prefix": "/m/", "regex_headers": {"user-agent": ".*Firefox.*"}}],
        [("GET /m/", {"User-Agent": "A Firefox!"}, "a /"), ("GET /m/", {"User-Agent": "curl"}, "-")],
    ),
    "query_parameters": (
        [{"prefix": "/m/", "query_parameters": {"v": "2"}, "regex_query_parameters": {"u": "u[0-9]+"}}],
        [("GET /m/?v=2&u=u7", NO, "a /?v=2&u=u7"), ("GET /m/?v=2&u=x", NO, "-"), ("GET /m/?v=3&u=u7", NO, "-")],
    ),
    "rewrite": (
        [{"prefix": "/m/", "rewrite": "/x/"}, {"prefix": "/n/", "rewrite": ""}],
        [("GET /m/y", NO, "a /x/y"), ("GET /n/y", NO, "b /n/y")],
    ),
    "the article's model": (
        [{"prefix": "/models/test/", "rewrite": "/model/test/:predict", "method": "POST"}],
        [
            ("POST /models/test/", NO, "a /model/test/:predict"),
            ("POST /models/test/abc", NO, "a /model/test/:predictabc"),
            ("POST /models/test", NO, "-"),
            ("GET /models/test/", NO, "-"),
        ],
    ),
    "precedence": (
        [{"prefix": "/m", "precedence": 10}, {"prefix": "/m/deep/"}],
        [("GET /m/deep/", NO, "a //deep/")],
    ),
    "precedence below": (
        [{"prefix": "/m/deep/", "precedence": -1}, {"prefix": "/"}],
        [("GET /m/deep/", NO, "b /m/deep/")],
    ),
    "a longer prefix before a host": (
        [{"prefix": "/api/v1/"}, {"prefix": "/api/", "host": "localhost"}],
        [("GET /api/v1/", NO, "a /"), ("GET /api/x", NO, "b /x")],
    ),
    "an expression's text outranks a shorter prefix": (
        [{"prefix": "/m/[a-z]{1,9}", "prefix_regex": True}, {"prefix": "/m/abc"}],
        [("GET /m/abc", NO, "a /")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_finds_its_server(world: World, case: str) -> None:
    written, requests = CASES[case]
    world.publish(
        *(sourced(name, service=world.target(name), **said) for name, said in zip("ab", written, strict=False))
    )
    for line, headers, expected in requests:
        method, path = line.split(" ")
        status, echo = world.ask(method, path, headers)
        assert (f"{echo.backend} {echo.path}" if echo else "-") == expected, line
        assert status in {200, 404}


def test_headers_are_added_as_they_were_written(world: World) -> None:
    added = {
        "x-percent": "100%",
        "x-operator": "%REQ(authorization)%",
        "x-true": True,
        "x-joined": "ours",
        "x-replaced": {"value": "ours", "append": False},
    }
    world.publish(sourced("m", service=world.target("a"), add_request_headers=added))
    echo = world.see("GET", "/m/", {"x-joined": "theirs", "x-replaced": "theirs", "authorization": "secret"})
    assert {name: echo.header(name) for name in added} == {
        "x-percent": "100%",
        "x-operator": "%REQ(authorization)%",
        "x-true": "true",
        "x-joined": "theirs, ours",
        "x-replaced": "ours",
    }


@pytest.mark.parametrize(
    ("attributes", "host"),
    [({}, "localhost"), ({"host_rewrite": "httpbin.org"}, "httpbin.org")],
)
def test_the_host_the_server_sees(world: World, attributes: dict[str, Any], host: str) -> None:
    world.publish(sourced("m", service=world.target("a"), **attributes))
    assert world.see("GET", "/m/").header("host") == host


def test_the_server_was_found_by_a_name_and_sees_it(world: World) -> None:
    target = f"localhost:{world.servers['a'].port}"
    world.publish(sourced("m", service=target, auto_host_rewrite=True))
    assert world.see("GET", "/m/", {"Host": "gateway.example"}).header("host") == "localhost"


def test_a_request_that_takes_too_long_is_ended(world: World) -> None:
    world.publish(sourced("m", service=world.target("a"), timeout_ms=50))
    with world.servers["a"].hold():
        assert world.ask("GET", "/m/") == (504, None)


def test_zero_waits_for_ever(world: World) -> None:
    world.publish(sourced("m", service=world.target("a"), timeout_ms=0))
    assert world.see("GET", "/m/").backend == "a"


def canary(world: World, weight: int | None, other: int | None) -> Counter[str]:
    """Who answers 300 requests of a route of two."""
    world.publish(
        sourced("a", prefix="/m/", service=world.target("a"), weight=weight),
        sourced("b", prefix="/m/", service=world.target("b"), weight=other),
    )
    return Counter(world.see("GET", "/m/").backend for _ in range(300))


@pytest.mark.parametrize(
    ("weight", "other", "answers"),
    [(100, None, {"a": 300}), (0, None, {"b": 300}), (None, 0, {"a": 300}), (100, 0, {"a": 300})],
)
def test_all_and_nothing_are_exact(
    world: World, weight: int | None, other: int | None, answers: dict[str, int]
) -> None:
    assert canary(world, weight, other) == answers


@pytest.mark.parametrize(("weight", "other", "share"), [(30, None, 0.3), (30, 10, 0.75), (60, 60, 0.5)])
def test_shares_are_kept_and_nobody_is_turned_away(world: World, weight: int, other: int | None, share: float) -> None:
    answers = canary(world, weight, other)
    assert answers.total() == 300
    # Six standard deviations of 300 draws: once in hundreds of millions of runs.
    assert abs(answers["a"] - 300 * share) < 6 * (300 * share * (1 - share)) ** 0.5


def test_another_namespace_gets_none_of_somebodys_requests(world: World) -> None:
    world.publish(
        sourced("thief", "thief", prefix="/m/", service=world.target("b"), weight=100, created="2026-02-01T00:00:00Z"),
        sourced("owner", "owner", prefix="/m/", service=world.target("a"), created="2026-01-01T00:00:00Z"),
    )
    assert Counter(world.see("GET", "/m/").backend for _ in range(100)) == {"a": 100}


SERVICE = service("m", "team", document("m"))


def test_endpoints_of_a_service_come_and_go(world: World) -> None:
    world.publish(SERVICE)
    assert world.ask("GET", "/m/") == (503, None)
    for name in "ab":
        world.publish(SERVICE, slice_("m", "team", "127.0.0.1", ports=(world.servers[name].port,)))
        assert world.see("GET", "/m/").backend == name
    world.publish(SERVICE)
    assert world.ask("GET", "/m/") == (503, None)


def test_a_bad_mapping_leaves_its_neighbours_alone(world: World) -> None:
    bad = service("m", "team", document("bad", prefix="/(?!x)", prefix_regex=True), document("worse", method=True))
    world.publish(bad, sourced("good", service=world.target("a")))
    assert world.see("GET", "/good/x").path == "/x"


def test_routes_come_and_go_on_a_connection_that_stays(world: World) -> None:
    before = world.connection.sock
    for _ in range(3):
        world.publish(sourced("m", service=world.target("a")))
        assert world.see("GET", "/m/").backend == "a"
        world.publish()
        assert world.ask("GET", "/m/") == (404, None)
    assert world.connection.sock is before is not None
