"""Configuration with an end: gone at its time, back when renewed, and nobody else's touched."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kfambassador.controller.loop import Controller
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import SourceState
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING, SERVICE
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION, EXPIRES_ANNOTATION, XDS_SOCKET
from kfambassador.problems import ObjectKey
from kfambassador.resources.documents import write_documents
from kfambassador.routing.policy import TenancyPolicy
from tests.backends import EchoServer
from tests.builders import document
from tests.e2e.gateway import Parts, fetch, running_gateway, until
from tests.e2e.local_gateway import client_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("expiry")]

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def carrier(name: str, target: str, expires: datetime | str | None, *, path: str = "") -> dict[str, object]:
    """A Service that carries one mapping until a moment."""
    annotations = {CONFIG_ANNOTATION: write_documents(document(name, prefix=path or f"/{name}/", service=target))}
    if expires is not None:
        annotations[EXPIRES_ANNOTATION] = expires if isinstance(expires, str) else expires.isoformat()
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"ports": [{"port": 80}]},
    }


@pytest.fixture(scope="module")
def gateway() -> Iterator[Parts]:
    with running_gateway() as parts:
        yield parts


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with EchoServer() as server:
        yield f"127.0.0.1:{server.port}"


def apply(gateway: Parts, manifest: dict[str, object], name: str) -> dict[str, object]:
    """Apply a Service; give what became of this version of it."""
    version = gateway.client.apply(manifest, force=True)["metadata"]["resourceVersion"]
    return gateway.source(name, version=version)


def codes(source: dict[str, object]) -> list[str]:
    problems = source["problems"]
    assert isinstance(problems, list)
    return [problem["code"] for problem in problems]


def test_a_route_goes_at_its_time_comes_back_when_renewed_and_its_neighbour_stays(gateway: Parts, target: str) -> None:
    assert apply(gateway, carrier("stays", target, None), "stays")["state"] == "serving"
    assert apply(gateway, carrier("goes", target, None), "goes")["state"] == "serving"
    assert gateway.request("/goes/").status == 200
    gateway.client.apply(carrier("goes", target, datetime.now(UTC) + timedelta(seconds=0.7)), force=True)
    # Nothing else happens meanwhile: the loop wakes up by itself.
    until(lambda: gateway.request("/goes/").status == 404)
    until(lambda: codes(gateway.source("goes")) == ["expired"])
    source = gateway.source("goes")
    assert (source["state"], source["mappings"]) == ("rejected", [])
    assert gateway.request("/stays/").status == 200
    assert gateway.source("stays")["problems"] == []
    # Its owner's to delete, not ours.
    assert gateway.client.get(SERVICE, "goes", namespace="default")["metadata"]["name"] == "goes"
    renewed = apply(gateway, carrier("goes", target, datetime.now(UTC) + timedelta(hours=1)), "goes")
    assert (renewed["state"], renewed["problems"]) == ("serving", [])
    assert gateway.request("/goes/").status == 200


def test_what_was_over_before_it_was_applied_is_never_served(gateway: Parts, target: str) -> None:
    source = apply(gateway, carrier("late", target, "2020-01-01T00:00:00Z"), "late")
    assert (source["state"], codes(source)) == ("rejected", ["expired"])
    assert gateway.request("/late/").status == 404
    # Its prefix is free for others.
    assert apply(gateway, carrier("next", target, None, path="/late/"), "next")["state"] == "serving"
    assert gateway.request("/late/").status == 200


def test_a_typo_takes_no_route_away(gateway: Parts, target: str) -> None:
    source = apply(gateway, carrier("typo", target, "next week"), "typo")
    assert (source["state"], codes(source)) == ("serving", ["unreadable-time"])
    assert gateway.request("/typo/").status == 200


def resource(target: str, expires: datetime) -> dict[str, object]:
    return {
        "apiVersion": "getambassador.io/v3alpha1",
        "kind": "Mapping",
        "metadata": {"name": "cr", "namespace": "default", "annotations": {EXPIRES_ANNOTATION: expires.isoformat()}},
        "spec": {"prefix": "/cr/", "hostname": "*", "service": target},
    }


def test_the_status_of_a_custom_resource_tells_it_too(target: str) -> None:
    with (
        private_directory() as directory,
        LocalStack(directory=directory) as stack,
        client_of(stack.endpoint) as client,
    ):

        def tells(state: str, reason: str) -> bool:
            status = client.get(MAPPING, "cr", namespace="default").get("status", {})
            return bool(status.get("state") == state and status["conditions"][0]["reason"] == reason)

        client.apply(resource(target, datetime.now(UTC) + timedelta(seconds=0.7)), force=True)
        until(lambda: tells("Inactive", "Expired"))
        assert fetch(f"{stack.endpoint.url}/cr/").status == 404
        client.apply(resource(target, datetime.now(UTC) + timedelta(hours=1)), force=True)
        until(lambda: tells("Running", "Served"))
        assert fetch(f"{stack.endpoint.url}/cr/").status == 200


def _service(name: str) -> ObjectKey:
    return ObjectKey("Service", "default", name)


class Loop:
    """A controller with a wall clock of the test's, and no Envoy."""

    def __init__(self, client: KubeClient, directory: Path) -> None:
        self.now = NOON
        self.client = client
        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            policy=TenancyPolicy.laptop(),
            reporting=ReportSettings(statuses=False, events=False),
        )
        self.controller = Controller(client, settings, wall=lambda: self.now)

    async def apply(self, *manifests: dict[str, object]) -> None:
        for manifest in manifests:
            await asyncio.to_thread(self.client.apply, manifest, force=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for news until a condition holds."""
        async with asyncio.timeout(20):
            while not condition():
                await self.controller.news(timeout=0.5)

    def served(self) -> set[str]:
        routes = self.controller.work.compiled.table.routes()
        return {split.mapping.name for route in routes for split in route.splits}


async def judge_by_the_wall_clock(loop: Loop) -> None:
    await loop.apply(carrier("a", "127.0.0.1:1", NOON + timedelta(hours=1)), carrier("b", "127.0.0.1:1", None))
    await loop.controller.start()
    try:
        await loop.until(lambda: loop.served() == {"a", "b"})
        # The clock jumps over the moment; whatever is judged from then on is judged by it.
        loop.now = NOON + timedelta(hours=2)
        await loop.apply(carrier("c", "127.0.0.1:1", None))
        await loop.until(lambda: loop.served() == {"b", "c"})
        status = loop.controller.work.source(_service("a"), served=loop.controller.work.generation)
        assert (status.state, status.is_decided) == (SourceState.REJECTED, True)
        assert status.mappings == ()
        # It is set back: what expired too early is there again.
        loop.now = NOON
        await loop.apply(carrier("d", "127.0.0.1:1", None))
        await loop.until(lambda: loop.served() == {"a", "b", "c", "d"})
    finally:
        await loop.controller.stop()


def test_the_wall_clock_decides_even_when_it_jumps() -> None:
    with (
        KubeServer() as api,
        KubeClient.connect(api.url, token=api.token, authority=api.authority) as client,
        private_directory() as directory,
    ):
        asyncio.run(judge_by_the_wall_clock(Loop(client, directory)))
