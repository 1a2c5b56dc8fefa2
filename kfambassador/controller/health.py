"""The port of probes and measurements: ``/healthz``, ``/readyz`` and ``/metrics``, and nothing else.

Whoever reaches the pod reaches it, so what it says names no object and no server. A probe is answered by the event loop
that does the work: as long as it answers, that loop is alive.
"""

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from kfambassador.controller.asking import ask_admin
from kfambassador.controller.listening import listen
from kfambassador.controller.loop import Controller
from kfambassador.controller.metrics import Metrics, Standing
from kfambassador.controller.readiness import Check, check_controller
from kfambassador.errors import NoGateway

_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class HealthServer:
    """Answers the kubelet and Prometheus.

    Attributes:
        controller: Whose health it is.
        metrics: What was measured of it.
        admin_socket: The Unix socket of Envoy's admin; None asks no Envoy.
        host: The address to listen on.
        port: Its port; 0 takes a free one.
        is_leader: Says whether this is the replica that writes to the cluster.
        count_writes: Says what was written to the cluster, and what failed to be.
    """

    controller: Controller
    metrics: Metrics
    admin_socket: Path | None = None
    host: str = "0.0.0.0"  # noqa: S104 - a kubelet comes from outside of the pod
    port: int = 8081
    is_leader: Callable[[], bool] = lambda: True
    count_writes: Callable[[], Dict[str, Dict[str, int]]] = dict

    async def serve(self) -> web.AppRunner:
        """Start answering.

        Returns:
            The running server; its ``addresses`` tell the port. The caller cleans it up.

        Raises:
            PortInUse: Another process holds the port.
        """
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._tell_health),
                web.get("/readyz", self._tell_readiness),
                web.get("/metrics", self._tell_metrics),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        return await listen(runner, self.host, self.port, called="health")

    async def _tell_health(self, request: web.Request) -> web.Response:
        ended = "nothing is compiled any more" if self.controller.has_ended else ""
        return _answer("healthz", (Check("event-loop"), Check("compiling", ended)), request)

    async def _tell_readiness(self, request: web.Request) -> web.Response:
        checks = (*check_controller(self.controller), *(await self._check_envoy()))
        return _answer("readyz", checks, request)

    async def _check_envoy(self) -> tuple[Check, ...]:
        if self.admin_socket is None:
            return ()
        try:
            # Envoy says so itself, with another status than 200 while it starts or drains.
            await ask_admin(self.admin_socket, "/ready")
        except NoGateway as error:
            return (Check("envoy-live", "Envoy is not live", str(error)),)
        return (Check("envoy-live"),)

    async def _tell_metrics(self, request: web.Request) -> web.Response:
        standing, accept = self._look(), request.headers.get("Accept", "")
        # There may be as many problems to count as there are mappings.
        text, content_type = await asyncio.to_thread(lambda: self.metrics.write(standing, accept=accept))
        return web.Response(body=text, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    def _look(self) -> Standing:
        controller = self.controller
        return Standing(
            work=controller.work,
            served=controller.served,
            connected=len(controller.nodes()),
            objects={kind.kind: count for kind, count in controller.store.counts.items()},
            lost=frozenset(kind.kind for kind in controller.store.lost),
            refusals=controller.count_refusals(),
            restarts={kind.kind: reasons for kind, reasons in controller.count_restarts().items()},
            is_leader=self.is_leader(),
            uses_last_known_good=controller.uses_kept,
            writes=self.count_writes(),
        )


def _answer(name: str, checks: Sequence[Check], request: web.Request) -> web.Response:
    """Answer as Kubernetes' own components do: a word, or with ``verbose`` and for a fault each check in a line."""
    failed = any(check.fault for check in checks)
    if not failed and "verbose" not in request.query:
        text = "ok"
    else:
        lines = [f"[-]{each.name} failed: {each.fault}" if each.fault else f"[+]{each.name} ok" for each in checks]
        text = "\n".join([*lines, f"{name} check {'failed' if failed else 'passed'}", ""])
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, status=_UNAVAILABLE if failed else 200, headers=headers)
