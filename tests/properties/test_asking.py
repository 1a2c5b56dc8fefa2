"""Whatever the mappings and the request: what we explain is what Envoy does."""

import asyncio
import stat
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.controller.asking import EnvoyAnswer, ask_route, find_difference
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.names import ASKING_SOCKET
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine, normalize_path
from tests.builders import compiled, resource_set, sourced
from tests.properties.mappings import mapping_lists, requests
from tests.xds_gateway import XdsGateway, xds_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("asking")]

GENERATION_PATH = "/generation"

generations = count(1)


@pytest.fixture(scope="module")
def gateway() -> Iterator[XdsGateway]:
    with xds_gateway(translate(RoutingTable(generation=next(generations)), ListenerSettings(port=0))) as running:
        yield running


def serve(gateway: XdsGateway, *written: SourcedMapping) -> RoutingTable:
    """Serve mappings; when this returns questions are answered by them."""
    generation = next(generations)
    mark = sourced(f"g{generation}", prefix=GENERATION_PATH, prefix_exact=True, service="10.0.0.9", precedence=9)
    placed = [replace(each, mapping=each.mapping.model_copy(update={"service": "10.0.0.1"})) for each in written]
    resources = resource_set(mark, *placed, generation=generation)
    table = compile_routes(resources, replace(TenancyPolicy.laptop(), claims=False)).table
    gateway.serve(snapshot(table, gateway.directory))
    question = RequestLine("GET", "a.com", GENERATION_PATH)
    while ask(gateway, question).route != f"default/g{generation}":
        pass
    return table


def snapshot(table: RoutingTable, directory: Path) -> Snapshot:
    return translate(table, ListenerSettings(port=0, asking_socket=directory / ASKING_SOCKET))


def ask(gateway: XdsGateway, line: RequestLine) -> EnvoyAnswer:
    return asyncio.run(ask_route(gateway.directory / ASKING_SOCKET, line))


def differs(gateway: XdsGateway, table: RoutingTable, line: RequestLine) -> str:
    return find_difference(explain(table, line), ask(gateway, line))


@settings(max_examples=40)
@given(written=mapping_lists(least=4, most=25), lines=st.lists(requests(), min_size=10, max_size=20))
def test_table_and_envoy_agree(gateway: XdsGateway, written: list[SourcedMapping], lines: list[RequestLine]) -> None:
    table = serve(gateway, *written)
    assert [differs(gateway, table, line) for line in lines] == [""] * len(lines)


ODD_PIECES = (
    *["/", "/", "a", ".", "..", "%2e", "%2E", "%41", "%7e", "%2d", "%20", " ", "é", "\\", "%", "%4", "%zz", "%25"],
    *"\"<>^`{|}'()*,;=:@[]!$&+~_-",
    *["%2f", "%5C", "\x7f", "\x01"],
)
ODD_PATHS = st.lists(st.sampled_from(ODD_PIECES), max_size=8).map(lambda pieces: "/" + "".join(pieces))


@pytest.fixture(scope="module")
def everything(gateway: XdsGateway) -> RoutingTable:
    return serve(gateway, sourced("all", prefix="/"))


@settings(max_examples=400)
@given(path=ODD_PATHS)
def test_paths_are_tidied_as_envoy_tidies_them(gateway: XdsGateway, everything: RoutingTable, path: str) -> None:
    assert differs(gateway, everything, RequestLine("GET", "a.com", path)) == ""


@pytest.mark.parametrize("path", ["/a//b/../c/", "/%2e%2E/x", "/a/.", "/a/%7e\\b", "/a b", "/"])
def test_a_tidied_path_stays_as_it_is(path: str) -> None:
    assert normalize_path(normalize_path(path)) == normalize_path(path)


def test_the_socket_is_its_owners_alone_and_no_request_passes(gateway: XdsGateway) -> None:
    serve(gateway, sourced("m"))
    assert stat.S_IMODE((gateway.directory / ASKING_SOCKET).stat().st_mode) == 0o600
    ask(gateway, RequestLine("POST", "a.com", "/m/x"))
    counted = gateway.admin("/stats?filter=upstream_(rq_total|cx_total)$")
    sums = [line for line in counted.splitlines() if line.startswith("cluster.cluster_") and not line.endswith(": 0")]
    assert sums == []


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        (RequestLine.read("GET", "/m/a%2fb"), EnvoyAnswer(refusal="400: path_normalization_failed")),
        (RequestLine.read("TRACE", "/m/"), EnvoyAnswer(refusal="403: rbac_access_denied_matched_policy[refused]")),
        (RequestLine.read("GET", "/m/", {"a_b": "1"}), EnvoyAnswer(refusal="400: http1.unexpected_underscore")),
        (RequestLine.read("GET", "/none"), EnvoyAnswer(path="/none")),
        (RequestLine.read("HEAD", "/none"), EnvoyAnswer(path="/none")),
        (RequestLine.read("HEAD", "/r/x"), EnvoyAnswer(route="default/r", path="/r/x")),
        (RequestLine.read("GET", "/s/?a=1"), EnvoyAnswer(route="default/s", path="/s/?a=1")),
        (RequestLine.read("GET", "/r/"), EnvoyAnswer(route="default/r", path="/r/")),
        (RequestLine.read("GET", "/id/", {"kubeflow-userid": "eve"}), EnvoyAnswer(path="/id/")),
        (RequestLine.read("GET", "/id/", {"x-envoy-x": "eve"}), EnvoyAnswer(path="/id/")),
    ],
)
def test_answers(gateway: XdsGateway, request_line: RequestLine, answer: EnvoyAnswer) -> None:
    table = serve(
        gateway,
        sourced("m"),
        sourced("s", headers={":path": "/s/?a=1", ":scheme": "http"}, prefix="/", host_redirect=True),
        sourced("r", host_redirect=True),
        sourced("id", headers={"kubeflow-userid": "eve"}),
        sourced("id2", prefix="/id/", headers={"x-envoy-x": "eve"}),
    )
    told = ask(gateway, request_line)
    assert told == answer
    assert find_difference(explain(table, request_line), told) == ""


def test_any_split_with_a_share_is_right_and_one_without_is_not() -> None:
    canary = [sourced(name, prefix="/m/", weight=weight) for name, weight in (("a", 30), ("b", 70), ("c", 0))]
    table = compiled(*canary).table
    explanation = explain(table, RequestLine.read("GET", "/m/"))
    (route,) = table.routes()
    clusters = {split.mapping.name: split.cluster for split in route.splits}
    answers = {name: EnvoyAnswer(f"default/{name}", cluster, "/m/") for name, cluster in clusters.items()}
    assert {name: find_difference(explanation, answer) == "" for name, answer in answers.items()} == {
        "a": True,
        "b": True,
        "c": False,
    }
