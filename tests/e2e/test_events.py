"""Problems as Events of their objects: what the real kubectl shows of them."""

import json
from collections.abc import Iterator

import pytest

from kfambassador.kube.client import Manifest
from kfambassador.kube.kinds import EVENT
from kfambassador.local.models import ModelServer
from tests.e2e.gateway import annotate_service, until
from tests.e2e.test_custom_resources import World, running_world

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("events")]

RIGHT = "{apiVersion: ambassador/v1, kind: Mapping, name: NAME, prefix: /NAME/, service: models.example.org}"
WRONG = RIGHT.replace("prefix:", "weight: heavy, prefix:")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world"), model) as running:
        yield running


def annotate(world: World, name: str, *documents: str) -> Manifest:
    text = "\n---\n".join(document.replace("NAME", name) for document in documents)
    return world.client.apply(annotate_service(name, text), force=True)


def events_of(world: World, name: str) -> list[Manifest]:
    found = [each for each in world.client.list(EVENT).items if each["involvedObject"]["name"] == name]
    return sorted(found, key=lambda event: str(event["metadata"]["resourceVersion"]))


def await_events(world: World, name: str, number: int) -> list[Manifest]:
    until(lambda: len(events_of(world, name)) >= number)
    return events_of(world, name)


def test_kubectl_describe_shows_what_is_wrong_with_a_service_where_and_what_to_do(world: World) -> None:
    annotate(world, "told", RIGHT, WRONG.replace("name: NAME", "name: second").replace("/NAME/", "/second/"))
    await_events(world, "told", 1)
    described = world.kubectl("describe", "service", "told")
    [line] = [line for line in described.splitlines() if "WrongType" in line]
    assert line.split()[0] == "Warning"
    assert "kfambassador" in line
    assert "annotation document 2: weight: expected a whole number, got 'heavy'" in line


def test_an_event_is_of_that_very_object_and_of_the_annotation(world: World) -> None:
    uid = annotate(world, "precise", WRONG)["metadata"]["uid"]
    [event] = await_events(world, "precise", 1)
    involved = event["involvedObject"]
    assert (involved["kind"], involved["apiVersion"], involved["uid"]) == ("Service", "v1", uid)
    assert involved["fieldPath"] == "metadata.annotations['getambassador.io/config']"
    assert (event["type"], event["count"]) == ("Warning", 1)


def test_a_mended_service_says_so_and_a_problem_that_comes_back_is_counted(world: World) -> None:
    annotate(world, "mended", WRONG)
    await_events(world, "mended", 1)
    annotate(world, "mended", RIGHT)
    mended = await_events(world, "mended", 2)[-1]
    assert (mended["type"], mended["reason"]) == ("Normal", "ConfigurationMended")
    annotate(world, "mended", WRONG)
    until(lambda: any(event["count"] == 2 for event in events_of(world, "mended")))
    assert len(events_of(world, "mended")) == 2


def test_an_edit_that_leaves_the_problem_tells_nothing_new(world: World) -> None:
    annotate(world, "edited", WRONG)
    [first] = await_events(world, "edited", 1)
    annotate(world, "edited", WRONG.replace("models.example.org", "others.example.org"))
    # What is told of another Service afterwards would be told later than anything about this one.
    annotate(world, "after", WRONG)
    await_events(world, "after", 1)
    assert events_of(world, "edited") == [first]


def test_mappings_and_ingresses_are_told_of_as_well(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("typo", more="timeot_ms: 7"))
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "door", "annotations": {"getambassador.io/config": WRONG.replace("NAME", "door")}},
        "spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
    }
    world.kubectl("apply", "-f", "-", given=json.dumps(ingress))
    [of_mapping], [of_ingress] = await_events(world, "typo", 1), await_events(world, "door", 1)
    assert of_mapping["involvedObject"]["fieldPath"] == "spec.timeot_ms"
    assert "did you mean timeout_ms?" in of_mapping["message"]
    assert of_ingress["involvedObject"]["kind"] == "Ingress"
    assert "did you mean timeout_ms?" in world.kubectl("describe", "mapping", "typo")
    assert "WrongType" in world.kubectl("describe", "ingress", "door")


def test_no_secret_is_in_any_event_or_status(world: World) -> None:
    secret = "add_request_headers: {Authorization: [Bearer tweety-0123456789]}"
    annotate(world, "secretive", RIGHT.replace("service:", f"{secret}, service:"))
    await_events(world, "secretive", 1)
    world.kubectl(
        "apply", "-f", "-", given=world.manifest("secretive", more=secret.replace("[", "[[").replace("]", "]]"))
    )
    until(lambda: "wrong type" in json.dumps(world.status("secretive")))
    assert "tweety" not in json.dumps(world.client.list(EVENT).items)
    assert "tweety" not in json.dumps(world.status("secretive"))


def test_a_hundred_bad_services_at_once_are_each_told_of(world: World) -> None:
    names = [f"bad-{number:03}" for number in range(100)]
    for name in names:
        annotate(world, name, WRONG)
    until(lambda: {name for name in names if events_of(world, name)} == set(names), timeout=60)
