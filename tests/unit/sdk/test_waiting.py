"""Waiting, against a read API that says whatever a test wants: each missing step is named, and an old state is none."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from aiohttp import web

from kfambassador.errors import MappingRejected, NotServed
from kfambassador.kube.client import KubeClient
from kfambassador.local.background import BackgroundServer
from kfambassador.sdk.http import HttpClient
from kfambassador.sdk.publication import Publication, build_plan
from kfambassador.sdk.reading import ReadApi
from kfambassador.sdk.servers import HTTPServer
from kfambassador.sdk.waiting import Access, build_probe, wait_until_answering

PROBLEM = {"severity": "error", "code": "bad-regex", "message": "no", "object": "Service team/m", "document": 1}


def publication(**attributes: object) -> Publication:
    return build_plan(
        "m", service=80, server=HTTPServer(), namespace="team", attributes=attributes, labels={}, reaches_here=True
    ).publication


@contextmanager
def gateway(source: Mapping[str, object], *, ready: str = "", winner: str = "team/m") -> Iterator[Access]:
    """A gateway whose every answer is scripted; models behind it answer 200."""

    async def answer(request: web.Request) -> web.Response:
        split = {"mapping": winner, "service": "m", "share": 100}
        explained = {
            "request": {"method": "GET", "host": "h", "path": "/m/"},
            "winner": {"match": {"prefix": "/m/"}, "splits": [split]} if winner else None,
        }
        said = {"sources": source, "explain": explained}.get(request.path.removeprefix("/ambassador/v0/").split("/")[0])
        if request.path.endswith("/check_ready"):
            return web.Response(text=ready or "ready", status=503 if ready else 200)
        return web.Response(text=json.dumps(said))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    with (
        BackgroundServer(app) as server,
        HttpClient(direct=True) as http,
        KubeClient.connect(server.url, token="unused") as client,
    ):
        yield Access(client, ReadApi(server.url, http), http, server.url)


@pytest.mark.parametrize("version", ["812", "813", "1000"])
def test_the_version_asked_for_or_a_newer_one_is_waited_for(version: str) -> None:
    with gateway({"state": "serving", "resource_version": version}) as access:
        wait_until_answering(access, publication(), "812", timeout=0)


@pytest.mark.parametrize(
    ("source", "ready", "stage", "words"),
    [
        ({"state": "serving", "resource_version": "99"}, "", "programmed", "an Envoy is slow to acknowledge it"),
        ({"state": "rejected", "resource_version": "99"}, "", "programmed", "not yet served"),
        (
            {"state": "pending", "resource_version": "812"},
            "no Envoy is connected",
            "programmed",
            "no Envoy is connected",
        ),
        ({"state": "unknown"}, "", "accepted", "has not seen it: does it follow namespace team?"),
        ({"state": "unknown"}, "the first list is not complete", "accepted", "the first list is not complete"),
    ],
)
def test_the_missing_step_is_named(source: Mapping[str, object], ready: str, stage: str, words: str) -> None:
    with gateway(source, ready=ready) as access, pytest.raises(NotServed) as caught:
        wait_until_answering(access, publication(), "812", timeout=0)
    assert caught.value.stage == stage
    assert words in str(caught.value)


def test_a_rejection_carries_its_problems() -> None:
    source = {"state": "rejected", "resource_version": "812", "problems": [PROBLEM]}
    with gateway(source) as access, pytest.raises(MappingRejected) as caught:
        wait_until_answering(access, publication(), "812", timeout=0)
    assert [str(problem) for problem in caught.value.problems] == ["error: no (Service team/m, annotation document 1)"]


@pytest.mark.parametrize(("winner", "words"), [("team/other", "goes to team/other"), ("", "goes to no mapping")])
def test_an_answer_of_somebody_else_does_not_count(winner: str, words: str) -> None:
    source = {"state": "serving", "resource_version": "812"}
    with gateway(source, winner=winner) as access, pytest.raises(NotServed, match=words):
        wait_until_answering(access, publication(), "812", timeout=0)


@pytest.mark.parametrize(
    "attributes",
    [
        {"method": "POST"},
        {"shadow": True},
        {"method": "GET|HEAD", "method_regex": True},
        {"prefix": "/m/.*", "prefix_regex": True},
    ],
)
def test_what_only_an_unsafe_or_unknown_request_reaches_is_not_probed(attributes: dict[str, object]) -> None:
    assert build_probe(publication(**attributes)) is None


def test_the_probe_fulfils_what_the_route_asks_for() -> None:
    probe = build_probe(publication(method="GET", host="m.example", headers={"x-team": "a"}))
    assert probe is not None
    assert (probe.method, probe.path, probe.headers) == ("GET", "/m/", {"Host": "m.example", "x-team": "a"})
