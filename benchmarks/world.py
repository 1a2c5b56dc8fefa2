"""A running gateway as its user sees it: Services go in at one end, and requests come out at the other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.inputs import annotated_service, mapping_text
from benchmarks.processes import echo_server, gateway, in_other_process
from kfambassador.kube.client import KubeClient
from kfambassador.local.endpoint import GatewayEndpoint

_PATIENCE = 30  # seconds for one answer of the read API


@dataclass(frozen=True, slots=True)
class World:
    """A gateway and a backend, each in a process of its own.

    Attributes:
        client: The gateway's Kubernetes API.
        endpoint: How the gateway is reached.
        backend: The backend's port.
    """

    client: KubeClient
    endpoint: GatewayEndpoint
    backend: int

    def publish(self, number: int, *, service: str = "", rewrite: str = "/") -> str:
        """Write the Service that carries a mapping, by default to the backend; give its resourceVersion."""
        text = mapping_text(number, service=service or f"127.0.0.1:{self.backend}", rewrite=rewrite)
        written = self.client.apply(annotated_service(number, text), force=True)
        return str(written["metadata"]["resourceVersion"])

    def wait_served(self, number: int, version: str) -> None:
        """Wait until Envoy has acknowledged a version of a mapping's Service."""
        while (state := self._state(number, version)) != "serving":
            if state != "pending":
                raise RuntimeError(f"model-{number} is {state}")

    def _state(self, number: int, version: str) -> str:
        query = urlencode({"resource_version": version, "wait": _PATIENCE})
        url = f"{self.endpoint.diagnostics_url}/ambassador/v0/sources/Service/default/model-{number}?{query}"
        request = Request(url, headers={"Authorization": f"Bearer {self.endpoint.diagnostics_token}"})
        with urlopen(request, timeout=2 * _PATIENCE) as response:
            return str(json.load(response)["state"])


@contextmanager
def running_world() -> Iterator[World]:
    """Run a gateway and a backend."""
    with (
        in_other_process(echo_server) as backend,
        in_other_process(gateway) as endpoint,
        KubeClient.connect(endpoint.api_url, token=endpoint.api_token, authority=endpoint.api_authority) as client,
    ):
        yield World(client, endpoint, backend)


@contextmanager
def connection(port: int) -> Iterator[HTTPConnection]:
    """A connection to the gateway that is kept alive."""
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        yield client
    finally:
        client.close()


def ask(client: HTTPConnection, path: str) -> tuple[int, bytes]:
    """Send a request without a body; give status and body of the answer."""
    client.request("POST", path)
    response = client.getresponse()
    return response.status, response.read()
