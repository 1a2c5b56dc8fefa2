"""A controller rests between two tables, so that whoever shares its processor gets on."""

import asyncio
import time
from pathlib import Path

import pytest

from kfambassador.controller.debounce import Pace
from kfambassador.controller.loop import Controller
from kfambassador.controller.observing import Observer
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import Work
from kfambassador.kube.client import KubeClient
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import CONFIG_ANNOTATION, XDS_SOCKET
from kfambassador.resources.documents import write_documents
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import document

pytestmark = pytest.mark.e2e

#: However short an act was, the rest after it is of this length, in seconds.
REST = 0.7


def carrier(name: str) -> dict[str, object]:
    annotation = write_documents(document(name, prefix=f"/{name}/", service="127.0.0.1:1"))
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "annotations": {CONFIG_ANNOTATION: annotation}},
        "spec": {"ports": [{"port": 80}]},
    }


class Watch(Observer):
    """Notes when the controller begins with a table and when it is done, in seconds."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.done: list[float] = []

    def note_begun(self) -> None:
        self.begun.append(time.monotonic())

    def note_compiled(self, before: Work, now: Work, *, seconds: float) -> None:
        self.done.append(time.monotonic())


async def change_twice(client: KubeClient, directory: Path, watch: Watch) -> None:
    """Change what is to be served, and once more as soon as that is compiled."""
    settings = ControllerSettings(
        xds_socket=directory / XDS_SOCKET,
        policy=TenancyPolicy.laptop(),
        pace=Pace(rest=1e6, longest_rest=REST),
        reporting=ReportSettings(statuses=False, events=False),
    )
    controller = Controller(client, settings, observers=[watch])
    await controller.start()
    try:
        async with asyncio.timeout(60):
            for count, name in enumerate(("a", "b"), start=1):
                await asyncio.to_thread(client.apply, carrier(name), force=True)
                while len(controller.work.compiled.table.routes()) < count:
                    await controller.news(timeout=5)
    finally:
        await controller.stop()


def test_between_two_tables_it_rests() -> None:
    watch = Watch()
    with (
        KubeServer() as api,
        KubeClient.connect(api.url, token=api.token, authority=api.authority) as client,
        private_directory() as directory,
    ):
        asyncio.run(change_twice(client, directory, watch))
    rests = [begun - done for done, begun in zip(watch.done, watch.begun[1:], strict=False)]
    assert rests
    assert min(rests) >= REST
