"""A Kubernetes API that freezes, dies, or is not there when the controller starts (faults 3, 5 and 13)."""

import pytest

from tests.faults.api import endpoints
from tests.faults.programs import until
from tests.faults.scene import Scene, model_service
from tests.faults.test_killed import kill_envoy

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-api-away")]


def test_a_frozen_api_server_costs_no_request_and_what_it_says_afterwards_is_heard(scene: Scene) -> None:
    scene.publish("stays", "frozen")
    with scene.load("stays") as load:
        scene.api.program.freeze()
        load.more(500)
        scene.api.program.thaw()
        scene.lead("frozen", "two")
        scene.wait_served("frozen", "two")
    assert load.failed == {}


def test_an_api_server_that_is_killed_costs_no_request_and_what_was_missed_is_made_up_for(scene: Scene) -> None:
    scene.publish("stays", "missed", "removed")
    with scene.load("stays") as load:
        scene.api.program.kill()
        load.more(500)
        scene.api.start()
        scene.lead("missed", "two")
        scene.api.remove("removed")
        scene.wait_served("missed", "two")
        scene.wait_gone("removed")
    assert load.failed == {}


def test_with_the_api_away_at_the_start_what_was_served_is_served_on_and_then_what_was_missed(scene: Scene) -> None:
    scene.publish("stays", "changed", "removed")
    gateway = scene.gateway
    wait_kept(scene)
    scene.api.program.kill()
    with scene.load("stays") as load:
        gateway.controller.kill()
        gateway.start_controller()
        until(gateway.serves_kept, "what was kept is served", tell=gateway.tell)
        load.more(200)
        assert not gateway.is_ready()
    assert load.failed == {}

    # An Envoy that knows nothing gets everything.
    kill_envoy(scene)
    gateway.start_envoy()
    for name in ("stays", "changed", "removed"):
        scene.wait_served(name, "one")
    assert not gateway.is_ready()

    with scene.load("stays") as load:
        scene.api.start()
        scene.lead("changed", "two")
        scene.api.remove("removed")
        scene.wait_served("changed", "two")
        scene.wait_gone("removed")
        gateway.wait_ready()
    assert load.failed == {}


@pytest.mark.parametrize("damage", ["cut in half", "an unfinished draft beside it"])
def test_a_damaged_file_is_passed_over_and_takes_nothing_from_envoy(scene: Scene, damage: str) -> None:
    scene.publish("stays")
    gateway = scene.gateway
    wait_kept(scene)
    scene.api.program.kill()
    gateway.controller.kill()
    kept = gateway.kept_file
    whole = kept.read_bytes()
    if damage == "an unfinished draft beside it":
        kept.with_name(f"{kept.name}-half.draft").write_bytes(whole[: len(whole) // 2])
    else:
        kept.write_bytes(whole[: len(whole) // 2])
    with scene.load("stays") as load:
        gateway.start_controller()
        if damage == "an unfinished draft beside it":
            until(gateway.serves_kept, "what was kept is served", tell=gateway.tell)
        else:
            until(lambda: "is not used" in gateway.controller.words(), "the file is passed over", tell=gateway.tell)
        load.more(300)
        assert not gateway.is_ready()
        scene.api.start()
        gateway.wait_ready()
    assert load.failed == {}


def test_a_controller_killed_at_any_moment_leaves_a_whole_file(scene: Scene) -> None:
    scene.publish("stays")
    gateway = scene.gateway
    for turn in range(2):
        wait_kept(scene)
        for number in range(10 + 13 * turn):
            # Each is kept as soon as Envoy has acknowledged it, so the kill comes while that is under way.
            scene.lead("busy", ("two", "one")[number % 2])
        scene.api.program.kill()
        gateway.controller.kill()
        gateway.start_controller()
        until(gateway.serves_kept, "what was kept is served", tell=gateway.tell)
        scene.api.start()
        gateway.wait_ready()
    scene.wait_served("stays", "one")


def wait_kept(scene: Scene) -> None:
    """Publish something new, and wait until what is kept has it."""
    gateway = scene.gateway
    before = gateway.kept_file.stat().st_mtime_ns if gateway.kept_file.exists() else 0
    scene.api.apply(model_service("kept"), endpoints("kept", [scene.places["one"]]))
    scene.lead("kept", f"kept-{before}")
    until(
        lambda: gateway.kept_file.exists() and gateway.kept_file.stat().st_mtime_ns > before,
        "the newest is kept",
        tell=gateway.tell,
    )
