"""The read API: probes, routes, sources, problems and explanations, as JSON over HTTP on loopback."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from kfambassador.controller.loop import Controller
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.errors import PortInUse
from kfambassador.kube.objects import is_as_new
from kfambassador.names import DIAGNOSTICS_PREFIX
from kfambassador.problems import ObjectKey
from kfambassador.routing.describe import Json, describe_explanation, describe_problem, describe_route, describe_table
from kfambassador.routing.explain import RequestLine, explain

_OPEN_PATHS = frozenset({f"{DIAGNOSTICS_PREFIX}/check_alive", f"{DIAGNOSTICS_PREFIX}/check_ready"})
_LONGEST_WAIT = 30.0
_Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The read API of one controller."""

    controller: Controller
    settings: ControllerSettings

    async def serve(self) -> web.AppRunner:
        """Start answering.

        Returns:
            The running server; its ``addresses`` tell the port. The caller cleans it up.

        Raises:
            PortInUse: Another process holds the port.
        """
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get(f"{DIAGNOSTICS_PREFIX}/check_alive", self._check_alive),
                web.get(f"{DIAGNOSTICS_PREFIX}/check_ready", self._check_ready),
                web.get(f"{DIAGNOSTICS_PREFIX}/diag/", self._overview),
                web.get(f"{DIAGNOSTICS_PREFIX}/routes", self._routes),
                web.get(f"{DIAGNOSTICS_PREFIX}/problems", self._problems),
                web.get(f"{DIAGNOSTICS_PREFIX}/explain", self._explain),
                web.get(f"{DIAGNOSTICS_PREFIX}/sources/{{kind}}/{{namespace}}/{{name}}", self._source),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        host, port = self.settings.diagnostics_host, self.settings.diagnostics_port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise PortInUse(f"The diagnostics port {host}:{port} is taken by another process: {error}") from error
        return runner

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Answer) -> web.StreamResponse:
        """Let in who knows the token; the probes are open, because a kubelet has none."""
        token = self.settings.diagnostics_token
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        known = token is None or hmac.compare_digest(given.encode(), token.encode())
        if not known and request.path not in _OPEN_PATHS:
            return web.json_response({"error": "the bearer token is missing or wrong"}, status=401)
        return await handler(request)

    async def _check_alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _check_ready(self, _request: web.Request) -> web.Response:
        missing = self._find_missing()
        return web.Response(text=f"{missing or 'ready'}\n", status=503 if missing else 200)

    def _find_missing(self) -> str:
        """Say what keeps the gateway from being ready; "" when nothing does."""
        store = self.controller.store
        if not store.is_complete:
            kinds = ", ".join(kind.plural for kind in store.unlisted)
            reasons = "; ".join(dict.fromkeys(store.lost.values()))
            return f"the first list of {kinds} is not complete{f': {reasons}' if reasons else ''}"
        if not self.controller.nodes():
            return "no Envoy is connected"
        if self.controller.served is None:
            return "Envoy has not yet acknowledged its first routes"
        return ""

    async def _overview(self, _request: web.Request) -> web.Response:
        work = self.controller.work
        sources: list[Json] = [
            _describe_source(work.source(key, served=self.controller.served)) for key in work.resources.sources
        ]
        overview: dict[str, Json] = {
            "generation": work.generation,
            "served": self.controller.served,
            "envoys": [
                {
                    "node": node.node_id,
                    "acknowledged": node.acknowledged,
                    "rejection": node.rejection.message if node.rejection else None,
                }
                for node in self.controller.nodes()
            ],
            "lost": {kind.plural: reason for kind, reason in self.controller.store.lost.items()},
            **describe_table(work.compiled.table),
            "sources": sources,
            "problems": [describe_problem(problem) for problem in work.compiled.problems],
        }
        return web.json_response(overview)

    async def _routes(self, _request: web.Request) -> web.Response:
        work = self.controller.work
        routes: list[Json] = [describe_route(route) for route in work.compiled.table.routes()]
        return web.json_response({"generation": work.generation, "routes": routes})

    async def _problems(self, _request: web.Request) -> web.Response:
        problems: list[Json] = [describe_problem(problem) for problem in self.controller.work.compiled.problems]
        return web.json_response({"problems": problems})

    async def _explain(self, request: web.Request) -> web.Response:
        headers = dict(_split_header(header) for header in request.query.getall("header", []))
        line = RequestLine.read(request.query.get("method", "GET"), request.query.get("url", "/"), headers)
        return web.json_response(describe_explanation(explain(self.controller.work.compiled.table, line)))

    async def _source(self, request: web.Request) -> web.Response:
        """Tell how far an object has come; with ``wait``, as soon as what is asked for is decided.

        That is a version of the object, or with ``absent=true`` that the object configures nothing any more.
        """
        key = ObjectKey(request.match_info["kind"], request.match_info["namespace"], request.match_info["name"])
        version = None if request.query.get("absent") == "true" else request.query.get("resource_version", "")
        try:
            wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT)
        except ValueError:
            return web.json_response({"error": "wait is a number of seconds"}, status=400)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            status = self.controller.work.source(key, served=self.controller.served)
            left = deadline - loop.time()
            if left <= 0 or _is_decided(status, version):
                return web.json_response(_describe_source(status))
            await self.controller.news(timeout=left)


def _is_decided(status: SourceStatus, version: str | None) -> bool:
    """Tell whether a version is decided; None asks for the object's absence."""
    is_absent = status.state is SourceState.UNKNOWN
    if version is None or is_absent:
        return version is None and is_absent and status.is_decided
    return status.is_decided and (not version or is_as_new(status.resource_version, version))


def _describe_source(status: SourceStatus) -> dict[str, Json]:
    return {
        "object": str(status.key),
        "resource_version": status.resource_version,
        "state": status.state.value,
        "mappings": list(status.mappings),
        "problems": [describe_problem(problem) for problem in status.problems],
    }


def _split_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()
