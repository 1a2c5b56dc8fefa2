"""Waiting, against a read API that says whatever a test wants: each missing step is named, and an old state is none."""

import json
from collections.abc import Iterator, Mapping

import pytest
from aiohttp import web

from kfambassador.errors import MappingRejected, NoGateway, NotServed
from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.fields import as_object
from kfambassador.sdk.publishing.publication import read_publication, write_carrier
from kfambassador.sdk.readiness.status import ExposureStatus, Phase
from kfambassador.sdk.readiness.waiting import build_probe, read_status, wait_for_status, wait_until_answering
from tests.unit.sdk.publications import Script, publication, scripted_gateway, usual_answers, with_canary

PROBLEM = {"severity": "error", "code": "bad-regex", "message": "no", "object": "Service team/m", "document": 1}
SERVING = {"state": "serving", "resource_version": "812"}
PENDING = {"state": "pending", "resource_version": "812"}
UNKNOWN = {"state": "unknown"}


@pytest.fixture
def kube() -> Iterator[KubeClient]:
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        yield client


class Recorder:
    """Keeps what progress and callbacks are told."""

    def __init__(self) -> None:
        self.told: list[ExposureStatus] = []
        self.shown: list[ExposureStatus] = []
        self.closed = 0

    def __call__(self, status: ExposureStatus) -> None:
        self.told.append(status)

    def show(self, status: ExposureStatus) -> None:
        self.shown.append(status)

    def close(self) -> None:
        self.closed += 1

    @property
    def phases(self) -> list[Phase]:
        return [status.phase for status in self.told]


def in_turn(*sources: Mapping[str, object], then: Script | None = None) -> Script:
    """Answer for the source one after the other, the last for ever."""
    left = list(sources)
    usual = then or usual_answers(SERVING)

    def script(path: str) -> web.Response | None:
        if path.startswith("sources/"):
            return web.Response(text=json.dumps(left.pop(0) if len(left) > 1 else left[0]))
        return usual(path)

    return script


@pytest.mark.parametrize("version", ["812", "813", "1000"])
def test_the_version_asked_for_or_a_newer_one_is_waited_for(version: str) -> None:
    with scripted_gateway(usual_answers({"state": "serving", "resource_version": version})) as access:
        assert wait_until_answering(access, publication(), "812", timeout=0)


@pytest.mark.parametrize(
    ("source", "ready", "stage", "words"),
    [
        ({"state": "serving", "resource_version": "99"}, "", "accepted", "holds an older version of it: is its contr"),
        ({"state": "rejected", "resource_version": "99"}, "", "accepted", "holds an older version of it"),
        (PENDING, "no Envoy is connected", "programmed", "is read, and not yet served: no Envoy is connected"),
        (PENDING, "", "programmed", "an Envoy is slow to acknowledge it"),
        (UNKNOWN, "", "accepted", "has not seen it: does it follow namespace team?"),
        (UNKNOWN, "the first list is not complete", "accepted", "the first list is not complete"),
    ],
)
def test_the_missing_step_is_named(source: Mapping[str, object], ready: str, stage: str, words: str) -> None:
    with scripted_gateway(usual_answers(source, ready=ready)) as access, pytest.raises(NotServed) as caught:
        wait_until_answering(access, publication(), "812", timeout=0)
    assert caught.value.stage == stage
    assert words in str(caught.value)


def test_a_rejection_carries_its_problems_and_is_not_waited_for() -> None:
    source = {"state": "rejected", "resource_version": "812", "problems": [PROBLEM]}
    with scripted_gateway(usual_answers(source)) as access, pytest.raises(MappingRejected) as caught:
        wait_until_answering(access, publication(), "812", timeout=600)
    assert [str(problem) for problem in caught.value.problems] == ["error: no (Service team/m, annotation document 1)"]


def test_what_has_expired_is_not_waited_for() -> None:
    problem = {**PROBLEM, "code": "expired", "message": "it expired at noon"}
    source = {"state": "rejected", "resource_version": "812", "problems": [problem]}
    with scripted_gateway(usual_answers(source)) as access, pytest.raises(NotServed, match="it expired at noon"):
        wait_until_answering(access, publication(), "812", timeout=600)


@pytest.mark.parametrize(("winner", "words"), [("team/other", "goes to team/other"), ("", "goes to no mapping")])
def test_an_answer_of_somebody_else_does_not_count(winner: str, words: str) -> None:
    with (
        scripted_gateway(usual_answers(SERVING, winner=winner)) as access,
        pytest.raises(NotServed, match=words) as caught,
    ):
        wait_until_answering(access, publication(), "812", timeout=600)
    assert caught.value.stage == "programmed"


def test_envoy_has_to_agree_with_the_table() -> None:
    envoy = {"agrees": False, "difference": "Envoy has no route for it"}
    with (
        scripted_gateway(usual_answers(SERVING, envoy=envoy)) as access,
        pytest.raises(NotServed, match="Envoy has no route for it"),
    ):
        wait_until_answering(access, publication(), "812", timeout=0)


def test_a_gateway_whose_envoy_cannot_be_asked_is_believed() -> None:
    usual = usual_answers(SERVING)

    def script(path: str) -> web.Response | None:
        if path.startswith("explain") and "ask=envoy" in path:
            return web.Response(text="it has no socket to be asked by", status=501)
        return usual(path)

    with scripted_gateway(script) as access:
        assert wait_until_answering(access, publication(), "812", timeout=0)


@pytest.mark.parametrize(("asks", "proves"), [("", True), ("team/guard", False)])
def test_where_an_auth_service_is_asked_first_its_denial_proves_no_server(asks: str, proves: bool) -> None:
    usual = usual_answers(SERVING, asks=asks)

    def script(path: str) -> web.Response | None:
        return web.Response(status=401, text="who are you?") if path == "/m/" else usual(path)

    with scripted_gateway(script) as access:
        status = read_status(access, publication(), "812")
    assert bool(status) is proves
    assert ("denied with 401: an AuthService" in status.message) is not proves
    assert status.code == ("" if proves else "denied")


def test_every_variant_is_asked_by_its_header() -> None:
    seen: list[str] = []
    usual = usual_answers(SERVING)

    def script(path: str) -> web.Response | None:
        if not path.startswith("explain"):
            return usual(path)
        which = "canary" if "canary" in path else "stable"
        seen.append(which)
        return usual_answers(SERVING, winner=f"team/m.{which}.pinned")(path)

    with scripted_gateway(script) as access:
        assert wait_until_answering(access, with_canary(), "812", timeout=0)
    assert seen == ["stable", "canary"]


def test_a_variant_that_another_one_answers_for_is_not_there() -> None:
    with (
        scripted_gateway(usual_answers(SERVING, winner="team/m.stable.pinned")) as access,
        pytest.raises(NotServed, match=r"for variant canary goes to team/m\.stable\.pinned"),
    ):
        wait_until_answering(access, with_canary(), "812", timeout=0)


def test_a_shadow_is_not_asked() -> None:
    with scripted_gateway(usual_answers(SERVING)) as access:
        assert wait_until_answering(access, with_canary(name="shadow", shadow=True), "812", timeout=0)


def test_callbacks_are_told_each_new_status_and_progress_every_look() -> None:
    script = in_turn(UNKNOWN, PENDING, PENDING, SERVING)
    recorder = Recorder()
    with scripted_gateway(script) as access:
        wait_until_answering(
            access, publication(), "812", timeout=60, polling_interval=0.02, callbacks=[recorder], progress=recorder
        )
    assert recorder.phases == [Phase.APPLIED, Phase.APPLIED, Phase.ACCEPTED, Phase.PROGRAMMED, Phase.ANSWERING]
    assert [status.message for status in recorder.told[:2]] == ["", "the gateway has not seen it"]
    assert len(recorder.shown) == len(recorder.told) + 1
    assert recorder.closed == 1


def test_a_quick_one_asks_three_questions() -> None:
    asked: list[str] = []
    usual = usual_answers(SERVING)

    def script(path: str) -> web.Response | None:
        asked.append(path.partition("?")[0].partition("/")[0])
        return usual(path)

    with scripted_gateway(script) as access:
        wait_until_answering(access, publication(), "812", timeout=60)
    assert asked == ["sources", "explain", ""]


def test_what_a_callback_raises_is_its_callers() -> None:
    def fail(status: ExposureStatus) -> None:
        raise NoGateway("of the callback")

    recorder = Recorder()
    with scripted_gateway(usual_answers(SERVING)) as access, pytest.raises(NoGateway, match="of the callback"):
        wait_until_answering(access, publication(), "812", timeout=60, callbacks=[fail], progress=recorder)
    assert recorder.closed == 1


def test_a_read_api_that_is_away_for_a_while_is_waited_for_and_told() -> None:
    usual = usual_answers(SERVING)
    left = [503, 401, 502]

    def script(path: str) -> web.Response | None:
        if left and path.startswith("sources/"):
            return web.Response(text="not now", status=left.pop(0))
        return usual(path)

    recorder = Recorder()
    with scripted_gateway(script) as access:
        wait_until_answering(
            access, publication(), "812", timeout=60, polling_interval=0.02, callbacks=[recorder], progress=recorder
        )
    assert [status.code for status in recorder.told if status.code] == ["unreachable"] * 3
    assert "does not take this token" in recorder.told[2].message
    assert recorder.phases[-1] is Phase.ANSWERING


def test_a_read_api_that_stays_away_is_the_error() -> None:
    def script(path: str) -> web.Response | None:
        return web.Response(text="not now", status=503)

    with scripted_gateway(script) as access, pytest.raises(NoGateway, match="not now"):
        wait_until_answering(access, publication(), "812", timeout=0.05, polling_interval=0.01)


def carrier(*, annotated: bool = True) -> dict[str, object]:
    annotations = {"annotations": {CONFIG_ANNOTATION: "---"}} if annotated else {}
    metadata = {"name": "m", "namespace": "team", **annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}


def test_what_was_deleted_while_it_is_waited_for_is_said_at_once(kube: KubeClient) -> None:
    with (
        scripted_gateway(in_turn(UNKNOWN), client=kube) as access,
        pytest.raises(NotServed, match="Service team/m was deleted, so m is not served"),
    ):
        wait_until_answering(access, publication(), "812", timeout=600, polling_interval=0.01)


def test_what_is_there_and_not_seen_is_not_called_deleted(kube: KubeClient) -> None:
    kube.create(carrier())
    with (
        scripted_gateway(in_turn(UNKNOWN), client=kube) as access,
        pytest.raises(NotServed, match="the gateway has not seen it"),
    ):
        wait_until_answering(access, publication(), "812", timeout=0.1, polling_interval=0.01)


def test_a_carrier_that_lost_its_annotation_is_said(kube: KubeClient) -> None:
    kube.create(carrier(annotated=False))
    with scripted_gateway(in_turn(UNKNOWN), client=kube) as access:
        status = read_status(access, publication(), "812")
    assert status.phase is Phase.GONE
    assert f"took the annotation {CONFIG_ANNOTATION} off" in status.message


def test_a_namespace_that_is_gone_is_blamed() -> None:
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
        scripted_gateway(in_turn(UNKNOWN), client=client) as access,
    ):
        status = read_status(access, publication(), "812")
    assert status.message == "Service team/m was deleted with its namespace team"


def test_a_phase_that_was_passed_counts_as_reached() -> None:
    with scripted_gateway(usual_answers(SERVING)) as access:
        assert wait_for_status(access, publication(), "812", "Accepted", timeout=0).phase is Phase.PROGRAMMED


@pytest.mark.parametrize(
    ("source", "phase"), [({**SERVING, "state": "rejected", "problems": [PROBLEM]}, "Rejected"), (UNKNOWN, "Gone")]
)
def test_a_failure_can_be_what_is_waited_for(kube: KubeClient, source: Mapping[str, object], phase: str) -> None:
    with scripted_gateway(usual_answers(source), client=kube) as access:
        assert wait_for_status(access, publication(), "812", {phase}, timeout=0).phase == phase


def test_what_does_not_come_is_said_with_what_is_there() -> None:
    with (
        scripted_gateway(usual_answers(SERVING)) as access,
        pytest.raises(NotServed, match="m is Answering, and did not become Gone or Rejected in time"),
    ):
        wait_for_status(access, publication(), "812", {"Gone", "Rejected"}, timeout=0)


@pytest.mark.parametrize(
    ("status", "timeout", "interval", "words"),
    [
        ("Answring", 1.0, 1.0, "'Answring' is no phase .* did you mean Answering"),
        ("Answering", -1.0, 1.0, "timeout=-1.0"),
        ("Answering", 1.0, 0.0, "polling_interval=0.0"),
    ],
)
def test_a_callers_mistake_is_said_at_once(status: str, timeout: float, interval: float, words: str) -> None:
    with scripted_gateway(usual_answers(SERVING)) as access, pytest.raises(ValueError, match=words):
        wait_for_status(access, publication(), "812", status, timeout=timeout, polling_interval=interval)


@pytest.mark.parametrize(
    "attributes",
    [
        {"method": "POST"},
        {"shadow": True},
        {"method": "GET|HEAD", "method_regex": True},
        {"prefix": "/m/.*", "prefix_regex": True},
        {"host": "m.*", "host_regex": True},
        {"regex_headers": {"x-v": "1.*"}},
        {"regex_query_parameters": {"v": "1.*"}},
    ],
)
def test_what_only_an_unsafe_or_unknown_request_reaches_is_not_probed(attributes: dict[str, object]) -> None:
    assert build_probe(publication(attributes=attributes)) is None


def test_what_is_not_probed_is_served_all_the_same() -> None:
    with scripted_gateway(usual_answers(SERVING)) as access:
        unsafe = publication("m.example:80", attributes={"method": "POST"})
        status = wait_until_answering(access, unsafe, "812", timeout=0)
    assert status.steps[-1].message == "no request without effect reaches it, so none was sent"


def test_the_probe_fulfils_what_the_route_asks_for() -> None:
    probe = build_probe(publication(attributes={"method": "GET", "host": "m.example", "headers": {"x-team": "a"}}))
    assert probe is not None
    assert (probe.method, probe.path, probe.headers) == ("GET", "/m/", {"Host": "m.example", "x-team": "a"})


def test_a_publication_whose_note_was_edited_away_is_probed_by_its_mapping() -> None:
    manifest = write_carrier(publication(attributes={"host": "m.example"}))
    annotations = as_object(as_object(manifest["metadata"])["annotations"])
    bare = {
        "metadata": {
            "name": "m",
            "namespace": "team",
            "annotations": {CONFIG_ANNOTATION: annotations[CONFIG_ANNOTATION]},
        }
    }
    probe = build_probe(read_publication({"kind": "Service", **bare}), "stable")
    assert probe is not None
    assert (probe.path, probe.headers) == ("/m/", {"Host": "m.example"})
