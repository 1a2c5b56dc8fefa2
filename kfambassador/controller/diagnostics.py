"""The read API: probes, routes, sources, problems and explanations, as JSON over HTTP on a port of its own.

The diagnostics page is at the same port: it tells the same to people.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

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
from kfambassador.controller.listening import listen
from kfambassador.controller.log_levels import put_level, tell_level
from kfambassador.controller.page import addresses
from kfambassador.controller.page.guarding import refuse_strangers
from kfambassador.controller.page.serving import Pages, lead_browsers_to
from kfambassador.controller.readiness import check_controller
from kfambassador.controller.reviews import ClusterGuard
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.traffic import tell_statistics
from kfambassador.errors import NoGateway
from kfambassador.kube.client import KubeClient
from kfambassador.names import DIAGNOSTICS_PREFIX

#: Bytes of a header that are read: a person's token tells all of their groups, and may be as long as that.
_LONGEST_HEADER: Final = 1 << 16

_log = logging.getLogger(f"{__name__}.http")

_Answer = Callable[[Inquiry], Awaitable[web.Response]]

#: Bytes of a form that are read.
_LARGEST_FORM: Final = 1 << 16

#: What is asked where, of those who were let in.
_ANSWERS: Final[tuple[tuple[str, _Answer], ...]] = (
    ("/diag/{name:.+}", tell_one),
    ("/routes", tell_routes),
    ("/problems", tell_problems),
    ("/generation", tell_generation),
    ("/explain", tell_fate),
    ("/statistics", tell_statistics),
    ("/log-level", tell_level),
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
        strangers = [refuse_strangers] if isinstance(self.desk.guard, OpenGuard) else []
        app = web.Application(middlewares=strangers, client_max_size=_LARGEST_FORM)
        overview = f"{DIAGNOSTICS_PREFIX}/diag/"
        app.add_routes(
            [
                # Nobody is asked for a token here, because a kubelet has none.
                web.get(f"{DIAGNOSTICS_PREFIX}/check_alive", self._check_alive),
                web.get(f"{DIAGNOSTICS_PREFIX}/check_ready", self._check_ready),
                web.get(overview, lead_browsers_to(addresses.ROUTES, self._guard(tell_overview))),
                *(web.get(f"{DIAGNOSTICS_PREFIX}{path}", self._guard(answer)) for path, answer in _ANSWERS),
                web.put(f"{DIAGNOSTICS_PREFIX}/log-level", self._guard(put_level)),
                *Pages(self.desk).routes(),
            ]
        )
        runner = web.AppRunner(app, access_log=None, logger=_log, shutdown_timeout=1.0, max_field_size=_LONGEST_HEADER)
        host, port = self.desk.settings.diagnostics_host, self.desk.settings.diagnostics_port
        return await listen(runner, host, port, called="diagnostics")

    def _guard(self, answer: _Answer) -> Handler:
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
        missing = next((check for check in check_controller(self.desk.controller) if check.fault), None)
        if missing is None:
            return web.Response(text="ready\n")
        return web.Response(text=f"{missing.fault}{f': {missing.why}' if missing.why else ''}\n", status=503)
