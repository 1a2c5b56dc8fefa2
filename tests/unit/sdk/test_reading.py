"""The read API's client: what answers otherwise than a gateway is said to be no gateway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from kfambassador.errors import NoGateway
from kfambassador.local.background import BackgroundServer
from kfambassador.problems import Fault, ObjectKey, Origin, Severity
from kfambassador.routing.describe import describe_problem
from kfambassador.sdk.calling.credentials import BearerToken
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.problem_views import ProblemView
from kfambassador.sdk.reaching.reading import ReadApi
from tests.ports import free_port


@contextmanager
def answering(text: str, *, status: int = 200) -> Iterator[tuple[ReadApi, list[str]]]:
    """A read API that always says the same, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(text=text, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    with BackgroundServer(app) as server, HttpClient(credentials=BearerToken("canary"), direct=True) as http:
        yield ReadApi(server.url, http), asked


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("<html>a proxy", 200, "is not a gateway's read API: '<html>a proxy'"),
        ('{"routes": [{"match": 7}]}', 200, "is not a gateway's read API"),
        (
            '{"error": "the bearer token is missing or wrong"}',
            401,
            "take this token: the bearer token is missing or wrong.",
        ),
        ("gone wrong", 500, "answered /routes with 500: gone wrong"),
    ],
)
def test_what_is_no_read_api_is_said(text: str, status: int, words: str) -> None:
    with answering(text, status=status) as (reader, _), pytest.raises(NoGateway) as caught:
        reader.routes()
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_it_refuses_is_told_whole_and_in_its_own_words() -> None:
    command = f"kubectl create rolebinding {'x' * 500} --serviceaccount team:ann"
    refusal = json.dumps({"error": f"Missing is a permission: {command}"})
    with answering(refusal, status=403) as (reader, _), pytest.raises(NoGateway) as caught:
        reader.routes()
    assert str(caught.value).endswith(f" does not show you this: Missing is a permission: {command}")


def test_where_nothing_has_routes_yet_the_namespace_is_named() -> None:
    async def answer(request: web.Request) -> web.Response:
        named = request.query.getall("namespace", [])
        return web.json_response(
            {"routes": []} if named == ["team"] else {"error": "none"}, status=200 if named else 403
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    with BackgroundServer(app) as server, HttpClient(direct=True) as http:
        assert ReadApi(server.url, http, "team").routes() == ()
        with pytest.raises(NoGateway, match="does not show you this: none"):
            ReadApi(server.url, http).routes()


def test_no_answer_is_no_gateway() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with HttpClient(direct=True) as http, pytest.raises(NoGateway, match=r"does not answer.*Connection refused"):
        ReadApi(url, http).problems()


def test_what_a_newer_gateway_adds_is_passed_over() -> None:
    with answering('{"generation": 7, "routes": [], "new": {}}') as (reader, _):
        assert reader.routes() == ()


def test_a_source_is_asked_for_with_its_version() -> None:
    with answering('{"state": "serving", "resource_version": "812"}') as (reader, asked):
        reader.source(ObjectKey("Service", "team", "a b"), resource_version="812", wait=100)
    assert asked == ["/ambassador/v0/sources/Service/team/a%20b?resource_version=812&wait=30.000"]


@pytest.mark.parametrize(
    "origin",
    [
        Origin(ObjectKey("Service", "team", "mnist"), document=2, line=9),
        Origin(ObjectKey("Node", "", "n1")),
        Origin(file="a.yaml", document=1),
    ],
)
def test_a_problem_comes_through_as_it_was(origin: Origin) -> None:
    problem = Fault("bad-regex", "refused", path="prefix", severity=Severity.WARNING).at(origin)
    assert ProblemView.model_validate(describe_problem(problem)).as_problem() == problem
