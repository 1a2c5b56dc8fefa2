"""The port of probes and measurements, of a real controller with a real Envoy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import Request, urlopen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from kfambassador.controller.addresses import Address
from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.errors import PortInUse
from kfambassador.kube.client import KubeClient
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import ADMIN_SOCKET, ASKING_SOCKET, XDS_SOCKET
from kfambassador.routing.policy import TenancyPolicy
from tests.e2e.gateway import Answer, annotate_service, fetch, until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("health")]

MAPPING = "{{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: '{prefix}', service: 127.0.0.1, {more}}}"


@dataclass(frozen=True)
class Pod:
    """A controller and its Envoy, which is not started yet."""

    client: KubeClient
    envoy: EnvoyProcess
    bootstrap: str
    url: str

    def ask(self, path: str, *, method: str = "GET") -> Answer:
        return fetch(f"{self.url}{path}", method=method)

    def start_envoy(self) -> None:
        """Start Envoy; the pod is ready when this returns."""
        self.envoy.start(self.bootstrap)
        until(lambda: self.ask("/readyz").status == 200)

    def value(self, name: str, **labels: str) -> float:
        """What a measurement comes to; 0 where it is not there."""
        found = (
            sample.value
            for metric in read_text(self.ask("/metrics").body)
            for sample in metric.samples
            if (sample.name, sample.labels) == (name, labels)
        )
        return float(next(found, 0))


@contextmanager
def running_pod(url: str = "", *, port: int = 0) -> Iterator[Pod]:
    with KubeServer() as api, private_directory() as directory:
        port = port or free_port()
        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            admin_socket=directory / ADMIN_SOCKET,
            listener=ListenerSettings(port=free_port(), asking_socket=directory / ASKING_SOCKET),
            policy=TenancyPolicy.laptop(),
            health=Address("127.0.0.1", port),
        )
        with (
            KubeClient.connect(url or api.url, token=api.token, authority=api.authority) as client,
            ControllerThread(client, settings),
            EnvoyProcess(directory) as envoy,
        ):
            yield Pod(
                client, envoy, write_bootstrap(BootstrapSettings(directory=directory)), f"http://127.0.0.1:{port}"
            )


@pytest.fixture(scope="module")
def pod() -> Iterator[Pod]:
    with running_pod() as pod:
        pod.start_envoy()
        yield pod


def test_probes_say_ok_and_on_demand_each_check(pod: Pod) -> None:
    assert pod.ask("/healthz").body == pod.ask("/readyz").body == "ok"
    assert pod.ask("/healthz?verbose").body == "[+]event-loop ok\n[+]compiling ok\nhealthz check passed\n"
    assert pod.ask("/readyz?verbose").body.splitlines() == [
        "[+]cluster-listed ok",
        "[+]table-compiled ok",
        "[+]envoy-connected ok",
        "[+]table-acknowledged ok",
        "[+]envoy-live ok",
        "readyz check passed",
    ]


@pytest.mark.parametrize(
    "path", ["/", "/ambassador/v0/routes", "/ambassador/v0/check_ready", "/problems", "/metrics/x"]
)
def test_nothing_else_is_answered(pod: Pod, path: str) -> None:
    assert pod.ask(path).status == 404


def test_nothing_can_be_sent(pod: Pod) -> None:
    assert {pod.ask(path, method="POST").status for path in ("/healthz", "/readyz", "/metrics")} == {405}


def test_a_pod_is_ready_once_envoy_has_its_routes_and_not_when_envoy_is_gone() -> None:
    with running_pod() as pod:
        until(lambda: "[+]table-compiled ok" in pod.ask("/readyz").body)
        waiting = pod.ask("/readyz")
        assert waiting.status == 503
        assert "[-]envoy-connected failed: no Envoy is connected" in waiting.body
        assert "[-]envoy-live failed: Envoy is not live" in waiting.body
        assert waiting.body.endswith("readyz check failed\n")
        pod.start_envoy()
        pod.envoy.stop()
        assert "[-]envoy-live" in pod.ask("/readyz").body
        assert pod.ask("/healthz").status == 200


def test_a_cluster_that_does_not_answer_is_told_without_its_address() -> None:
    with running_pod("https://127.0.0.1:9") as pod:
        waiting = pod.ask("/readyz")
        assert waiting.status == 503
        assert "[-]cluster-listed failed: the first list of " in waiting.body
        assert "127.0.0.1" not in waiting.body
        until(lambda: pod.value("kfambassador_watch_restarts_total", kind="Service", reason="unanswered") > 0)
        until(lambda: pod.value("kfambassador_watch_lost", kind="Service") == 1)
        # That is no fault of this process: to begin it anew would mend nothing.
        assert pod.ask("/healthz").status == 200


def test_prometheus_is_told_of_the_work_that_is_done(pod: Pod) -> None:
    before = pod.value("kfambassador_generation")
    pod.client.apply(annotate_service("m", MAPPING.format(prefix="/m/", more="timeout: 1")))
    until(lambda: pod.value("kfambassador_served_generation") > before)
    assert pod.value("kfambassador_connected_envoys") == 1
    assert pod.value("kfambassador_leader") == 1
    assert pod.value("kfambassador_objects", kind="Service") >= 1
    assert pod.value("kfambassador_routes") == 1
    assert pod.value("kfambassador_problems", severity="warning", code="unknown-attribute") == 1
    made = pod.value("kfambassador_compile_duration_seconds_count")
    assert made == pod.value("kfambassador_generation") > before
    assert 0 < pod.value("kfambassador_acknowledge_duration_seconds_count") <= made
    assert pod.value("kfambassador_queue_adds_total") >= made
    assert pod.value("kfambassador_queue_depth") == 0
    # The warning is told to the cluster as an Event of its Service.
    until(lambda: pod.value("kfambassador_cluster_writes_total", what="event", outcome="written") == 1)
    assert pod.value("process_resident_memory_bytes") > 0
    assert pod.value("kfambassador_last_acknowledge_timestamp_seconds") > 1.7e9


def test_a_prometheus_that_asks_for_openmetrics_gets_it(pod: Pod) -> None:
    request = Request(f"{pod.url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
        text = answer.read().decode()
    names = {family.name for family in read_openmetrics(text)}  # type: ignore[no-untyped-call]  # it ships no types
    assert {"kfambassador_build_info", "kfambassador_queue_adds", "process_cpu_seconds"} <= names


def test_what_envoy_refuses_is_counted_by_its_type() -> None:
    with running_pod() as pod, pytest.MonkeyPatch.context() as patch:
        # A check of ours that is missing, as long as we know of none.
        patch.setattr("kfambassador.routing.compile.check_mapping", lambda *_: ())
        pod.start_envoy()
        pod.client.apply(annotate_service("bad", MAPPING.format(prefix="/[", more="prefix_regex: true")))
        until(lambda: pod.value("kfambassador_quarantined") == 1)
        assert pod.value("kfambassador_xds_nacks_total", type="route_configuration") >= 1
        assert pod.value("kfambassador_xds_nacks_total", type="cluster") == 0


def test_a_port_that_is_taken_is_said_so(pod: Pod) -> None:
    port = int(pod.url.rpartition(":")[2])
    with pytest.raises(PortInUse, match=f"health port 127.0.0.1:{port}"), running_pod(port=port):
        pass
