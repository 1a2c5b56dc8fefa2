"""Clients that others wrote, unmodified: each does what an application does, in an environment of its own.

``make clients`` makes it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cluster.raw_api import Object, RawApi
from tests.cluster.servers import Server, write_kubeconfig

CLIENTS: Final = Path(__file__).parent / "clients"
#: The Python of the environment.
NEWEST: Final = Path(__file__).parents[2] / ".clients" / "bin" / "python"

_PATIENCE: Final = 60.0

Run = Callable[..., Any]

TYPED: Final = {
    "ports": [["http", 80, "web"]],
    "annotations": {"note": "yes"},
    "replicas": [2, 3],
    "read": "web:1",
    "twice": [409, "AlreadyExists"],
    "events": [["ADDED", "one"], ["ADDED", "two"], ["DELETED", "one"]],
    "applied": "1",
    "names": ["applied", "from-dict", "two"],
    "left": 0,
}


@pytest.fixture(scope="module")
def newest() -> Path:
    """Return the Python that has the newest clients."""
    if not NEWEST.exists():
        pytest.fail(f"The clients that others wrote are not installed in {NEWEST.parents[1]}: run make clients")
    return NEWEST


@pytest.fixture
def environment(cluster: Server, namespace: str, tmp_path: Path) -> dict[str, str]:
    """Return an environment in which clients find the cluster and the test's namespace."""
    path = tmp_path / "config"
    write_kubeconfig(cluster, path, namespace=namespace)
    return {"KUBECONFIG": str(path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}


@pytest.fixture
def run(environment: dict[str, str], namespace: str) -> Run:
    """Return a function that runs a program of a client; it gives what the program saw."""

    def run(python: Path | str, program: str) -> Any:
        command = [str(python), str(CLIENTS / program), environment["KUBECONFIG"], namespace]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_official_client_of_this_environment(run: Run) -> None:
    seen = run(sys.executable, "typed.py")
    assert int(seen.pop("version").partition(".")[0]) >= 30
    assert seen == TYPED


def test_the_newest_official_client_sees_the_same(run: Run, newest: Path) -> None:
    seen = run(newest, "typed.py")
    assert int(seen.pop("version").partition(".")[0]) >= 37
    assert seen == TYPED


def test_lightkube(run: Run, newest: Path) -> None:
    assert run(newest, "light.py") == {
        "labels": {"app": "web"},
        "annotations": {"note": "yes"},
        "gone": [404, "NotFound"],
        "applied": {"key": "new"},
        "conflict": 409,
        "replicas": [4, 4],
        "events": [["ADDED", "settings"], ["DELETED", "settings"]],
    }


def test_kr8s(run: Run, newest: Path) -> None:
    assert run(newest, "kr.py") == {
        "data": {"a": "1", "b": "2"},
        "labels": {"app": "web"},
        "found": ["settings"],
        "event": ["ADDED", "settings"],
        "exists": False,
        "replicas": 3,
        "kinds": True,
        "who": "kubernetes-admin",
    }


# kopf

KEEP: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITION: Final[Object] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "examples.kopf.test"},
    "spec": {
        "scope": "Namespaced",
        "group": "kopf.test",
        "names": {"kind": "Example", "plural": "examples", "singular": "example"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": KEEP, "status": KEEP}}},
            }
        ],
    },
}
DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def examples(api: RawApi, namespace: str) -> Iterator[str]:
    """Return the path of objects of the operator's kind."""
    assert api.create(DEFINITIONS, DEFINITION).code == 201
    yield f"/apis/kopf.test/v1/namespaces/{namespace}/examples"
    api.delete(f"{DEFINITIONS}/examples.kopf.test")


@contextmanager
def operating(python: Path, environment: dict[str, str], namespace: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the operator; what it says is to be had once it has ended."""
    program = CLIENTS / "operator_of_examples.py"
    command = [str(python), "-m", "kopf", "run", "--standalone", "--namespace", namespace, str(program)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not wanted():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_an_operator_of_kopf(
    api: RawApi, examples: str, environment: dict[str, str], namespace: str, newest: Path
) -> None:
    def read_status() -> Object:
        return dict(api.get(f"{examples}/one").object.get("status") or {})

    example = {"apiVersion": "kopf.test/v1", "kind": "Example", "metadata": {"name": "one"}, "spec": {"field": "dawn"}}
    with operating(newest, environment, namespace) as operator:
        assert api.create(examples, example).code == 201
        wait_for(lambda: read_status().get("create") == {"field": "dawn"})
        assert api.get(f"{examples}/one").object["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
        assert api.patch(f"{examples}/one", {"spec": {"field": "noon"}}).code == 200
        wait_for(lambda: read_status().get("changed") == "dawn to noon")
        assert api.delete(f"{examples}/one").code == 200
        wait_for(lambda: api.get(f"{examples}/one").code == 404)
        events = f"/api/v1/namespaces/{namespace}/events"
        wait_for(lambda: "Welcomed" in [event["reason"] for event in api.get(events).object["items"]])
        operator.terminate()
        said, _ = operator.communicate(timeout=_PATIENCE)
    assert "farewell one" in said
    assert "Traceback" not in said
