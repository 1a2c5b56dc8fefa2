"""A gateway with fewer permissions than it would like: it serves what it may, and tells what it misses."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.errors import Forbidden
from kfambassador.kube.client import KubeClient, Listing, Manifest
from kfambassador.kube.kinds import GATEWAY_KINDS, MAPPING, SECRET, SERVICE, Kind
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.routing.policy import TenancyPolicy
from tests.e2e.gateway import Answer, fetch, until
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ASKED: list[tuple[str, str | None]] = []


class Restricted(KubeClient):
    """A client whose account may neither read Secrets nor write statuses."""

    def clone(self, *, read_timeout: float) -> "Restricted":
        return Restricted(self._entrance, namespace=self.default_namespace, read_timeout=read_timeout)

    def list(self, kind: Kind, *, namespace: str | None = None, label_selector: str | None = None) -> Listing:
        ASKED.append((kind.kind, namespace))
        if kind == SECRET:
            raise Forbidden("secrets are forbidden", status=403, reason="Forbidden", retry_after=None)
        return super().list(kind, namespace=namespace, label_selector=label_selector)

    def apply_status(self, manifest: Manifest) -> Manifest:
        raise Forbidden("statuses are forbidden", status=403, reason="Forbidden", retry_after=None)


@contextmanager
def running(*, definitions: bool) -> Iterator[tuple[KubeClient, str]]:
    """A gateway of such an account; its client, and the address of its read API."""
    ASKED.clear()
    with (
        KubeServer(furniture=read_definitions() if definitions else ()) as api,
        Restricted.connect(api.url, token=api.token, authority=api.authority) as client,
        private_directory() as directory,
    ):
        settings = ControllerSettings(
            xds_socket=directory / "xds.sock",
            listener=ListenerSettings(port=free_port()),
            policy=TenancyPolicy(gateway_namespace="ambassador"),
        )
        with ControllerThread(client, settings) as controller, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory=directory)))
            yield client, f"{controller.diagnostics_url}/ambassador/v0"


def ready(url: str) -> bool:
    answer: Answer = fetch(f"{url}/check_ready")
    return answer.status == 200


@pytest.mark.parametrize("definitions", [True, False], ids=["definitions", "no definitions"])
def test_secrets_of_the_gateways_namespace_only_are_asked_for_and_not_waited_for(*, definitions: bool) -> None:
    with running(definitions=definitions) as (_, url):
        until(lambda: ready(url))
        assert fetch(f"{url}/diag/?json=true").json()["lost"] == {"secrets": "secrets are forbidden"}
    assert {kind for kind, _ in ASKED} >= {SERVICE.kind, MAPPING.kind, *(kind.kind for kind in GATEWAY_KINDS)}
    assert {namespace for kind, namespace in ASKED if kind == SECRET.kind} == {"ambassador"}
    assert {namespace for kind, namespace in ASKED if kind != SECRET.kind} == {None}


def test_statuses_that_may_not_be_written_are_a_problem_and_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with running(definitions=True) as (client, url):
        for name in ("a", "b"):
            spec = {"prefix": f"/{name}/", "service": f"{name}.example.org"}
            manifest = {"apiVersion": MAPPING.api_version, "kind": "Mapping", "metadata": {"name": name}, "spec": spec}
            version = client.apply(manifest)["metadata"]["resourceVersion"]
            source = f"{url}/sources/Mapping/default/{name}?resource_version={version}&wait=20"
            assert fetch(source).json()["state"] == "serving"
        until(lambda: "statuses are forbidden" in caplog.text)
        until(lambda: "Statuses of Mappings are not written: statuses are forbidden" in fetch(f"{url}/problems").body)
    told = [record.getMessage() for record in caplog.records if "Statuses" in record.getMessage()]
    assert len(told) == 1
