"""What tests of the stack and of the shared gateway have in common."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.models import ModelServer
from kfambassador.names import CONFIG_ANNOTATION
from tests.e2e.gateway import fetch, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MAPPING = """
apiVersion: ambassador/v0
kind: Mapping
name: model
prefix: /model/
rewrite: /v1/models/half_plus_two
service: 127.0.0.1:{port}
"""

#: A kubeconfig that somebody has for another cluster.
THEIRS = """\
apiVersion: v1
kind: Config
clusters: [{name: prod, cluster: {server: 'https://prod.example'}}]
users: [{name: me, user: {token: of-mine}}]
contexts: [{name: prod, context: {cluster: prod, user: me}}]
current-context: prod
"""


@contextmanager
def client_of(endpoint: GatewayEndpoint) -> Iterator[KubeClient]:
    """A client of a gateway's Kubernetes API."""
    with KubeClient.connect(endpoint.api_url, token=endpoint.api_token, authority=endpoint.api_authority) as client:
        yield client


def publish(endpoint: GatewayEndpoint, model: ModelServer) -> None:
    """Publish a model under /model/; when this returns it is served."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "model", "annotations": {CONFIG_ANNOTATION: MAPPING.format(port=model.port)}},
        "spec": {"ports": [{"port": 80}]},
    }
    with client_of(endpoint) as client:
        version = client.apply(manifest)["metadata"]["resourceVersion"]
    source = f"/ambassador/v0/sources/Service/default/model?resource_version={version}&wait=20"
    assert fetch(endpoint.diagnostics_url + source, token=endpoint.diagnostics_token).json()["state"] == "serving"


def ask_model(endpoint: GatewayEndpoint) -> int | None:
    """Ask the published model; give the HTTP status, None when there is none."""
    try:
        return fetch(f"{endpoint.url}/model/").status
    except OSError:
        return None


def is_ready(endpoint: GatewayEndpoint) -> bool:
    """Whether the gateway says it is."""
    return fetch(f"{endpoint.diagnostics_url}/ambassador/v0/check_ready").status == 200


def find_envoys(directory: Path) -> list[int]:
    """The Envoys that were started in a directory, by their process numbers."""
    return [
        pid for pid, command in _commands() if command[0].endswith("envoy") and f"{directory}/envoy.json" in command
    ]


def kill_envoy(directory: Path) -> None:
    """Kill the Envoy that runs in a directory, as soon as there is one; when this returns it is gone."""
    until(lambda: bool(find_envoys(directory)))
    [envoy] = find_envoys(directory)
    os.kill(envoy, signal.SIGKILL)
    until(lambda: envoy not in find_envoys(directory))


def find_processes(directory: Path) -> list[int]:
    """All processes that were told of something in a directory."""
    return [pid for pid, command in _commands() if any(str(directory) in argument for argument in command)]


def _commands() -> Iterator[tuple[int, list[str]]]:
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                yield int(process.name), (process / "cmdline").read_text(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
