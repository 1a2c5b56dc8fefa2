"""Endpoints that flap, names that meet, move and come back, and a hundred bad objects at once (faults 2, 9 and 10)."""

import time

import pytest

from tests.faults.api import carrier, endpoints, mapping
from tests.faults.scene import MODELS, Scene, model_service

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-churn")]

#: What nobody should write, and somebody will: each of them takes a mapping out, and nobody else's.
BAD = (
    "prefix: 7",
    "prefix: relative",
    'prefix: "/bad["\nprefix_regex: true',
    "prefix: /bad/\nadd_request_headers: {'bad name': x}",
    "prefix: /bad/\ntimeout_ms: soon",
    "prefix: /bad/\nservice: 169.254.169.254",
    "prefix: /bad/\nweight: 1000",
    "{not yaml",
)


def test_endpoints_that_flap_lose_no_request(scene: Scene) -> None:
    scene.api.apply(model_service("flapping"))
    scene.api.apply(endpoints("flapping", [scene.places["one"]]))
    scene.publish("flaps", model="one")
    scene.lead("flaps", "flapping")
    with scene.load("flaps") as load:
        for turn in range(200):
            scene.api.apply(endpoints("flapping", [scene.places[MODELS[turn % 2]]]))
        scene.wait_served("flaps", "two")
        for turn in range(40):
            # Slower than what is joined together: Envoy hears of nearly each.
            scene.api.apply(endpoints("flapping", [scene.places[MODELS[turn % 2]]]))
            time.sleep(0.03)
        scene.wait_served("flaps", "two")
    assert load.failed == {}
    assert load.bodies.keys() == set(MODELS)


def test_the_same_name_in_another_namespace_takes_nothing_from_who_came_first(scene: Scene) -> None:
    scene.api.add_namespace("thief")
    scene.api.apply(model_service("two", namespace="thief"), endpoints("two", [scene.places["two"]], namespace="thief"))
    scene.publish("mine")
    with scene.load("mine") as load:
        scene.api.apply(carrier("mine", mapping("mine", "two"), namespace="thief"))
        # Whatever is published later is read later: by then the other one has been judged.
        scene.publish("later")
        load.more(200)
    assert load.failed == {}
    assert load.bodies.keys() == {"one"}
    scene.api.remove("mine")
    scene.wait_served("mine", "two")


def test_a_mapping_that_is_renamed_moves_to_another_object_and_loses_no_request(scene: Scene) -> None:
    scene.publish("renamed")
    with scene.load("renamed") as load:
        for name in ("second", "third", "fourth"):
            # Both are there for a moment, and both say the same.
            scene.api.apply(carrier(name, mapping(name, "one", prefix="/renamed/")))
            scene.publish(f"after-{name}")
            scene.api.remove({"second": "renamed", "third": "second", "fourth": "third"}[name])
        scene.publish("at-the-end")
    assert load.failed == {}


def test_who_is_deleted_and_made_again_under_the_same_name_is_the_new_one(scene: Scene) -> None:
    scene.publish("phoenix", "beside")
    with scene.load("beside") as load:
        for model in ("two", "one") * 5:
            scene.api.remove("phoenix")
            scene.lead("phoenix", model)
        scene.wait_served("phoenix", "one")
        scene.api.remove("phoenix")
        scene.wait_gone("phoenix")
        scene.publish("phoenix", model="two")
    assert load.failed == {}


def test_a_hundred_bad_objects_at_once_cost_nobody_else_a_request(scene: Scene) -> None:
    scene.publish("before")
    with scene.load("before") as load:
        scene.api.fill(carrier(f"bad-{number}", bad_mapping(number)) for number in range(100))
        scene.publish("among")
        scene.publish("after")
        for number in range(100):
            scene.api.remove(f"bad-{number}")
        scene.publish("afterwards")
    assert load.failed == {}


def bad_mapping(number: int) -> str:
    """A document that nobody can serve."""
    bad = BAD[number % len(BAD)]
    if bad.startswith("{"):
        return bad
    lines = ["apiVersion: getambassador.io/v2", "kind: Mapping", f"name: bad-{number}", bad]
    return "\n".join([*lines, *([] if "service:" in bad else ["service: one"])]) + "\n"
