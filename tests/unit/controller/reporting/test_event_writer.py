"""When an Event is written, and when not: passes made by hand, against a scripted API and a clock of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kfambassador.controller.reporting.event_book import EventPace
from kfambassador.controller.reporting.event_writer import EventWriter
from kfambassador.controller.reporting.limits import Limit
from kfambassador.controller.reporting.teller import Pace
from kfambassador.controller.state import Work
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SECRET, SERVICE
from kfambassador.kube.objects import Event, EventType, Manifest
from kfambassador.kube.reflector import Changed, Listed
from kfambassador.problems import Problem
from tests.unit.controller.reporting.rigs import TIME, Clock, Post, key, manifest, mistake, work
from tests.unit.kube.scripted_api import TOKEN, Answer, Received, ScriptedApi, answer, refusal, scripted_api

PACE = Pace(limit=Limit(burst=1e6, rate=1e6), gather=0, shortest=1, longest=60, forbidden=300)
EVENTS = "/api/v1/namespaces/team/events"
EXISTS = refusal(409, "AlreadyExists", 'events "s.1" already exists')


def counted(count: int) -> Answer:
    return answer({"count": count})


@dataclass
class Rig:
    """A writer, what its API received, its clock and its office."""

    writer: EventWriter
    api: ScriptedApi
    clock: Clock
    post: Post

    def tell(self, *problems: Problem, generation: int = 1, served: int | None = 1) -> list[Received]:
        """Have these problems, and no others, found; give what was sent."""
        self.writer.report(self.of(*problems, generation=generation), served)
        return self.written()

    def written(self) -> list[Received]:
        self.writer.write_open()
        return list(self.api.requests())

    def of(self, *problems: Problem, generation: int = 1) -> Work:
        return work(*problems, names=("s",), kind=SERVICE, generation=generation)


@contextmanager
def rig(*script: Answer, pace: Pace = PACE, started: bool = True) -> Iterator[Rig]:
    clock, post = Clock(), Post()
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        writer = EventWriter(
            client,
            identity="gateway-0",
            leadership=post,
            pace=pace,
            event_pace=EventPace(repeat=1800),
            clock=clock,
            tell_time=lambda: TIME,
        )
        made = Rig(writer, api, clock, post)
        writer.see(Listed(SERVICE, (service(),), "1"))
        if started:
            # What is found first may have been told before this term.
            assert made.tell(generation=1) == []
        yield made
        writer.stop()


def service(*, uid: str = "u") -> Manifest:
    return manifest("s", kind=SERVICE, uid=uid)


def test_a_problem_is_told_once_on_its_object() -> None:
    with rig(counted(1)) as running:
        [post] = running.tell(mistake())
        assert (post.method, post.path) == ("POST", EVENTS)
        assert post.body["involvedObject"]["uid"] == "u"
        assert post.body["reason"] == "WrongType"
        assert running.tell(mistake(), generation=2) == []
        assert running.writer.counts == {"written": 1}


def test_what_was_told_before_the_start_is_not_told_again() -> None:
    with rig(EXISTS, started=False) as running:
        [post] = running.tell(mistake())
        assert post.method == "POST"
        assert running.tell(mistake(), generation=2) == []


def test_what_is_reported_before_anything_was_read_makes_nothing_new() -> None:
    with rig(EXISTS, started=False) as running:
        assert running.tell(generation=0, served=None) == []
        [post] = running.tell(mistake())
        assert post.method == "POST"


def test_what_comes_back_after_a_start_is_counted_on_what_there_was() -> None:
    with rig(EXISTS, counted(4), counted(5)) as running:
        post, first, second = running.tell(mistake())
        assert [post.method, first.method, second.method] == ["POST", "PATCH", "PATCH"]
        assert first.path == f"{EVENTS}/{post.body['metadata']['name']}"
        assert "count" not in first.body
        assert second.body["count"] == 5
        assert second.body["lastTimestamp"] == TIME


def test_what_comes_back_is_told_by_a_higher_count() -> None:
    with rig(counted(1), counted(1), counted(2)) as running:
        [post] = running.tell(mistake())
        [mended] = running.tell(generation=2, served=2)
        assert (mended.body["type"], mended.body["reason"]) == ("Normal", "ConfigurationMended")
        [patch] = running.tell(mistake(), generation=3, served=3)
        assert (patch.method, patch.path) == ("PATCH", f"{EVENTS}/{post.body['metadata']['name']}")
        assert patch.body["count"] == 2


def test_what_stays_is_told_again_before_a_cluster_forgets_it() -> None:
    with rig(counted(1), counted(2), refusal(404, "NotFound"), counted(1)) as running:
        running.tell(mistake())
        running.clock.now += 1799
        assert running.written() == []
        running.clock.now += 1
        [patch] = running.written()
        assert patch.body["count"] == 2
        # Somebody has deleted it by then: it is made anew.
        running.clock.now += 1800
        patch, post = running.written()
        assert (patch.method, post.method, post.body["count"]) == ("PATCH", "POST", 1)


def test_that_all_is_well_is_told_when_it_is_served_and_not_before() -> None:
    with rig(counted(1)) as running:
        running.tell(mistake())
        assert running.tell(generation=2, served=1) == []
        [post] = running.tell(generation=2, served=2)
        assert post.body["message"] == "nothing is wrong any more: what it says is served"


def test_nothing_is_told_of_what_is_gone_or_says_nothing_any_more() -> None:
    with rig(counted(1)) as running:
        running.writer.see(Changed(SERVICE, Event(EventType.DELETED, service())))
        assert running.tell(mistake()) == []
        running.writer.see(Changed(SERVICE, Event(EventType.ADDED, service())))
        assert len(running.tell(mistake(), generation=2)) == 1
        # Its annotation is taken away.
        running.writer.report(work(names=(), generation=3), 3)
        assert running.written() == []


def test_another_object_of_the_same_name_is_told_for_itself() -> None:
    with rig(counted(1)) as running:
        [first] = running.tell(mistake())
        running.writer.see(Changed(SERVICE, Event(EventType.ADDED, service(uid="another"))))
        [second] = running.tell(mistake(), generation=2)
        assert second.body["metadata"]["name"] != first.body["metadata"]["name"]
        assert second.body["involvedObject"]["uid"] == "another"


def test_nothing_is_ever_told_of_secrets() -> None:
    with rig(counted(1)) as running:
        running.writer.see(Listed(SECRET, (manifest("x", kind=SECRET),), "1"))
        problem = mistake("x")
        on_secret = Problem(problem.code, problem.message, problem.origin.__class__(key("x", kind=SECRET)))
        running.writer.report(work(on_secret, names=("x",), kind=SECRET), 1)
        assert running.written() == []


def test_a_namespace_that_is_being_deleted_holds_up_nobody_else() -> None:
    words = "unable to create new content in namespace team because it is being terminated"
    with rig(refusal(403, "Forbidden", words), counted(1)) as running:
        assert len(running.tell(mistake(words="a"), mistake(words="b"))) == 2
        assert running.writer.problem is None


def test_a_missing_permission_is_a_problem_and_is_tried_rarely() -> None:
    words = 'User "u" cannot create resource "events" in API group "" in the namespace "team"'
    with rig(refusal(403, "Forbidden", words)) as running:
        assert len(running.tell(mistake(words="a"), mistake(words="b"))) == 1
        running.clock.now += 299
        assert running.written() == []
        assert running.writer.problem is not None
        assert "create events in namespace 'team'" in running.writer.problem.message
        running.clock.now += 1
        assert len(running.written()) == 1


def test_a_storm_is_waited_out_and_nothing_is_forgotten() -> None:
    storm = refusal(429, "TooManyRequests", "slow down", Retry_After="20")
    with rig(storm, counted(1)) as running:
        assert len(running.tell(mistake(words="a"), mistake(words="b"))) == 1
        running.clock.now += 19
        assert running.written() == []
        running.clock.now += 1
        assert len(running.written()) == 2


def test_who_does_not_lead_tells_nothing() -> None:
    with rig(counted(1)) as running:
        running.post.left = 0
        assert running.tell(mistake()) == []
        running.post.left, running.post.term = 10, 2
        assert len(running.written()) == 1


def test_many_are_told_at_the_pace_that_is_set() -> None:
    slow = Pace(limit=Limit(burst=3, rate=1), gather=0)
    with rig(counted(1), pace=slow) as running:
        assert len(running.tell(*(mistake(words=str(number)) for number in range(8)))) == 3
        for _ in range(5):
            running.clock.now += 1
            assert len(running.written()) == 1
        running.clock.now += 1
        assert running.written() == []
