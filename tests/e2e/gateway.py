"""The whole gateway in one process, from its parts: embedded API, controller, Envoy."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.client import KubeClient
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import ADMIN_SOCKET, ASKING_SOCKET, CONFIG_ANNOTATION, XDS_SOCKET
from kfambassador.routing.policy import TenancyPolicy
from tests.ports import free_port


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    body: str

    def json(self) -> dict[str, object]:
        """The body, which is JSON."""
        document: dict[str, object] = json.loads(self.body)
        return document


@dataclass(frozen=True)
class Parts:
    """A running gateway and its parts."""

    client: KubeClient
    controller: ControllerThread
    envoy: EnvoyProcess
    url: str

    def apply_service(self, name: str, annotation: str, *, namespace: str = "default") -> str:
        """Apply an annotated Service; give its resourceVersion."""
        manifest = annotate_service(name, annotation, namespace=namespace)
        version: str = self.client.apply(manifest, force=True)["metadata"]["resourceVersion"]
        return version

    def source(
        self, name: str, *, version: str = "", wait: float = 10.0, namespace: str = "default"
    ) -> dict[str, object]:
        """Ask how far a Service has come, until that version is decided."""
        query = urlencode({"resource_version": version, "wait": wait})
        return self.ask(f"sources/Service/{namespace}/{name}?{query}").json()

    def is_gone(self, name: str, *, namespace: str = "default") -> bool:
        """Wait until a Service configures nothing that Envoy still serves."""
        source = self.ask(f"sources/Service/{namespace}/{name}?absent=true&wait=10").json()
        return source["state"] == "unknown"

    def ask(self, path: str, *, token: str = "") -> Answer:
        """Ask the read API."""
        return fetch(f"{self.controller.diagnostics_url}/ambassador/v0/{path}", token=token)

    def request(self, path: str, *, method: str = "GET", body: bytes | None = None) -> Answer:
        """Send a request through Envoy."""
        return fetch(self.url + path, method=method, body=body)


def annotate_service(name: str, annotation: str, *, namespace: str = "default") -> dict[str, Any]:
    """A Service that carries configuration."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": {CONFIG_ANNOTATION: annotation}},
        "spec": {"ports": [{"port": 80}]},
    }


def fetch(url: str, *, method: str = "GET", body: bytes | None = None, token: str = "", authority: str = "") -> Answer:
    """Send one request; an error status is an answer too."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        context = ssl.create_default_context(cadata=authority) if authority else None
        with urlopen(Request(url, data=body, method=method, headers=headers), timeout=10, context=context) as response:
            return Answer(response.status, response.read().decode())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())


@contextmanager
def running_gateway(*, token: str | None = None) -> Iterator[Parts]:
    """Run the parts; when this gives them, Envoy has its first routes."""
    port = free_port()
    with (
        KubeServer() as api,
        KubeClient.connect(api.url, token=api.token, authority=api.authority) as client,
        private_directory() as directory,
    ):
        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            admin_socket=directory / ADMIN_SOCKET,
            listener=ListenerSettings(port=port, asking_socket=directory / ASKING_SOCKET),
            policy=TenancyPolicy.laptop(),
            diagnostics_token=token,
        )
        with ControllerThread(client, settings) as controller, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory=directory)))
            parts = Parts(client, controller, envoy, f"http://127.0.0.1:{port}")
            # Envoy is live a moment before the controller hears that it has them.
            until(lambda: parts.ask("check_ready").status == 200)
            yield parts


def until(condition: Callable[[], bool], *, timeout: float = 20.0) -> None:
    """Wait until a condition holds that is only to be had by asking."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)
