"""Controller killed, Envoy killed, both told to end: what clients see of it (faults 6 and 7)."""

import os
import signal

import pytest

from tests.faults.load import ask
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-killed")]

#: What a request that was under way, or came while nobody listened, met: no answer at all.
BROKEN = {"ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "RemoteDisconnected"}


def test_traffic_goes_on_without_the_controller_and_the_next_one_makes_up_for_what_was_missed(scene: Scene) -> None:
    scene.publish("stays", "moves", "goes")
    gateway = scene.gateway
    with scene.load("stays") as load:
        gateway.controller.kill()
        load.more(200)
        scene.lead("moves", "two")
        scene.api.remove("goes")
        gateway.start_controller()
        gateway.wait_ready()
        scene.wait_served("moves", "two")
        scene.wait_gone("goes")
    assert load.failed == {}
    assert set(load.bodies) == {"one"}


def test_a_controller_that_is_killed_while_it_publishes_loses_no_request(scene: Scene) -> None:
    scene.publish("stays", "busy")
    gateway = scene.gateway
    with scene.load("stays", "busy") as load:
        for turn in range(3):
            # Clusters come and go with each: whatever was half said, nobody's cluster may be missing.
            scene.lead("busy", ("two", "one")[turn % 2])
            gateway.controller.kill()
            gateway.start_controller()
            gateway.wait_ready()
        scene.wait_served("busy", "two")
    assert load.failed == {}


def test_an_envoy_that_is_killed_comes_back_with_everything_and_never_says_not_found(scene: Scene) -> None:
    names = [f"kept-{number}" for number in range(10)]
    scene.publish(*names)
    gateway = scene.gateway
    with scene.load(*names) as load:
        load.more(100)
        kill_envoy(scene)
        gateway.start_envoy()
        gateway.wait_ready()
        served = load.count
        load.more(100)
    # Who was cut off was cut off; but no answer that came was a wrong one, and none was missing afterwards.
    assert load.failed.keys() <= BROKEN
    assert load.count >= served + 100
    assert [ask(gateway.http_port, f"/{name}/") for name in names] == [(200, "one")] * len(names)


def test_the_end_of_both_at_once_is_the_beginning_of_all(scene: Scene) -> None:
    scene.publish("stays")
    gateway = scene.gateway
    gateway.controller.kill()
    kill_envoy(scene)
    scene.lead("stays", "two")
    gateway.start()
    gateway.wait_ready()
    # Ready means programmed: the very first request is answered, and by what was written meanwhile.
    assert ask(gateway.http_port, "/stays/") == (200, "two")


def test_a_pod_that_is_told_to_end_under_load_loses_no_request(scene: Scene) -> None:
    scene.publish("stays")
    old, new = scene.gateway, scene.pod("new").start().wait_ready()
    with scene.load("stays") as load:
        load.more(200)
        old.controller.tell_to_end()
        old.envoy.tell_to_end()
        codes = old.controller.wait(), old.envoy.wait()
        load.more(200)
    assert load.failed == {}
    assert codes == (0, 0)
    old.start()
    old.wait_ready()
    new.envoy.kill()
    new.controller.kill()
    scene.pods.remove(new)


def kill_envoy(scene: Scene) -> None:
    """Kill Envoy itself, as the kernel does when memory is short; its container ends with it."""
    envoy = scene.gateway.envoy
    os.kill(envoy.only_child(), signal.SIGKILL)
    assert envoy.wait() == 128 + signal.SIGKILL
