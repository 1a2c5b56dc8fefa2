"""A Kubernetes API that answers badly: nothing of it may look like an empty cluster (fault 4)."""

import time
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest

from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from tests.faults.programs import until
from tests.faults.scene import Scene
from tests.faults.unreliable import EXPIRED, Asked, Cut, Drip, Fault, Refuse, Say, Unreliable, standing_between

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-unreliable")]

#: How an answer can be bad, and yet be an answer.
BAD_LISTS: dict[str, Fault] = {
    "cut off before its end": Cut(after=60),
    "cut off at once": Cut(after=0),
    "a server error": Refuse(500),
    "no memory of the moment": Refuse(410),
    "a failure that says 200": Say(b'{"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}'),
    "a page of somebody else's": Say(b"<html>log in first</html>"),
    "nothing at all": Say(b""),
}


@pytest.fixture(scope="module")
def proxy(scene: Scene, place: Path) -> Iterator[Unreliable]:
    """Return what the second pod's controller takes for the API."""
    with standing_between(scene.api.url, scene.api.authority) as proxy:
        kubeconfig = place / "through-the-proxy"
        join_kubeconfig(kubeconfig, ApiAccess(proxy.url, scene.api.token, ""))
        [pod] = scene.pods
        pod.controller.kill()
        pod.start_controller(kubeconfig)
        pod.wait_ready()
        scene.publish("stays")
        yield proxy


@pytest.mark.parametrize("fault", BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_bad_list_is_no_empty_cluster(scene: Scene, proxy: Unreliable, fault: Fault) -> None:
    scene.publish("changes", model="one")
    began = time.monotonic()

    def choose(asked: Asked) -> Fault | None:
        if not asked.is_of("services"):
            return None
        return fault if asked.lists else Refuse(410)  # what may not be watched is listed anew

    with scene.load("stays") as load:
        with proxy.misbehaving(choose):
            until(lambda: len(proxy.since(began, _lists_services)) > 2, "Services were listed in vain several times")
            scene.lead("changes", "two")
            load.more(100)
        scene.wait_served("changes", "two")
    assert load.failed == {}


def test_watches_that_break_in_the_middle_of_an_event_or_expire_miss_nothing(scene: Scene, proxy: Unreliable) -> None:
    scene.publish("broken", "late")
    faults: list[Fault] = [Cut(after=300), EXPIRED, Refuse(410), Cut(after=0)]
    met = 0

    def choose(asked: Asked) -> Fault | None:
        nonlocal met
        if not asked.watches or not asked.is_of("services"):
            return None
        met += 1
        return faults[met % len(faults)]

    with scene.load("stays") as load:
        with proxy.misbehaving(choose):
            for turn in count():
                scene.lead("broken", ("two", "one")[turn % 2])
                if met > len(faults) and turn % 2:
                    break
            scene.lead("late", "two")
        scene.wait_served("broken", "one")
        scene.wait_served("late", "two")
    assert load.failed == {}


def test_a_storm_of_refusals_is_waited_out_as_long_as_the_server_asks(scene: Scene, proxy: Unreliable) -> None:
    scene.publish("stormy")
    retry_after = 1
    refused: list[Asked] = []

    def choose(asked: Asked) -> Fault | None:
        if not asked.is_of("services"):
            return None
        refused.append(asked)
        return Refuse((429, 503)[len(refused) % 2], retry_after=retry_after)

    with scene.load("stays") as load:
        with proxy.misbehaving(choose):
            scene.lead("stormy", "two")
            until(lambda: len(refused) > 2, "Services were asked for again and again")
        scene.wait_served("stormy", "two")
    assert load.failed == {}
    assert all(later.at - earlier.at >= retry_after for earlier, later in pairwise(refused))


def test_slow_answers_are_waited_for(scene: Scene, proxy: Unreliable) -> None:
    scene.publish("slow")
    slow = Drip(size=512, pause=0.02)
    with scene.load("stays") as load, proxy.misbehaving(lambda asked: slow if asked.lists else None):
        scene.lead("slow", "two")
        scene.wait_served("slow", "two")
    assert load.failed == {}


def _lists_services(asked: Asked) -> bool:
    return asked.lists and asked.is_of("services")
