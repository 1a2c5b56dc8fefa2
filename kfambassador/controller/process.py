"""A controller with all that runs beside it, begun and ended in order.

The command of a cluster's gateway and the gateway of a laptop both run this, so there is one way it is put together.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from kfambassador.controller.diagnostics import Diagnostics, choose_guard
from kfambassador.controller.health import HealthServer
from kfambassador.controller.inquiries import Desk
from kfambassador.controller.keeping.keeper import Keeper
from kfambassador.controller.keeping.writing import describe_maker
from kfambassador.controller.loop import Controller
from kfambassador.controller.metrics import Metrics
from kfambassador.controller.narrating import Narrator
from kfambassador.controller.observing import Observer
from kfambassador.controller.reporting.reporter import Reporter
from kfambassador.controller.settings import ControllerSettings
from kfambassador.kube.client import KubeClient


@dataclass(frozen=True, slots=True)
class Running:
    """A controller that runs.

    Attributes:
        controller: It.
        reporter: Who tells the cluster, if this replica does.
        diagnostics_url: Where its read API answers.
    """

    controller: Controller
    reporter: Reporter
    diagnostics_url: str

    async def linger(self, seconds: float) -> None:
        """Go on until no Envoy is connected, so long at most.

        An Envoy that drains has clients still, and sends them where models were when it last heard of any.
        """
        deadline = time.monotonic() + seconds
        while self.controller.nodes() and (left := deadline - time.monotonic()) > 0:
            await self.controller.news(timeout=left)


@asynccontextmanager
async def run_parts(client: KubeClient, settings: ControllerSettings) -> AsyncIterator[Running]:
    """Run a controller and its servers meanwhile.

    What others ask is up before anything is followed, and down after nothing is followed any more.

    Args:
        client: The cluster; the caller closes it.
        settings: How to run.

    Yields:
        What runs; all sockets are open, and the cluster is being listed.

    Raises:
        ConfigurationError: A socket or port cannot be had.
    """
    async with AsyncExitStack() as parts:
        keeper = _make_keeper(settings)
        kept = None if keeper is None else await asyncio.to_thread(keeper.recall)
        metrics, reporter = Metrics(), Reporter(client, settings.reporting, policy=settings.policy)
        observers: list[Observer] = [Narrator(), metrics, reporter, *([] if keeper is None else [keeper])]
        controller = Controller(client, settings, observers=observers, kept=kept)
        reporter.on_problem = controller.look_again
        guard = choose_guard(client, settings)
        parts.callback(guard.close)
        runner = await Diagnostics(Desk(controller, settings, guard)).serve()
        parts.push_async_callback(runner.cleanup)
        if settings.health is not None:
            health = HealthServer(
                controller,
                metrics,
                admin_socket=settings.admin_socket,
                host=settings.health.host,
                port=settings.health.port,
                is_leader=lambda: reporter.is_leading,
                count_writes=lambda: dict(reporter.count_writes()),
            )
            parts.push_async_callback((await health.serve()).cleanup)
        parts.push_async_callback(controller.stop)
        await controller.start()
        yield Running(controller, reporter, _find_url(runner))


def _make_keeper(settings: ControllerSettings) -> Keeper | None:
    return None if settings.state_dir is None else Keeper(settings.state_dir, describe_maker(settings))


def _find_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
