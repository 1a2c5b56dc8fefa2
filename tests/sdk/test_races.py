"""Two at once: of two who take the same one stays, and what both change is changed by both."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import kfambassador as kfa
from tests.e2e.gateway import until
from tests.sdk.front import Front
from tests.sdk.team import PORT, Team

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sdk-races")]

ROUNDS = 30


@pytest.fixture
def pair(team: Team, front: Front) -> Iterator[tuple[kfa.Gateway, kfa.Gateway]]:
    """Two people who work in one namespace, both through the front; there are two models."""
    team.deploy("half")
    team.deploy("more", bias=3.0)
    paths = [team.write_kubeconfig(name, team.hire(name), server=front.url) for name in ("alice", "bob")]
    with (
        team.place.connect(team.namespace, kubeconfig=paths[0]) as alice,
        team.place.connect(team.namespace, kubeconfig=paths[1]) as bob,
    ):
        yield alice, bob


def at_once(front: Front, *acts: Callable[[], object]) -> list[object]:
    """Do all at once: each has looked around before any of them writes. Give what each returned or raised."""

    def attempt(act: Callable[[], object]) -> object:
        try:
            return act()
        except kfa.KfAmbassadorError as error:
            return error

    with front.hold(lambda request: request.writes) as held, ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(attempt, act) for act in acts]
        for _ in acts:
            held.arrived.get(timeout=30)
        held.release()
        return [future.result(timeout=60) for future in futures]


def test_of_two_who_take_one_name_exactly_one_stays(
    team: Team, front: Front, pair: tuple[kfa.Gateway, kfa.Gateway]
) -> None:
    for number in range(ROUNDS):
        name = f"m{number}"
        said: dict[str, Any] = {"prefix": team.path(name), "timeout": team.place.patience}
        results = at_once(
            front,
            partial(pair[0].expose, name, service=f"half:{PORT}", **said),
            partial(pair[1].expose, name, service=f"more:{PORT}", **said),
        )
        check_one_stays(team, results)


def test_of_two_who_take_one_path_exactly_one_stays(
    team: Team, front: Front, pair: tuple[kfa.Gateway, kfa.Gateway]
) -> None:
    for number in range(ROUNDS):
        said: dict[str, Any] = {"prefix": team.path(f"m{number}"), "timeout": team.place.patience}
        results = at_once(
            front,
            partial(pair[0].expose, "mine", service=f"half:{PORT}", **said),
            partial(pair[1].expose, "yours", service=f"more:{PORT}", **said),
        )
        check_one_stays(team, results)


def check_one_stays(team: Team, results: list[object]) -> None:
    """Of two exposures one is there and serves, and the other is told who holds it; then it is taken down."""
    (winner,) = (index for index, each in enumerate(results) if isinstance(each, kfa.Exposure))
    kept, told = results[winner], results[1 - winner]
    assert isinstance(kept, kfa.Exposure)
    assert isinstance(told, kfa.MappingRejected), told
    assert next(problem.code for problem in told.problems) in {"name-taken", "prefix-taken"}
    assert f"{team.namespace}:{('alice', 'bob')[winner]}" in str(told)
    (there,) = team.gateway.list_exposures()
    assert (there.name, there.owner, there.mappings) == (kept.name, kept.owner, kept.mappings)
    # Who came second may have had a share until it saw the first.
    until(lambda: [kept.predict([1.0]).values for _ in range(10)] == [[(2.5, 3.5)[winner]]] * 10)
    kept.delete()
    assert set(team.services()) == {"half", "more"}


def test_two_who_change_one_split_are_both_heard(
    team: Team, front: Front, pair: tuple[kfa.Gateway, kfa.Gateway]
) -> None:
    made = team.expose("mnist", service=f"half:{PORT}")
    alice, bob = (each.get_exposure("mnist") for each in pair)
    for number in range(ROUNDS):
        made.canary(f"more:{PORT}", weight=10)
        shares = at_once(
            front,
            partial(alice.canary, weight=number, wait=False),
            partial(bob.canary, f"more:{PORT}", weight=ROUNDS - number, variant="blue", wait=False),
        )
        assert all(isinstance(each, kfa.Shares) for each in shares), shares
        found = team.gateway.get_exposure("mnist").wait(team.place.patience).split()
        assert (len(found), found["canary"], found["blue"]) == (3, number, ROUNDS - number)
        made.rollback()


def test_publishing_again_loses_no_canary_of_the_same_moment(
    team: Team, front: Front, pair: tuple[kfa.Gateway, kfa.Gateway]
) -> None:
    alice, bob = pair
    said: dict[str, Any] = {"prefix": team.path("mnist"), "service": f"half:{PORT}", "timeout": team.place.patience}
    made = alice.expose("mnist", **said)
    for number in range(ROUNDS):
        results = at_once(
            front,
            partial(alice.expose, "mnist", timeout_ms=5000 + number, wait=False, **said),
            lambda: bob.get_exposure("mnist").canary(f"more:{PORT}", weight=20, wait=False),
        )
        assert isinstance(results[0], kfa.Exposure), results
        assert isinstance(results[1], kfa.Shares), results
        found = team.gateway.get_exposure("mnist").wait(team.place.patience)
        assert found.mappings[0].timeout_ms == 5000 + number
        assert found.split().get("canary") == 20
        made.rollback()


def test_two_who_promote_and_take_back_are_not_mixed(
    team: Team, front: Front, pair: tuple[kfa.Gateway, kfa.Gateway]
) -> None:
    made = team.expose("mnist", service=f"half:{PORT}")
    alice, bob = (each.get_exposure("mnist") for each in pair)
    for _ in range(ROUNDS):
        made.canary(f"more:{PORT}", weight=50)
        promoted, taken_back = at_once(front, alice.promote, bob.rollback)
        assert isinstance(taken_back, kfa.Shares), taken_back
        found = team.gateway.get_exposure("mnist").wait(team.place.patience)
        # Either the promotion came first, and was taken back; or there was no canary any more, and that was said.
        assert isinstance(promoted, kfa.Shares) or "'canary' is no variant" in str(promoted)
        assert [(share.service, share.percent) for share in found.split()] == [(f"half.{team.namespace}:{PORT}", 100)]
