"""One bad object never touches another, on a real Envoy: it refuses nothing, and answers for the others as if alone."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from itertools import count, islice

import pytest
from hypothesis import given, settings

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.translate import translate
from kfambassador.routing.matches import HOST, METHOD
from kfambassador.routing.model import PathKind, Route, ValueKind, ValueMatch
from tests.backends import Echo, EchoServer
from tests.properties.damage import mutilate_all
from tests.properties.test_isolation import Scene, bad_place, compile_objects, good_place, scenes
from tests.properties.written import Manifest, annotate, customize, write_text
from tests.xds_gateway import XdsGateway, request, xds_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("isolation")]

#: How many of everything that can be damaged in one way are left out, to one that is tried.
STRIDE = 23
TOGETHER = 250

generations = count(1)


@pytest.fixture(scope="module")
def backend() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway() -> Iterator[XdsGateway]:
    first = replace(compile_objects([]).table, generation=next(generations))
    with xds_gateway(translate(first, ListenerSettings(port=0))) as running:
        yield running


@pytest.fixture(scope="module")
def connection(gateway: XdsGateway) -> Iterator[HTTPConnection]:
    with closing(gateway.connect()) as opened:
        yield opened


def offer(gateway: XdsGateway, objects: Iterable[Manifest]) -> tuple[Route, ...]:
    """Have Envoy take what objects come to; give the routes."""
    table = replace(compile_objects(objects).table, generation=next(generations))
    rejection = gateway.offer(translate(table, ListenerSettings(port=0))).rejection
    assert rejection is None, rejection.message
    return table.routes()


@settings(max_examples=20)
@given(scene=scenes(good=3, bad=40))
def test_what_is_answered_beside_bad_objects_is_what_is_answered_without(
    gateway: XdsGateway, connection: HTTPConnection, backend: EchoServer, scene: Scene
) -> None:
    good = json.loads(json.dumps(scene.good).replace("127.0.0.1:9", f"127.0.0.1:{backend.port}"))
    routes = [route for route in offer(gateway, [*good, mark(backend, 1)]) if route.match.path.text != "/mark/1"]
    await_mark(connection, 1)
    alone = [answer(connection, route) for route in routes]
    offer(gateway, [*scene.bad, *good, mark(backend, 2)])
    await_mark(connection, 2)
    assert [answer(connection, route) for route in routes] == alone


def mark(backend: EchoServer, number: int) -> Manifest:
    """A mapping by which to see that Envoy serves what it has taken in."""
    place = good_place(10**6 + number)
    document = {"apiVersion": "ambassador/v1", "kind": "Mapping", "name": f"mark{number}"}
    text = write_text({**document, "prefix": f"/mark/{number}", "service": f"127.0.0.1:{backend.port}"})
    return annotate([text], place)


def await_mark(connection: HTTPConnection, number: int) -> None:
    while request(connection, "GET", f"/mark/{number}")[0].status != 200:
        pass


def answer(connection: HTTPConnection, route: Route) -> tuple[object, ...]:
    """What a request that a route takes is answered with, and what the backend saw of it."""
    path = route.match.path.text
    if route.match.path.kind is not PathKind.EXACT:
        path = path.partition("[")[0].partition("(")[0].partition(".")[0] + "x"
    headers = {each.name: value_of(each) for each in route.match.headers}
    query = "&".join(f"{each.name}={value_of(each)}" for each in route.match.query_parameters)
    method, host = headers.pop(METHOD, "GET"), headers.pop(HOST, "a.com").strip("*")
    asked = {name: value for name, value in headers.items() if not name.startswith(":")} | {"Host": host}
    response, body = request(connection, method, f"{path}?{query}".replace(" ", "%20"), asked)
    seen = Echo.read(body) if response.status == 200 else None
    kept = {name for name, _ in seen.headers} - {"x-request-id"} if seen else set()
    return response.status, response.headers.get("location"), seen and seen.path, sorted(kept)


def value_of(condition: ValueMatch) -> str:
    """A value that a condition of the table of attributes takes."""
    if condition.kind in {ValueKind.SUFFIX, ValueKind.PREFIX}:
        return "a.com"
    if condition.kind is ValueKind.REGEX:
        return {METHOD: "GET", HOST: "a.com", "x-s": "a"}.get(condition.name, "1")
    return condition.value or "1"


def test_mappings_in_order_are_answered(gateway: XdsGateway, connection: HTTPConnection, backend: EchoServer) -> None:
    # The property above would hold of a gateway that answers nobody.
    routes = offer(gateway, [mark(backend, 3)])
    await_mark(connection, 3)
    assert [answer(connection, route)[:1] for route in routes] == [(200,)]


def test_nothing_odd_of_any_attribute_is_refused_by_envoy(gateway: XdsGateway) -> None:
    written = islice(mutilate_all(), 0, None, STRIDE)
    numbered = enumerate(written)
    served = 0
    while together := list(islice(numbered, TOGETHER)):
        served += len(offer(gateway, [alone(number, spec) for number, spec in together]))
    # Much that is odd is served; what Envoy would refuse must be among what is not.
    assert served > 500


def alone(number: int, spec: dict[str, object]) -> Manifest:
    """A custom resource with a path of its own, unless its specification says otherwise."""
    place = bad_place(number)
    given = {"prefix": place.prefix, "service": "127.0.0.1:9", **spec}
    return customize({"apiVersion": "getambassador.io/v2", "kind": "Mapping", "spec": given}, place)
