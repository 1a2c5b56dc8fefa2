"""A cluster of one test's own, and the commands that install into it, by this package, by kubectl and by Helm."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kfambassador.cli.app import main
from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from tests.cluster.conftest import kubectl_path
from tests.cluster.servers import write_kubeconfig

#: Runs a command of kfambassador; gives its exit code and what it printed on both streams.
Run = Callable[..., "tuple[int, str]"]


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def client(server: KubeServer) -> Iterator[KubeClient]:
    with KubeClient.connect(server.url, token=server.token, authority=server.authority) as client:
        yield client


@pytest.fixture
def kubeconfig(server: KubeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    write_kubeconfig(server, path)
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.delenv("KFAMBASSADOR_IMAGE", raising=False)
    return path


@pytest.fixture
def run(kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as a person does, in this process."""

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


@pytest.fixture
def kubectl(kubeconfig: Path, tmp_path: Path) -> Callable[..., str]:
    """Run kubectl against the cluster; give what it prints."""

    def run(*words: str, fails: bool = False) -> str:
        environ = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        command = [str(kubectl_path()), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
