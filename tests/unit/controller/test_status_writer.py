"""When a status is written, and when not: passes made by hand, against a scripted API and a clock of our own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from kfambassador.controller.state import Work
from kfambassador.controller.status_writer import StatusPace, StatusWriter
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed
from kfambassador.problems import Fault, ObjectKey, Origin, Problem
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.model import Compiled, RoutingTable
from tests.unit.kube.scripted_api import TOKEN, Answer, Received, ScriptedApi, answer, refusal, scripted_api

PACE = StatusPace(gather=0, between=0, shortest=1, longest=60, forbidden=300)


def mapping(name: str = "m", *, version: int = 1, status: object = None) -> Manifest:
    metadata = {"name": name, "namespace": "team", "resourceVersion": str(version), "generation": 1}
    return {"apiVersion": MAPPING.api_version, "kind": "Mapping", "metadata": metadata, "status": status or {}}


def key(name: str = "m") -> ObjectKey:
    return ObjectKey("Mapping", "team", name)


def conflict(name: str = "m", words: str = "taken") -> Problem:
    return Fault("prefix-taken", words).at(Origin(key(name)))


def work(*problems: Problem, names: tuple[str, ...] = ("m",), version: str = "1", generation: int = 1) -> Work:
    sources = {key(name): version for name in names}
    resources = ResourceSet(sources=sources, generation=generation)
    return Work(resources, Compiled(RoutingTable(), problems), since=dict.fromkeys(sources, generation))


@dataclass
class Rig:
    """A writer, what its API received, and its clock."""

    writer: StatusWriter
    api: ScriptedApi
    now: float = field(default=1000.0)

    def written(self) -> list[Received]:
        """Make a pass; give what was sent."""
        self.writer.write_open()
        return list(self.api.requests())

    def see(self, manifest: Manifest, kind: EventType = EventType.MODIFIED) -> None:
        self.writer.see(Changed(MAPPING, Event(kind, manifest)))


@contextmanager
def rig(*script: Answer, names: tuple[str, ...] = ("m",)) -> Iterator[Rig]:
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        made: list[Rig] = []
        writer = StatusWriter(client, pace=PACE, clock=lambda: made[0].now, tell_time=lambda: "2026-01-01T00:00:00Z")
        made.append(Rig(writer, api))
        writer.see(Listed(MAPPING, tuple(mapping(name) for name in names), "1"))
        yield made[0]
        writer.stop()


def stored(received: Received, *, version: int) -> Manifest:
    return mapping(version=version, status=received.body["status"])


def test_a_status_is_written_for_the_version_that_was_judged() -> None:
    with rig(answer(mapping(version=2))) as running:
        assert running.written() == []
        running.writer.report(work(), served=1)
        [patch] = running.written()
        assert (patch.method, patch.path) == (
            "PATCH",
            "/apis/getambassador.io/v3alpha1/namespaces/team/mappings/m/status",
        )
        assert patch.body["metadata"] == {"resourceVersion": "1"}
        assert patch.body["status"]["state"] == "Running"


@pytest.mark.parametrize(
    ("made", "served"),
    [(work(), None), (work(generation=2), 1), (work(version="0"), 1), (work(names=()), 1)],
    ids=["no Envoy", "not acknowledged", "another version", "not read"],
)
def test_nothing_is_written_of_what_is_not_decided(made: Work, served: int | None) -> None:
    with rig(answer(mapping(version=2))) as running:
        running.writer.report(made, served)
        assert running.written() == []


def test_a_conflict_is_told_without_any_envoy() -> None:
    with rig(answer(mapping(version=2))) as running:
        running.writer.report(work(conflict()), served=None)
        [patch] = running.written()
        assert patch.body["status"]["reason"] == "taken"


def test_its_own_echo_is_no_reason_to_write_again() -> None:
    with rig(answer(mapping(version=2))) as running:
        running.writer.report(work(), served=1)
        [patch] = running.written()
        running.see(stored(patch, version=2))
        running.writer.report(work(version="2", generation=2), served=2)
        running.now += 1000
        assert running.written() == []


def test_a_definition_that_keeps_only_a_part_is_not_written_to_for_ever() -> None:
    kept = {"state": "Running", "reason": ""}
    with rig(answer(mapping(version=2, status=kept))) as running:
        running.writer.report(work(), served=1)
        assert len(running.written()) == 1
        running.see(mapping(version=2, status=kept))
        running.writer.report(work(version="2", generation=2), served=2)
        running.now += 1000
        assert running.written() == []


def test_who_writes_something_else_again_and_again_is_answered_ever_more_rarely() -> None:
    theirs = {"state": "Inactive", "reason": "theirs"}
    with rig(answer(mapping(version=1))) as running:
        running.writer.report(work(), served=1)
        writes = len(running.written())
        for _ in range(1200):
            running.now += 1
            running.see(mapping(status=theirs))
            writes += len(running.written())
        # 1, 2, 4 ... 32 seconds, and then once a minute.
        assert 20 <= writes <= 30


def test_a_missing_permission_is_told_once_and_tried_rarely(caplog: pytest.LogCaptureFixture) -> None:
    names = ("a", "b", "c")
    with rig(refusal(403, "Forbidden", "no"), names=names) as running:
        running.writer.report(work(names=names), served=1)
        assert len(running.written()) == 1
        for second in range(299):
            running.now += 1
            running.writer.report(work(names=names, generation=second), served=second)
            assert running.written() == []
        running.now += 1
        assert len(running.written()) == 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "Statuses of Mappings are not written" in warnings[0]


def test_an_api_that_fails_is_asked_again_later_and_nothing_is_forgotten() -> None:
    fail, good = refusal(503, "ServiceUnavailable"), answer(mapping(version=2))
    with rig(fail, fail, good, names=("a", "b")) as running:
        running.writer.report(work(names=("a", "b")), served=1)
        assert [len(running.written()) for _ in range(2)] == [1, 0]
        running.now += 1
        assert len(running.written()) == 1
        running.now += 1
        assert running.written() == []
        running.now += 1
        assert len(running.written()) == 2


def test_a_mapping_that_changed_meanwhile_waits_for_its_event() -> None:
    with rig(refusal(409, "Conflict"), answer(mapping(version=3))) as running:
        running.writer.report(work(), served=1)
        assert len(running.written()) == 1
        running.now += 1000
        assert running.written() == []
        running.see(mapping(version=2))
        running.writer.report(work(version="2"), served=1)
        assert len(running.written()) == 1


def test_what_is_gone_or_has_no_status_is_not_tried_again() -> None:
    with rig(refusal(404, "NotFound")) as running:
        running.writer.report(work(), served=1)
        assert len(running.written()) == 1
        running.now += 1000
        running.writer.report(work(generation=2), served=2)
        assert running.written() == []
        running.see(mapping(), EventType.DELETED)
        assert running.written() == []
