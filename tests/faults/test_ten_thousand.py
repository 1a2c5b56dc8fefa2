"""A controller that starts beside ten thousand mappings under load (fault 1)."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from tests.faults.api import carrier, mapping
from tests.faults.load import ask
from tests.faults.scene import Scene
from tests.faults.test_killed import kill_envoy
from tests.faults.unreliable import Asked, Cut, Fault, Refuse, standing_between

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-ten-thousand")]

#: More Services than a page of a list has.
SERVICES, EACH = 2_500, 4


@pytest.fixture(scope="module")
def scene(place: Path) -> Iterator[Scene]:
    """Return a gateway with ten thousand mappings."""
    with Scene(place) as scene:
        scene.api.fill(
            carrier(f"s{number}", *(mapping(f"m{number}-{each}", "one") for each in range(EACH)))
            for number in range(SERVICES)
        )
        scene.pod("gateway").start().wait_ready()
        yield scene


def some_names(seed: int) -> list[str]:
    """Some of the names, from everywhere in the list."""
    chance = random.Random(seed)
    return [f"m{chance.randrange(SERVICES)}-{chance.randrange(EACH)}" for _ in range(100)]


def test_a_controller_that_starts_anew_among_ten_thousand_mappings_loses_no_request(scene: Scene) -> None:
    with scene.load(*some_names(1)) as load:
        scene.gateway.controller.kill()
        scene.gateway.start_controller()
        scene.gateway.wait_ready()
        scene.publish("new")
        load.more(200)
    assert load.failed == {}


def test_a_list_that_breaks_between_its_pages_is_none(scene: Scene, place: Path) -> None:
    # After the last one the list is asked for in one piece.
    faults: list[Fault] = [Refuse(500), Cut(after=10_000), Refuse(410)]
    met: list[Asked] = []

    def choose(asked: Asked) -> Fault | None:
        if not asked.is_of("services") or "continue" not in asked.query or len(met) >= len(faults):
            return None
        met.append(asked)
        return faults[len(met) - 1]

    gateway = scene.gateway
    with (
        standing_between(scene.api.url, scene.api.authority) as proxy,
        scene.load(*some_names(2)) as load,
        proxy.misbehaving(choose),
    ):
        kubeconfig = place / "through-the-proxy"
        join_kubeconfig(kubeconfig, ApiAccess(proxy.url, scene.api.token, ""))
        gateway.controller.kill()
        gateway.start_controller(kubeconfig)
        gateway.wait_ready()
        load.more(200)
        assert len(met) == len(faults)
    assert load.failed == {}
    gateway.controller.kill()
    gateway.start_controller()
    gateway.wait_ready()


def test_an_envoy_that_starts_anew_is_ready_with_all_of_them(scene: Scene) -> None:
    kill_envoy(scene)
    scene.gateway.start_envoy()
    scene.gateway.wait_ready()
    assert {ask(scene.gateway.http_port, f"/{name}/") for name in some_names(3)} == {(200, "one")}
