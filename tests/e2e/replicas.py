"""Replicas of one gateway: each a controller in a process of its own, as a pod runs it, and an Envoy."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import LEASE, MAPPING
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.ports import reserved_port
from kfambassador.names import ADMIN_SOCKET, INSTALL_NAMESPACE, STATUS_LEASE, XDS_SOCKET
from tests.cluster.servers import write_kubeconfig
from tests.e2e.gateway import Answer, fetch, until

#: Seconds: long enough that a busy machine renews in time.
LEASE_DURATION = 6


class Replica:
    """One controller and its Envoy; the Envoy lives on when the controller dies.

    Attributes:
        name: What it is called.
        url: Where its Envoy answers.
    """

    def __init__(self, name: str, *, kubeconfig: Path, log: Path, parts: ExitStack, options: Sequence[str]) -> None:
        directory = parts.enter_context(private_directory())
        http, diagnostics, health = (parts.enter_context(reserved_port()) for _ in range(3))
        self.name = name
        self.url = f"http://127.0.0.1:{http}"
        self._read = f"http://127.0.0.1:{diagnostics}/ambassador/v0"
        self._log = log
        said = {
            "kubeconfig": kubeconfig,
            "xds-socket": directory / XDS_SOCKET,
            "admin-socket": directory / ADMIN_SOCKET,
            "state-dir": directory / "state",
            "http-address": "127.0.0.1",
            "http-port": http,
            "diagnostics-address": f"127.0.0.1:{diagnostics}",
            "health-address": f"127.0.0.1:{health}",
            "gateway-namespace": INSTALL_NAMESPACE,
            "lease-duration": LEASE_DURATION,
            "identity": name,
            "log-format": "text",
        }
        flags = [f"--{flag}={value}" for flag, value in said.items()]
        self._command = [sys.executable, "-m", "kfambassador", "controller", *flags, *options]
        envoy = parts.enter_context(EnvoyProcess(directory))
        parts.callback(self.kill)
        self.start()
        # Returns when the controller has told it what to serve.
        envoy.start(write_bootstrap(BootstrapSettings(directory=directory)), timeout=60)

    def start(self) -> None:
        """Start the controller, as a kubelet does after its end."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """End the controller as ``kill -9`` does."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Tell the controller to end; give its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=30)

    def send(self, number: signal.Signals) -> None:
        """Send the controller a signal."""
        self._process.send_signal(number)

    def ask(self, path: str) -> Answer:
        """Ask its read API."""
        return fetch(f"{self._read}/{path}")

    def is_ready(self) -> bool:
        """Whether it has served its first table."""
        try:
            return self.ask("check_ready").status == 200
        except OSError:
            assert self._process.poll() is None, self.words()
            return False

    def words(self) -> str:
        """What its controller said."""
        return self._log.read_text()


@dataclass
class Replicas:
    """A cluster, and who runs in it."""

    client: KubeClient
    kubeconfig: Path
    server: KubeServer
    directory: Path
    parts: ExitStack

    def add(self, name: str, *options: str, kubeconfig: Path | None = None) -> Replica:
        """Start a replica."""
        return Replica(
            name,
            kubeconfig=kubeconfig or self.kubeconfig,
            log=self.directory / f"{name}.log",
            parts=self.parts,
            options=options,
        )

    def lease(self) -> dict[str, Any]:
        """What the Lease says; nothing while there is none."""
        found = self.client.list(LEASE, namespace=INSTALL_NAMESPACE).items
        return next((each["spec"] for each in found if each["metadata"]["name"] == STATUS_LEASE), {})

    def leader(self) -> str:
        """The replica that holds the Lease."""
        return str(self.lease().get("holderIdentity") or "").partition("_")[0]

    def await_leader(self, *names: str) -> str:
        """Wait until one of these replicas leads; give it."""
        until(lambda: self.leader() in names, timeout=60)
        return self.leader()

    def apply_mapping(self, name: str, **spec: object) -> None:
        """Apply a Mapping of ``/NAME/`` that answers by itself: it redirects."""
        manifest = {
            "apiVersion": MAPPING.api_version,
            "kind": MAPPING.kind,
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"prefix": f"/{name}/", "service": "models.example.org", "host_redirect": True, **spec},
        }
        self.client.apply(manifest, force=True)

    def status(self, name: str) -> dict[str, Any]:
        """A Mapping's status."""
        return dict(self.client.get(MAPPING, name, namespace="default").get("status") or {})

    def await_status(self, name: str, state: str = "Running") -> dict[str, Any]:
        """Wait until somebody wrote this state."""
        until(lambda: self.status(name).get("state") == state, timeout=60)
        return self.status(name)


@contextmanager
def replicas(directory: Path, *, rbac: bool = False) -> Iterator[Replicas]:
    """A cluster in which replicas can be started."""
    with (
        KubeServer(furniture=read_definitions(), rbac=rbac) as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
        ExitStack() as parts,
    ):
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": INSTALL_NAMESPACE}})
        write_kubeconfig(server, directory / "config")
        yield Replicas(client, directory / "config", server, directory, parts)
