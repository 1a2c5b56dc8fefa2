"""Two replicas: both serve, and one at a time writes what became of each Mapping (fault 8)."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kfambassador.kube.kinds import LEASE, MAPPING
from tests.faults.api import Manifest
from tests.faults.pod import GATEWAY_NAMESPACE, Pod
from tests.faults.programs import until
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-replicas")]

_NUMBERS = count()


@pytest.fixture(scope="module")
def scene(place: Path) -> Iterator[Scene]:
    """Return a gateway of two pods that notice each other's end soon."""
    with Scene(place) as scene:
        for name in ("left", "right"):
            scene.pod(name, "--lease-duration=3").start()
        for pod in scene.pods:
            pod.wait_ready()
        scene.publish("stays")
        yield scene


def custom_mapping(name: str, model: str) -> Manifest:
    """A Mapping of its own."""
    spec = {"prefix": f"/{name}/", "service": model}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": metadata, "spec": spec}


def holder(scene: Scene) -> str:
    """The pod whose controller holds the Lease; each start of one goes by another name."""
    lease = scene.api.client.get(LEASE, "kfambassador-status", namespace=GATEWAY_NAMESPACE)
    return str(lease["spec"].get("holderIdentity") or "").partition("_")[0]


def leader(scene: Scene) -> Pod:
    """The pod that holds the Lease, once one does."""
    until(lambda: holder(scene) != "", "a replica holds the Lease")
    [found] = [pod for pod in scene.pods if pod.name == holder(scene)]
    return found


def wait_written(scene: Scene) -> None:
    """Publish a Mapping; wait until both serve it and one of them has written so."""
    name = f"written-{next(_NUMBERS)}"
    scene.api.apply(custom_mapping(name, "one"))
    scene.wait_served(name, "one", pods=[pod for pod in scene.pods if pod.controller.is_running])

    def is_written() -> bool:
        return "True" in json.dumps(scene.api.client.get(MAPPING, name).get("status", {}))

    until(is_written, f"the status of {name} says that it is served")


def test_a_leader_that_is_killed_is_followed_by_the_other_and_no_request_is_lost(scene: Scene) -> None:
    wait_written(scene)
    first = leader(scene)
    [other] = [pod for pod in scene.pods if pod is not first]
    with scene.load("stays") as load:
        first.controller.kill()
        # What is served needs no leader.
        scene.publish("without-a-leader", pods=[other])
        until(lambda: holder(scene) == other.name, "the other replica holds the Lease")
        wait_written(scene)
        first.start_controller()
        first.wait_ready()
        scene.wait_served("without-a-leader", "one")
    assert load.failed == {}
    # Who comes back does not push its way in.
    assert holder(scene) == other.name


def test_a_leader_that_was_frozen_writes_nothing_that_is_not_its_to_write(scene: Scene) -> None:
    first = leader(scene)
    [other] = [pod for pod in scene.pods if pod is not first]
    with scene.load("stays") as load:
        first.controller.freeze()
        until(lambda: holder(scene) == other.name, "the other replica holds the Lease")
        scene.publish("while-frozen", pods=[other])
        first.controller.thaw()
        scene.wait_served("while-frozen", "one")
        wait_written(scene)
        assert holder(scene) == other.name
    assert load.failed == {}
    until(lambda: leads(other) and not leads(first), "one of the two takes itself for the leader")


def leads(pod: Pod) -> bool:
    """Whether a replica takes itself for the leader."""
    return any(line.startswith("kfambassador_leader") and line.endswith(" 1.0") for line in pod.metrics().splitlines())
