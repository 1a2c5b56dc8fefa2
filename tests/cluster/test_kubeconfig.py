"""A kubeconfig with other clusters, as kubectl itself writes and reads it, is joined and left."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kubeconfig import CONTEXT, ApiAccess, join_kubeconfig, leave_kubeconfig
from tests.cluster.conftest import Kubectl, kubectl_path
from tests.cluster.raw_api import RawApi

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[KubeServer, KubeServer]]:
    """A cluster somebody has already, and the one of this machine; a namespace tells which is which."""
    with KubeServer() as theirs, KubeServer() as ours:
        for name, server in (("theirs", theirs), ("ours", ours)):
            api = RawApi(server.url, server.token, server.authority)
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            assert api.create("/api/v1/namespaces", manifest).code == 201
            api.close()
        yield theirs, ours


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".kube" / "config"


@pytest.fixture
def run(tmp_path: Path) -> Kubectl:
    """Kubectl as somebody has it who says nothing of a kubeconfig."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    def run(*arguments: str, fails: bool = False) -> str:
        command = [str(kubectl_path()), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    return run


def set_up(run: Kubectl, server: KubeServer, directory: Path) -> None:
    """Let kubectl know a cluster, and one more that cannot be reached."""
    authority = directory / "ca.pem"
    authority.write_text(server.authority)
    run("config", "set-cluster", "work", "--server", server.url, "--certificate-authority", str(authority))
    run("config", "set-credentials", "me", "--token", server.token)
    run("config", "set-context", "work", "--cluster", "work", "--user", "me", "--namespace", "kube-system")
    run("config", "set-cluster", "prod", "--server", "https://prod.example", "--insecure-skip-tls-verify")
    run("config", "set-credentials", "operator", "--exec-command", "get-token", "--exec-api-version", "v1")
    run("config", "set-context", "prod", "--cluster", "prod", "--user", "operator")
    run("config", "use-context", "work")


def view(run: Kubectl) -> dict[str, Any]:
    """Everything that kubectl reads, secrets too."""
    config: dict[str, Any] = json.loads(run("config", "view", "--raw", "--output", "json"))
    return config


def test_kubectl_reaches_both_clusters_and_keeps_what_it_had(
    servers: tuple[KubeServer, KubeServer], run: Kubectl, path: Path, tmp_path: Path
) -> None:
    theirs, ours = servers
    set_up(run, theirs, tmp_path)
    before = view(run)
    access = ApiAccess(ours.url, ours.token, ours.authority)
    assert join_kubeconfig(path, access) == "work"
    assert run("config", "current-context") == f"{CONTEXT}\n"
    assert sorted(run("config", "get-contexts", "--output", "name").split()) == [CONTEXT, "prod", "work"]
    assert "namespace/ours" in run("get", "namespaces", "--output", "name")
    assert "namespace/theirs" in run("--context", "work", "get", "namespaces", "--output", "name")
    assert leave_kubeconfig(path, access)
    assert view(run) == before | {"current-context": ""}
    assert "namespace/theirs" in run("--context", "work", "get", "namespaces", "--output", "name")
    assert "current-context is not set" in run("config", "current-context", fails=True)


def test_what_kubectl_has_changed_meanwhile_stays(
    servers: tuple[KubeServer, KubeServer], run: Kubectl, path: Path
) -> None:
    _, ours = servers
    access = ApiAccess(ours.url, ours.token, ours.authority)
    join_kubeconfig(path, access)
    run("config", "set-context", "--current", "--namespace", "ours")
    run("config", "set-context", "robot", "--cluster", CONTEXT, "--user", CONTEXT)
    assert "namespace/ours" in run("--context", "robot", "get", "namespaces", "--output", "name")
    assert leave_kubeconfig(path, access)
    left = view(run)
    assert [context["name"] for context in left["contexts"]] == ["robot"]
    assert (left["clusters"], left["users"], left["current-context"]) == (None, None, "")
