"""What keeps pods from being ready."""

import pytest

from kfambassador.kube.pods import is_ready
from kfambassador.sdk.readiness.pods import list_ports, tell_pods

Manifest = dict[str, object]


def pod(name: str = "m-0", *, phase: str = "Pending", deleted: bool = False, **status: object) -> Manifest:
    metadata = {"name": name, **({"deletionTimestamp": "2026-11-26T00:00:00Z"} if deleted else {})}
    return {"metadata": metadata, "status": {"phase": phase, **status}}


def container(state: Manifest, **more: object) -> Manifest:
    return {"name": "server", "state": state, **more}


PULL: Manifest = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "mnist:v9"'}}
CRASH: Manifest = {"waiting": {"reason": "CrashLoopBackOff", "message": "wait"}}


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (
            pod(containerStatuses=[container(PULL)]),
            'pod m-0 is Pending: container server waits with ImagePullBackOff (Back-off pulling image "mnist:v9")',
        ),
        (
            pod(
                phase="Running",
                containerStatuses=[container(CRASH, lastState={"terminated": {"exitCode": 137}})],
            ),
            "pod m-0 is Running: container server waits with CrashLoopBackOff (wait); it ended with exit code 137",
        ),
        (
            pod(initContainerStatuses=[container({"terminated": {"exitCode": 1, "reason": "Error"}})]),
            "pod m-0 is Pending: container server ended with exit code 1 (Error)",
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient memory"}]),
            "pod m-0 is Pending: no node takes it (0/3 nodes: Insufficient memory)",
        ),
        (
            pod(phase="Running", containerStatuses=[container({"running": {}}, ready=False)]),
            "pod m-0 is Running: container server runs, and its readiness probe does not pass yet",
        ),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), "pod m-0 is Failed: low on memory"),
        (pod(phase="Running", deleted=True), "pod m-0 is being deleted"),
        (
            pod(
                containerStatuses=[container({"waiting": {"reason": "PodInitializing"}})],
                initContainerStatuses=[container(PULL)],
            ),
            'pod m-0 is Pending: container server waits with ImagePullBackOff (Back-off pulling image "mnist:v9")',
        ),
        (pod(), "pod m-0 is Pending and not ready"),
        ({"metadata": {"name": "m-0"}, "status": "nonsense"}, "pod m-0 is not started and not ready"),
    ],
)
def test_what_keeps_a_pod_is_told(manifest: Manifest, words: str) -> None:
    assert tell_pods([manifest]) == words


def test_of_many_a_few_are_told() -> None:
    told = tell_pods([pod(f"m-{number}") for number in range(10)])
    assert told.endswith("pod m-2 is Pending and not ready; and 7 more")


@pytest.mark.parametrize(("status", "ready"), [("True", True), ("False", False), ("Unknown", False)])
def test_ready_is_what_the_pod_says(status: str, ready: bool) -> None:
    assert (
        is_ready(pod(conditions=[{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": status}]))
        is ready
    )


def test_declared_ports_are_found_with_their_names() -> None:
    containers = [{"ports": [{"containerPort": 8501, "name": "rest"}, {"containerPort": 8500}]}, {"name": "sidecar"}]
    assert list_ports([{"spec": {"containers": containers}}, {}]) == {8501: "rest", 8500: ""}
