"""The read API: probes, routes, sources, problems and explanations, as JSON over HTTP on a port of its own."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from kfambassador.controller.access import UNAUTHORIZED, Guard, OpenGuard, Refused, TokenGuard
from kfambassador.controller.answers import (
    refuse,
    tell_fate,
    tell_generation,
    tell_one,
    tell_overview,
    tell_problems,
    tell_routes,
    tell_source,
)
from kfambassador.controller.inquiries import Desk, Inquiry
from kfambassador.controller.reviews import ClusterGuard
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.traffic import tell_statistics
from kfambassador.errors import NoGateway, PortInUse
from kfambassador.kube.client import KubeClient
from kfambassador.names import DIAGNOSTICS_PREFIX

#: Bytes of a header that are read: a person's token tells all of their groups, and may be as long as that.
_LONGEST_HEADER: Final = 1 << 16

_log = logging.getLogger(f"{__name__}.http")

_Answer = Callable[[Inquiry], Awaitable[web.Response]]

#: What is asked where, of those who were let in.
_ANSWERS: Final[tuple[tuple[str, _Answer], ...]] = (
    ("/diag/", tell_overview),
    ("/diag/{name:.+}", tell_one),
    ("/routes", tell_routes),
    ("/problems", tell_problems),
    ("/generation", tell_generation),
    ("/explain", tell_fate),
    ("/statistics", tell_statistics),
    ("/sources/{kind}/{namespace}/{name}", tell_source),
)


def _withhold(record: logging.LogRecord) -> bool:
    """Leave out of the log what of a request could not be read: that may be a part of somebody's token."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True


_log.addFilter(_withhold)


def choose_guard(client: KubeClient, settings: ControllerSettings) -> Guard:
    """Choose who may ask, as the settings say; the caller closes the guard."""
    if settings.reviews is not None:
        return ClusterGuard(client, settings.reviews)
    return OpenGuard() if settings.diagnostics_token is None else TokenGuard(settings.diagnostics_token)


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The read API of one controller."""

    desk: Desk

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
                # Nobody is asked for a token here, because a kubelet has none.
                web.get(f"{DIAGNOSTICS_PREFIX}/check_alive", self._check_alive),
                web.get(f"{DIAGNOSTICS_PREFIX}/check_ready", self._check_ready),
                *(web.get(f"{DIAGNOSTICS_PREFIX}{path}", self._guard(answer)) for path, answer in _ANSWERS),
            ]
        )
        runner = web.AppRunner(app, access_log=None, logger=_log, shutdown_timeout=1.0, max_field_size=_LONGEST_HEADER)
        await runner.setup()
        host, port = self.desk.settings.diagnostics_host, self.desk.settings.diagnostics_port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise PortInUse(f"The diagnostics port {host}:{port} is taken by another process: {error}") from error
        return runner

    def _guard(self, answer: _Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Answer those only who may ask."""

        async def guarded(request: web.Request) -> web.Response:
            try:
                return await answer(await self.desk.receive(request))
            except Refused as refusal:
                response = refuse(str(refusal), status=refusal.status)
                if refusal.status == UNAUTHORIZED:
                    response.headers["WWW-Authenticate"] = "Bearer"
                return response
            except NoGateway as error:
                return refuse(str(error), status=503)

        return guarded

    async def _check_alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _check_ready(self, _request: web.Request) -> web.Response:
        missing = self._find_missing()
        return web.Response(text=f"{missing or 'ready'}\n", status=503 if missing else 200)

    def _find_missing(self) -> str:
        """Say what keeps the gateway from being ready; "" when nothing does."""
        controller = self.desk.controller
        store = controller.store
        if not store.is_complete:
            kinds = ", ".join(kind.plural for kind in store.unlisted)
            reasons = "; ".join(dict.fromkeys(store.lost.values()))
            return f"the first list of {kinds} is not complete{f': {reasons}' if reasons else ''}"
        if not controller.nodes():
            return "no Envoy is connected"
        if controller.served is None:
            return "Envoy has not yet acknowledged its first routes"
        return ""
