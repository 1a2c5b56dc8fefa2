"""Killed in the middle: what is left is whole or listed, and a second call mends it."""

import signal
from queue import SimpleQueue
from threading import Thread

import pytest

import kfambassador as kfa
from tests.sdk.front import Front, Request
from tests.sdk.process import Process
from tests.sdk.team import Team

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sdk-killed")]

NEW = "gateway.expose('mnist', service='deployment/half', prefix={prefix!r}, wait=False)"
CHANGE = "gateway.expose('mnist', service='deployment/more', prefix={prefix!r}, wait=False)"
ANNOTATE = "gateway.expose('mnist', service='service/own', prefix={prefix!r}, wait=False)"
CANARY = "gateway.get_exposure('mnist').canary('deployment/more', weight=50, wait=False)"
DELETE = "gateway.get_exposure('mnist').delete(wait=0)"


@pytest.mark.parametrize(
    "act", [NEW, CHANGE, ANNOTATE, CANARY, DELETE], ids=["new", "change", "annotate", "canary", "delete"]
)
def test_whoever_is_killed_leaves_what_is_whole_or_listed(team: Team, front: Front, act: str) -> None:
    team.deploy("half", service=False)
    team.deploy("more", bias=3.0, service=False)
    team.make_service("own", app="half")
    bystander = team.expose("bystander", service="deployment/half")
    others = {"own", "bystander", "bystander-to-half"}
    steps = 0
    while True:
        steps += 1
        if act in {CHANGE, CANARY, DELETE}:
            team.expose("mnist", service="deployment/half")
        before = team.services()
        if not is_killed_at(team, front, act.format(prefix=team.path("mnist")), write=steps):
            break
        after = team.services()
        # Nobody else's is touched.
        untouched = others - {"own"} if act == ANNOTATE else others
        assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
        assert bystander.predict([1.0]).values == [2.5]
        # All that is there is needed, or listed as left over.
        published = {each.name: each for each in team.gateway.list_exposures()}
        left = {each.object.name for each in team.gateway.leftovers()}
        made = set(after) - others
        assert made == needed_by(published.get("mnist")) | left
        # What was served before is served on, but by whom was to be changed.
        if act in {CHANGE, CANARY}:
            assert published["mnist"].wait(team.place.patience).predict([1.0]).values in ([2.5], [3.5])
        # A second call mends it, and nothing is left over.
        mended = team.expose("mnist", service="deployment/half")
        assert mended.predict([1.0]).values in ([2.5], [3.5])
        mended.delete()
        team.gateway.leftovers().delete()
        assert set(team.services()) == others
    assert steps > {NEW: 2, CHANGE: 3, ANNOTATE: 1, CANARY: 2, DELETE: 2}[act]


def needed_by(exposure: kfa.Exposure | None) -> set[str]:
    """The Services that an exposure consists of."""
    if exposure is None:
        return set()
    hosts = {mapping.service.partition(".")[0] for mapping in exposure.mappings}
    return {"mnist", *hosts} - {"own"}


def is_killed_at(team: Team, front: Front, act: str, *, write: int) -> bool:
    """Kill a process before its n-th write reaches the API; false when it was done before."""
    events: SimpleQueue[str] = SimpleQueue()
    with front.hold(front.count_writes(write)) as held, Process(team, front, act) as process:
        waiting = [
            Thread(target=lambda: events.put(process.hear()), daemon=True),
            Thread(target=lambda: events.put(f"held {held.arrived.get()}"), daemon=True),
        ]
        for thread in waiting:
            thread.start()
        said = events.get(timeout=60)
        if said.startswith("held"):
            process.send(signal.SIGKILL)
        status, words = process.end()
        held.arrived.put(Request("", ""))  # ends who listens for it
        assert said, words
        assert said == "done" or status == -signal.SIGKILL
        return said != "done"
