"""Elections of several replicas in a real Kubernetes API, by clocks of our own."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfambassador.controller.reporting.election import Alone, Election, make_identity
from kfambassador.controller.reporting.lease import LeaseSettings
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import LEASE, NAMESPACE
from kfambassador.kube.objects import Manifest
from kfambassador.local.kube.server import KubeServer
from tests.e2e.gateway import until
from tests.unit.kube.scripted_api import TOKEN, answer, hang_up, refusal, scripted_api

_numbers = itertools.count()


@dataclass
class World:
    """A cluster, its one true time, and the replicas in it."""

    client: KubeClient
    lease: LeaseSettings
    now: float = 1000.0
    changes: list[str] = field(default_factory=list)
    replicas: dict[str, Election] = field(default_factory=dict)
    stall: float = 0.0

    def join(self, name: str, *, ahead: float = 0.0) -> Election:
        """A replica whose own clock is ahead of everybody else's."""

        def tell_time() -> str:
            # This is asked for between the decision to write and the write: the process may be stopped right there.
            self.now, self.stall = self.now + self.stall, 0.0
            # The time of day is another for everybody, and no use to anybody.
            return f"20{int(ahead) % 90 + 10}-01-01T00:00:00.{int(self.now * 1000) % 1000000:06}Z"

        election = Election(
            self.client,
            self.lease,
            identity=name,
            on_change=lambda: self.changes.append(name),
            clock=lambda: self.now + ahead,
            tell_time=tell_time,
            chance=lambda: 0.5,
        )
        self.replicas[name] = election
        return election

    def leaders(self) -> list[str]:
        return [name for name, election in self.replicas.items() if election.remaining() > 0]

    def stored(self) -> Manifest:
        return self.client.get(LEASE, self.lease.name, namespace=self.lease.namespace)


@pytest.fixture(scope="module")
def client() -> Iterator[KubeClient]:
    with (
        KubeServer() as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        client.create({"apiVersion": "v1", "kind": NAMESPACE.kind, "metadata": {"name": "home"}})
        yield client


@pytest.fixture
def world(client: KubeClient) -> Iterator[World]:
    made = World(client, LeaseSettings(name=f"lease-{next(_numbers)}", namespace="home", duration=15))
    yield made
    for election in made.replicas.values():
        election.stop()


def test_one_of_two_leads_and_keeps_it(world: World) -> None:
    first, second = world.join("a"), world.join("b", ahead=500)
    assert first.attempt() == 2
    assert second.attempt() == 3
    for _ in range(20):
        world.now += 2
        first.attempt()
        second.attempt()
        assert world.leaders() == ["a"]
    assert (first.term, second.term, second.holder) == (1, 0, "a")
    assert world.changes == ["a"]
    assert world.stored()["spec"]["leaseTransitions"] == 0


def test_who_dies_is_followed_after_the_lease_has_run_out_and_not_before(world: World) -> None:
    first, second = world.join("a"), world.join("b")
    first.attempt()
    second.attempt()
    world.now += 10
    # The dead one would have stopped by itself: that is 5 seconds before anybody else begins.
    assert world.leaders() == []
    world.now += 4.9
    second.attempt()
    assert world.leaders() == []
    world.now += 0.1
    second.attempt()
    assert world.leaders() == ["b"]
    assert world.stored()["spec"]["leaseTransitions"] == 1
    # The first comes back to life, and finds that it leads no more.
    first.attempt()
    assert (world.leaders(), first.holder) == (["b"], "b")


def test_who_leaves_in_peace_is_followed_at_the_next_look(world: World) -> None:
    first, second = world.join("a"), world.join("b")
    first.attempt()
    second.attempt()
    first.stop()
    assert world.leaders() == []
    assert "holderIdentity" not in world.stored()["spec"]
    second.attempt()
    assert world.leaders() == ["b"]


def test_who_hangs_between_deciding_and_writing_does_not_lead(world: World) -> None:
    first, second = world.join("a"), world.join("b")
    first.attempt()
    second.attempt()
    world.now += 2
    world.stall = 14
    first.attempt()
    # Its renewal was taken, and counts from when it was asked for: that is long ago.
    assert world.leaders() == []
    second.attempt()
    assert world.leaders() == []
    first.attempt()
    assert world.leaders() == ["a"]
    assert first.term == 2


def test_a_renewal_that_comes_too_late_changes_nothing(world: World) -> None:
    first, second = world.join("a"), world.join("b")
    first.attempt()
    second.attempt()
    world.now += 16
    second.attempt()
    version = world.stored()["metadata"]["resourceVersion"]
    first.attempt()
    assert world.leaders() == ["b"]
    assert world.stored()["metadata"]["resourceVersion"] == version


def test_a_deleted_lease_makes_no_two_leaders(world: World) -> None:
    first, second = world.join("a"), world.join("b")
    first.attempt()
    second.attempt()
    world.client.delete(LEASE, world.lease.name, namespace="home")
    second.attempt()
    assert world.leaders() == ["a"]
    first.attempt()
    first.attempt()
    assert world.leaders() == ["a"]
    assert world.stored()["spec"]["holderIdentity"] == "a"


def test_a_lease_that_somebody_else_took_by_force_is_given_up(world: World) -> None:
    first = world.join("a")
    first.attempt()
    taken = world.stored()
    taken["spec"]["holderIdentity"] = "somebody"
    world.client.replace(taken)
    first.attempt()
    first.attempt()
    assert (world.leaders(), first.holder) == ([], "somebody")
    assert world.changes == ["a", "a"]


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0, 12), st.sampled_from([0.0, 0.0, 0.0, 3.0, 11.0, 20.0])),
        max_size=30,
    ),
    ahead=st.tuples(*[st.floats(-1e6, 1e6)] * 3),
    deleted=st.sets(st.integers(0, 29), max_size=2),
)
def test_there_are_never_two_leaders(
    client: KubeClient, steps: list[tuple[str, float, float]], ahead: tuple[float, ...], deleted: set[int]
) -> None:
    world = World(client, LeaseSettings(name=f"lease-{next(_numbers)}", namespace="home", duration=15))
    for name, offset in zip("abc", ahead, strict=True):
        world.join(name, ahead=offset)
    seen: set[str] = set()
    for number, (name, pause, stall) in enumerate(steps):
        world.now += pause
        assert len(world.leaders()) <= 1
        # Who never saw the Lease cannot know that it was ever held: that one case is left out.
        if number in deleted and seen == set("abc"):
            client.delete(LEASE, world.lease.name, namespace="home")
        world.stall = stall
        world.replicas[name].attempt()
        seen.add(name)
        assert len(world.leaders()) <= 1
    for election in world.replicas.values():
        election._client.close()


def test_a_lease_that_may_not_be_used_is_told_once_with_what_to_do() -> None:
    user = 'User "system:serviceaccount:kfambassador:kfambassador"'
    said = f'{user} cannot get resource "leases" in API group "coordination.k8s.io" in the namespace "kfambassador"'
    with (
        scripted_api(refusal(403, "Forbidden", said)) as api,
        KubeClient.connect(api.url, token=TOKEN) as client,
    ):
        changes: list[str] = []
        election = Election(
            client,
            LeaseSettings(),
            identity="a",
            on_change=lambda: changes.append("a"),
            on_problem=lambda: changes.append("problem"),
        )
        assert election.attempt() >= 30
        election.attempt()
        problem = election.problem
        assert problem is not None
        assert "no status and no Event is written" in problem.message
        assert "get leases.coordination.k8s.io in namespace 'kfambassador'" in problem.message
        assert "set lease to false" in problem.message
        assert (election.remaining(), changes) == (0, ["problem"])
        election.stop()


def test_a_namespace_that_is_not_there_is_told(client: KubeClient) -> None:
    election = Election(client, LeaseSettings(namespace="nowhere"), identity="a", on_change=lambda: None)
    election.attempt()
    assert election.problem is not None
    assert 'namespaces "nowhere" not found' in election.problem.message
    election.stop()


def test_an_api_that_fails_is_asked_again_as_late_as_it_says() -> None:
    storm = refusal(429, "TooManyRequests", "slow down", Retry_After="7")
    with scripted_api(storm, hang_up, hang_up) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        election = Election(client, LeaseSettings(), identity="a", on_change=lambda: None, chance=lambda: 0.0)
        assert election.attempt() == 7
        assert election.attempt() == 2
        assert election.problem is None
        election.stop()


def test_what_was_renewed_without_an_answer_is_found_again() -> None:
    first = {"metadata": {"name": "l", "resourceVersion": "1"}, "spec": {"holderIdentity": "a", "renewTime": "1"}}
    second = {"metadata": {"name": "l", "resourceVersion": "2"}, "spec": {"holderIdentity": "a", "renewTime": "2"}}
    third = {"metadata": {"name": "l", "resourceVersion": "3"}, "spec": {"holderIdentity": "a", "renewTime": "3"}}
    script = (answer(first), answer(first), hang_up, answer(second), answer(third))
    with scripted_api(*script) as api, KubeClient.connect(api.url, token=TOKEN) as client:
        now = 100.0
        election = Election(client, LeaseSettings(), identity="a", on_change=lambda: None, clock=lambda: now)
        election.attempt()
        now += 2
        election.attempt()
        assert election.remaining() == 8
        now += 2
        election.attempt()
        assert election.remaining() == 10
        put = list(api.requests())[-1]
        assert (put.method, put.body["metadata"]["resourceVersion"]) == ("PUT", "2")
        election.stop()


def test_in_its_own_thread_it_leads_within_moments_and_lets_go_at_the_end(client: KubeClient) -> None:
    lease = LeaseSettings(name=f"lease-{next(_numbers)}", namespace="home", duration=3)
    elections = [Election(client, lease, identity=name, on_change=lambda: None) for name in ("a", "b")]
    for election in elections:
        election.start()
    until(lambda: any(each.remaining() > 0 for each in elections))
    [leader] = [each for each in elections if each.remaining() > 0]
    [other] = [each for each in elections if each is not leader]
    leader.stop()
    until(lambda: other.remaining() > 0)
    other.stop()


def test_no_two_replicas_are_called_the_same_and_the_pod_is_named() -> None:
    assert len({make_identity("gateway-0") for _ in range(100)}) == 100
    assert make_identity("gateway-0").startswith("gateway-0_")


def test_who_is_known_to_be_alone_may_always_write() -> None:
    assert Alone().remaining() == float("inf")
