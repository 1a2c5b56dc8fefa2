"""When a status is written, and when not: passes made by hand, against a scripted API and a clock of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import pytest

from kfambassador.controller.reporting.limits import Limit
from kfambassador.controller.reporting.status import Statement, Verdict, judge, write_status
from kfambassador.controller.reporting.status_writer import Patience, StatusWriter
from kfambassador.controller.reporting.teller import Pace
from kfambassador.controller.state import SourceState, SourceStatus, Work
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed
from kfambassador.problems import Origin
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.policy import TenancyPolicy
from tests.unit.controller.reporting.rigs import TIME, Clock, Post, conflict, key, manifest, work
from tests.unit.kube.scripted_api import (
    TOKEN,
    Answer,
    Received,
    ScriptedApi,
    answer,
    refusal,
    scripted_api,
    silence,
)

PACE = Pace(limit=Limit(burst=1e6, rate=1e6), gather=0, shortest=1, longest=60, forbidden=300)
PATIENCE = Patience(shortest=1, longest=60, pending=10)
UNDECLARED = (
    "failed to create typed patch object (team/m; getambassador.io/v3alpha1, Kind=Mapping): "
    ".status.conditions: field not declared in schema"
)


@dataclass
class Rig:
    """A writer, what its API received, its clock and its office."""

    writer: StatusWriter
    api: ScriptedApi
    clock: Clock
    post: Post

    def written(self) -> list[Received]:
        """Make a pass; give what was sent."""
        self.writer.write_open()
        return list(self.api.requests())

    def see(self, changed: Manifest, kind: EventType = EventType.MODIFIED) -> None:
        self.writer.see(Changed(MAPPING, Event(kind, changed)))


@contextmanager
def rig(
    *script: Answer, names: tuple[str, ...] = ("m",), status: object = None, pace: Pace = PACE, ids: str = "default"
) -> Iterator[Rig]:
    clock, post = Clock(), Post()
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        writer = StatusWriter(
            client,
            leadership=post,
            policy=TenancyPolicy(gateway_ids=frozenset(ids.split())),
            pace=pace,
            patience=PATIENCE,
            clock=clock,
            tell_time=lambda: TIME,
        )
        writer.see(Listed(MAPPING, tuple(manifest(name, status=status) for name in names), "1"))
        yield Rig(writer, api, clock, post)
        writer.stop()


def stored(received: Received, *, version: int) -> Manifest:
    return manifest(version=version, status=received.body["status"])


def served_status() -> dict[str, object]:
    verdict: Verdict | None = judge(SourceStatus(key(), "1", SourceState.SERVING))
    assert verdict is not None
    return write_status(verdict, generation=1, before=Statement(), now=TIME)


def test_a_status_is_applied_for_the_version_that_was_judged() -> None:
    with rig(answer(manifest(version=2))) as running:
        assert running.written() == []
        running.writer.report(work(), served=1)
        [patch] = running.written()
        assert (patch.method, patch.path) == (
            "PATCH",
            "/apis/getambassador.io/v3alpha1/namespaces/team/mappings/m/status",
        )
        assert patch.headers["Content-Type"] == "application/apply-patch+yaml"
        assert dict(patch.query) == {"fieldManager": "kfambassador", "force": "true"}
        assert patch.body["metadata"] == {"name": "m", "namespace": "team", "resourceVersion": "1"}
        assert "spec" not in patch.body
        assert patch.body["status"]["state"] == "Running"
        assert [each["type"] for each in patch.body["status"]["conditions"]][1:] == [
            "Accepted",
            "Programmed",
            "Conflicted",
            "Quarantined",
        ]
        assert running.writer.counts == {"written": 1}


@pytest.mark.parametrize(
    ("made", "served"),
    [(work(), None), (work(generation=2), 1), (work(version="0"), 1), (work(names=()), 1)],
    ids=["no Envoy", "not acknowledged", "another version", "not read"],
)
def test_nothing_is_written_of_what_is_not_decided(made: Work, served: int | None) -> None:
    with rig(answer(manifest(version=2))) as running:
        running.writer.report(made, served)
        assert running.written() == []


def test_what_no_envoy_acknowledges_for_long_is_told_as_pending_once_and_then_as_served() -> None:
    with rig(answer(manifest(version=2)), answer(manifest(version=3))) as running:
        running.writer.report(work(), served=None)
        assert running.writer.write_open() == running.clock.now + 10
        running.clock.now += 10
        [patch] = running.written()
        assert patch.body["status"]["state"] == ""
        assert patch.body["status"]["conditions"][2]["reason"] == "Pending"
        running.see(stored(patch, version=2))
        running.writer.report(work(version="2"), served=None)
        running.clock.now += 100
        assert running.written() == []
        running.writer.report(work(version="2", generation=2), served=2)
        [patch] = running.written()
        assert patch.body["status"]["state"] == "Running"


def test_an_envoy_that_starts_again_takes_back_nothing_that_was_said() -> None:
    with rig(answer(manifest(version=2)), status=served_status()) as running:
        running.writer.report(work(), served=None)
        running.written()
        running.clock.now += 1000
        assert running.written() == []


def test_what_is_said_already_is_not_written_when_the_writer_starts() -> None:
    names = tuple(f"m{number}" for number in range(50))
    with rig(answer(manifest(version=2)), names=names, status=served_status()) as running:
        running.writer.report(work(names=names), served=1)
        assert running.written() == []


def test_a_conflict_is_told_without_any_envoy() -> None:
    with rig(answer(manifest(version=2))) as running:
        running.writer.report(work(conflict()), served=None)
        [patch] = running.written()
        assert patch.body["status"]["reason"] == "taken"


def test_its_own_echo_is_no_reason_to_write_again() -> None:
    with rig(answer(manifest(version=2))) as running:
        running.writer.report(work(), served=1)
        [patch] = running.written()
        running.see(stored(patch, version=2))
        running.writer.report(work(version="2", generation=2), served=2)
        running.clock.now += 1000
        assert running.written() == []


def test_a_definition_that_keeps_only_a_part_is_not_written_to_for_ever() -> None:
    kept = {"state": "Running", "reason": ""}
    with rig(answer(manifest(version=2, status=kept))) as running:
        running.writer.report(work(), served=1)
        assert len(running.written()) == 1
        running.see(manifest(version=2, status=kept))
        running.writer.report(work(version="2", generation=2), served=2)
        running.clock.now += 1000
        assert running.written() == []


def test_a_definition_that_knows_no_conditions_gets_state_and_reason_at_once_and_no_more_conditions() -> None:
    kept = {"state": "Running", "reason": ""}
    script = (refusal(500, "InternalError", UNDECLARED), answer(manifest(version=2, status=kept)))
    names = ("a", "b", "c")
    with rig(*script, names=names) as running:
        running.writer.report(work(names=names), served=1)
        first, *others = running.written()
        assert "conditions" in first.body["status"]
        assert [each.body["status"] for each in others] == [kept] * 3
        for name in names:
            running.see(manifest(name, version=2, status=kept))
        running.writer.report(work(version="2", names=names, generation=2), served=2)
        running.clock.now += 1000
        assert running.written() == []


def test_who_writes_something_else_again_and_again_is_answered_ever_more_rarely() -> None:
    theirs = {"state": "Inactive", "reason": "theirs"}
    with rig(answer(manifest(version=1))) as running:
        running.writer.report(work(), served=1)
        writes = len(running.written())
        for _ in range(1200):
            running.clock.now += 1
            running.see(manifest(status=theirs))
            writes += len(running.written())
        # 1, 2, 4 ... 32 seconds, and then once a minute.
        assert 20 <= writes <= 30


def test_many_are_written_at_the_pace_that_is_set_and_each_once() -> None:
    names = tuple(f"m{number:03}" for number in range(100))
    slow = Pace(limit=Limit(burst=10, rate=5), gather=0)
    with rig(answer(manifest(version=2)), names=names, pace=slow) as running:
        running.writer.report(work(names=names), served=1)
        sent = running.written()
        assert len(sent) == 10
        assert running.writer.write_open() == pytest.approx(running.clock.now + 0.2)
        for _ in range(18):
            running.clock.now += 1
            more = running.written()
            assert len(more) == 5
            sent += more
        assert sorted(each.body["metadata"]["name"] for each in sent) == list(names)
        assert running.written() == []


def test_a_missing_permission_is_told_once_and_tried_rarely() -> None:
    names, told = ("a", "b", "c"), []
    with rig(refusal(403, "Forbidden", "no"), names=names) as running:
        running.writer.on_problem = lambda: told.append(running.writer.problem)
        running.writer.report(work(names=names), served=1)
        assert len(running.written()) == 1
        for second in range(299):
            running.clock.now += 1
            running.writer.report(work(names=names, generation=second), served=second)
            assert running.written() == []
        running.clock.now += 1
        assert len(running.written()) == 1
    [problem] = told
    assert problem is not None
    assert "Statuses of Mappings are not written" in problem.message


def test_a_permission_that_is_given_ends_the_problem() -> None:
    with rig(refusal(403, "Forbidden", "no"), answer(manifest(version=2))) as running:
        running.writer.report(work(), served=1)
        running.written()
        running.clock.now += 300
        assert len(running.written()) == 1
        assert running.writer.problem is None


def test_an_api_that_fails_is_asked_again_later_and_nothing_is_forgotten() -> None:
    fail, good = refusal(503, "ServiceUnavailable"), answer(manifest(version=2))
    with rig(fail, fail, good, names=("a", "b")) as running:
        running.writer.report(work(names=("a", "b")), served=1)
        assert [len(running.written()) for _ in range(2)] == [1, 0]
        running.clock.now += 1
        assert len(running.written()) == 1
        running.clock.now += 1
        assert running.written() == []
        running.clock.now += 1
        assert len(running.written()) == 2


def test_an_api_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    storm = refusal(429, "TooManyRequests", "slow down", Retry_After="30")
    with rig(storm, answer(manifest(version=2)), names=("a", "b")) as running:
        running.writer.report(work(names=("a", "b")), served=1)
        assert len(running.written()) == 1
        running.clock.now += 29
        assert running.written() == []
        running.clock.now += 1
        assert len(running.written()) == 2


def test_a_mapping_that_changed_meanwhile_waits_for_its_event() -> None:
    with rig(refusal(409, "Conflict"), answer(manifest(version=3))) as running:
        running.writer.report(work(), served=1)
        assert len(running.written()) == 1
        running.clock.now += 1000
        assert running.written() == []
        running.see(manifest(version=2))
        running.writer.report(work(version="2"), served=1)
        assert len(running.written()) == 1


def test_what_is_gone_or_has_no_status_is_not_tried_again_and_holds_nobody_up() -> None:
    refusals = (refusal(404, "NotFound"), refusal(422, "Invalid"))
    with rig(*refusals, answer(manifest("c", version=2)), names=("a", "b", "c")) as running:
        running.writer.report(work(names=("a", "b", "c")), served=1)
        assert len(running.written()) == 3
        running.clock.now += 1000
        running.writer.report(work(names=("a", "b"), generation=2), served=2)
        assert running.written() == []
        running.see(manifest("a"), EventType.DELETED)
        assert running.written() == []


def test_who_does_not_lead_writes_nothing_and_knows_everything_when_it_does() -> None:
    with rig(answer(manifest(version=2)), names=("a", "b")) as running:
        running.post.left = 0
        running.writer.report(work(names=("a", "b")), served=1)
        assert running.written() == []
        running.post.left, running.post.term = 10, 2
        assert len(running.written()) == 2


def test_what_was_deposed_in_the_middle_stops_at_once() -> None:
    with rig(answer(manifest(version=2)), names=("a", "b", "c")) as running:
        running.writer.report(work(names=("a", "b", "c")), served=1)
        looks = iter([10.0, 10.0, 10.0, 0.0])
        running.post.remaining = lambda: next(looks, 0.0)  # type: ignore[method-assign]
        assert len(running.written()) == 2


def test_what_is_being_written_when_the_term_ends_is_cut_off() -> None:
    with rig(silence, answer(manifest(version=2))) as running:
        running.writer.report(work(), served=1)
        writing = Thread(target=running.writer.write_open)
        writing.start()
        assert running.api.received.get(timeout=10).method == "PATCH"
        running.post.left = 0
        running.writer.change_leadership()
        # The API would say nothing for ever.
        writing.join(timeout=5)
        assert not writing.is_alive()
        assert running.writer.counts == {}
        # Nothing of the cut connection is left for the next term.
        running.post.left, running.post.term = 10, 2
        assert len(running.written()) == 1
        assert running.writer.counts == {"written": 1}


def test_no_write_lasts_longer_than_the_term() -> None:
    with rig(silence) as running:
        running.post.left = 0.1
        running.writer.report(work(), served=1)
        writing = Thread(target=running.writer.write_open)
        writing.start()
        # The client by itself has a hundred times that patience.
        writing.join(timeout=5)
        assert not writing.is_alive()


def test_a_term_that_was_lost_and_won_again_looks_at_everything_anew() -> None:
    with rig(answer(manifest(version=2))) as running:
        running.writer.report(work(), served=1)
        [patch] = running.written()
        running.see(stored(patch, version=2))
        running.writer.report(work(version="2"), served=1)
        assert running.written() == []
        # The other replica saw it otherwise, and its event went by while nothing might be written.
        running.post.left = 0
        running.see(manifest(version=3, status={"state": "Inactive"}))
        running.writer.report(work(version="3"), served=1)
        running.clock.now += 1000
        assert running.written() == []
        running.post.left, running.post.term = 10, 2
        assert len(running.written()) == 1


def test_of_two_gateways_the_one_that_is_named_first_writes() -> None:
    def named(*ids: str) -> Work:
        mapping = Mapping(name="m", prefix="/m/", service="s", ambassador_id=ids)
        return work(mappings=(SourcedMapping(mapping, Origin(key()), namespace="team"),))

    for ids, writer in ((("a", "b"), "a"), (("b", "a"), "b"), (("_automatic_", "b", "a"), "b"), (("a",), "a")):
        for gateway in ("a", "b"):
            with rig(answer(manifest(version=2)), ids=gateway) as running:
                running.writer.report(named(*ids), served=1)
                if gateway in ids:
                    assert (len(running.written()) == 1) == (gateway == writer)
