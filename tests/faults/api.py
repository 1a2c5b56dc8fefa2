"""The Kubernetes API as a process: it can be killed, frozen and started again with all it had acknowledged."""

import secrets
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kfambassador.errors import ApiError
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.kube.store.state import StateDirectory
from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from kfambassador.local.ports import reserved_port
from kfambassador.names import CONFIG_ANNOTATION
from tests.faults.programs import Program

Manifest = dict[str, Any]

_SERVE = """
import signal, sys
from pathlib import Path
from kfambassador.local.definitions import read_definitions
from kfambassador.local.kube.server import KubeServer
state, port, token = sys.argv[1:]
with KubeServer(state=Path(state), port=int(port), token=token, furniture=read_definitions()):
    signal.pause()
"""


class Api:
    """A Kubernetes API whose address, token and authority stay, however often its process is started.

    Args:
        directory: Where it keeps everything.

    Attributes:
        program: Its process.
        client: An administrator's client.
        kubeconfig: What lets others in.
    """

    program: Program

    def __init__(self, directory: Path) -> None:
        self._stack = ExitStack()
        self._log = directory / "api.log"
        self._state = directory / "state"
        with StateDirectory(self._state) as opened:
            self.authority = opened.read_authority().certificate
        self._port = self._stack.enter_context(reserved_port())
        self.url, self.token = f"https://127.0.0.1:{self._port}", secrets.token_urlsafe(16)
        self.client = self._stack.enter_context(
            KubeClient.connect(self.url, token=self.token, authority=self.authority, read_timeout=60)
        )
        self.kubeconfig = directory / "kubeconfig"
        join_kubeconfig(self.kubeconfig, ApiAccess(self.url, self.token, self.authority))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self.program.thaw()
            self.program.kill()

    def start(self) -> None:
        """Start it; returns when it answers."""
        self.program = Program([sys.executable, "-c", _SERVE, str(self._state), str(self._port), self.token], self._log)
        self.program.until(self._answers, "the API answers")

    def _answers(self) -> bool:
        try:
            self.client.list(SERVICE, namespace="default")
        except ApiError:
            return False
        return True

    def apply(self, *manifests: Manifest) -> None:
        """Apply objects, one after the other."""
        for manifest in manifests:
            self.client.apply(manifest, force=True)

    def fill(self, manifests: Iterable[Manifest]) -> None:
        """Create many objects at once."""
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(self.client.create, manifests):
                pass

    def remove(self, name: str, *, namespace: str = "default") -> None:
        """Delete a Service, which must be there."""
        assert self.client.delete(SERVICE, name, namespace=namespace)

    def add_namespace(self, *names: str) -> None:
        """Make namespaces that are not there yet."""
        self.apply(*({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names))


def carrier(name: str, *mappings: str, namespace: str = "default") -> Manifest:
    """A Service that carries mappings and has no pods of its own."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": {CONFIG_ANNOTATION: "---\n".join(mappings)}},
        "spec": {"clusterIP": "None", "ports": [{"port": 80}]},
    }


def mapping(name: str, service: str, *more: str, prefix: str = "") -> str:
    """A mapping of ``/NAME/``; ``more`` are further lines of it."""
    lines = [
        "apiVersion: getambassador.io/v2",
        "kind: Mapping",
        f"name: {name}",
        f"prefix: {prefix or f'/{name}/'}",
        f"service: {service}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def endpoints(service: str, places: Iterable[tuple[str, int]], *, namespace: str = "default") -> Manifest:
    """An EndpointSlice that says where a Service's pods are; all have one port."""
    found = list(places)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address, _ in found],
        "ports": [{"name": "", "port": found[0][1] if found else 80, "protocol": "TCP"}],
    }
