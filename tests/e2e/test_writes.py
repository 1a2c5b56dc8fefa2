"""How much is written to the cluster, counted on the wire: as little as can be."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kfambassador.controller.reporting.lease import LeaseSettings
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import EVENT, MAPPING
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import XDS_SOCKET
from kfambassador.routing.policy import TenancyPolicy
from tests.deploy.recording import RecordingEntrance
from tests.e2e.gateway import annotate_service, fetch, until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("writes")]

MANY = 200
WRONG = "{apiVersion: ambassador/v1, kind: Mapping, name: NAME, weight: heavy, prefix: /w/, service: x.example.org}"


@contextmanager
def running(entrance: RecordingEntrance) -> Iterator[str]:
    """A gateway that has served what there is; gives its read API."""
    with private_directory() as directory, KubeClient(entrance) as client:
        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            listener=ListenerSettings(port=free_port()),
            policy=TenancyPolicy.laptop(),
            reporting=ReportSettings(lease=LeaseSettings(namespace="default")),
        )
        with ControllerThread(client, settings) as controller, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory=directory)), timeout=60)
            url = f"{controller.diagnostics_url}/ambassador/v0"
            until(lambda: fetch(f"{url}/check_ready").status == 200, timeout=60)
            yield url


def mapping(number: int) -> Manifest:
    name = f"m{number:04}"
    spec = {"prefix": f"/{name}/", "service": "models.example.org"}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": MAPPING.api_version, "kind": MAPPING.kind, "metadata": metadata, "spec": spec}


def count_writes(entrance: RecordingEntrance) -> Counter[str]:
    """What was written, by its resource; what keeps the Lease alive is not counted."""
    return Counter(each.resource for each in entrance.asked if each.verb not in {"get", "list", "watch"}) - Counter(
        leases=10**6
    )


def all_said(client: KubeClient) -> bool:
    states = [each.get("status", {}).get("state") for each in client.list(MAPPING).items]
    return states.count("Running") == len(states)


def test_each_status_and_event_is_written_once_and_a_restart_writes_nothing() -> None:
    with (
        KubeServer(furniture=read_definitions()) as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
    ):
        for number in range(MANY):
            client.create(mapping(number))
        for number in range(3):
            client.create(annotate_service(f"wrong{number}", WRONG.replace("NAME", f"wrong{number}")))

        first = RecordingEntrance(server.url, server.token, server.authority)
        with running(first):
            until(lambda: all_said(client) and len(client.list(EVENT).items) == 3, timeout=60)
        assert count_writes(first) == {"mappings/status": MANY, "events": 3}

        events = client.list(EVENT).items
        versions = [each["metadata"]["resourceVersion"] for each in client.list(MAPPING).items]
        second = RecordingEntrance(server.url, server.token, server.authority)
        with running(second):
            # Whoever leads looks at everything first, and at what is new after that.
            client.create(mapping(MANY))
            until(lambda: all_said(client), timeout=60)
            until(lambda: count_writes(second)["events"] == 3, timeout=60)
        assert count_writes(second)["mappings/status"] == 1
        # That an Event is there already is found out by its name; none is made or changed.
        assert client.list(EVENT).items == events
        assert [each["metadata"]["resourceVersion"] for each in client.list(MAPPING).items][:MANY] == versions
