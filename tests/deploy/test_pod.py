"""The pod as the Deployment writes it, as two processes: with the account and roles that install made, and no more."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import DEPLOYMENT, MAPPING
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from tests.cluster.servers import write_kubeconfig
from tests.deploy.conftest import Run
from tests.deploy.others import HOME, make_namespace
from tests.e2e.gateway import until
from tests.ports import free_port

pytestmark = pytest.mark.e2e

#: What the kubelet fills in.
FIELDS = {"status.podIPs": "127.0.0.1"}


@pytest.fixture
def server() -> Iterator[KubeServer]:
    """A cluster in which roles decide."""
    with KubeServer(rbac=True) as server:
        yield server


def read_environment(container: dict[str, Any]) -> dict[str, str]:
    """What the kubelet makes of a container's ``env``."""
    return {
        each["name"]: each["value"] if "value" in each else FIELDS[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in container.get("env", ())
    }


@contextmanager
def running(container: dict[str, Any], environ: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a container's command with its own arguments and variables; at the end it is told to end, and ends well."""
    command = [sys.executable, "-m", "kfambassador", *container["args"]]
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("KFAMBASSADOR_", "KUBE"))}
    with log.open("wb") as said:
        environ = usual | read_environment(container) | environ
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=said)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()


def ask(port: int, path: str) -> int | None:
    """Ask as a kubelet or a client does; give the status, None when nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def test_the_pod_serves_with_what_it_is_given(
    run: Run, client: KubeClient, server: KubeServer, kubectl: Callable[..., str], tmp_path: Path
) -> None:
    assert run("install", "--no-wait")[0] == 0
    pod = client.get(DEPLOYMENT, "kfambassador", namespace=HOME)["spec"]["template"]["spec"]
    controller, envoy = pod["containers"]
    token = kubectl("create", "token", pod["serviceAccountName"], "--namespace", HOME).strip()
    write_kubeconfig(server, tmp_path / "pod", token=token, namespace=HOME)
    http_port, health, ready = free_port(), free_port(), free_port()
    with private_directory() as directory:
        sockets = {
            "KFAMBASSADOR_XDS_SOCKET": str(directory / XDS_SOCKET),
            "KFAMBASSADOR_ADMIN_SOCKET": str(directory / ADMIN_SOCKET),
            "KFAMBASSADOR_READY_ADDRESS": f"127.0.0.1:{ready}",
        }
        places = {
            **sockets,
            "KUBECONFIG": str(tmp_path / "pod"),
            "KFAMBASSADOR_STATE_DIR": str(directory / "state"),
            "KFAMBASSADOR_HTTP_PORT": str(http_port),
            "KFAMBASSADOR_HEALTH_ADDRESS": f"127.0.0.1:{health}",
            "KFAMBASSADOR_DIAGNOSTICS_ADDRESS": f"127.0.0.1:{free_port()}",
        }
        (directory / "state").mkdir(mode=0o700)
        with (
            running(controller, places, tmp_path / "controller.log"),
            running(envoy, sockets, tmp_path / "envoy.log"),
        ):
            probes = [
                (health, controller["startupProbe"]),
                (health, controller["livenessProbe"]),
                (health, controller["readinessProbe"]),
                (ready, envoy["readinessProbe"]),
            ]
            until(lambda: all(ask(port, probe["httpGet"]["path"]) == 200 for port, probe in probes), timeout=60)
            make_namespace(client, "team")
            client.apply(write_redirect("moved"))
            until(lambda: ask(http_port, "/moved/") == 301)
            until(lambda: is_ready(client, "moved"))


def write_redirect(name: str) -> dict[str, Any]:
    """A Mapping that needs no backend, of which there is none that a cluster's gateway would go to."""
    metadata = {"name": name, "namespace": "team"}
    spec = {"hostname": "*", "prefix": f"/{name}/", "service": "example.org", "host_redirect": True}
    return {"apiVersion": "getambassador.io/v3alpha1", "kind": "Mapping", "metadata": metadata, "spec": spec}


def is_ready(client: KubeClient, name: str) -> bool:
    """Whether the controller has told the cluster, which it must be allowed to."""
    status = client.get(MAPPING, name, namespace="team").get("status") or {}
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
