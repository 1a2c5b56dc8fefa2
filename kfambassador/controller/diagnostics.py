"""The read API: probes, routes, sources, problems and explanations, as JSON over HTTP on loopback."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from kfambassador.controller.asking import ask_route, describe_answer
from kfambassador.controller.drilldown import describe_one, describe_one_cluster, find_cluster
from kfambassador.controller.envoy_view import LOG_LEVELS, read_cluster, read_envoy, set_log_level
from kfambassador.controller.loop import Controller
from kfambassador.controller.overview import PARTS, Seen, describe_overview, describe_source
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.errors import NoGateway, PortInUse
from kfambassador.kube.objects import is_as_new
from kfambassador.names import DIAGNOSTICS_PREFIX
from kfambassador.problems import ObjectKey
from kfambassador.routing.describe import Json, describe_explanation, describe_problem, describe_route
from kfambassador.routing.explain import explain
from kfambassador.routing.requests import RequestLine

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
                web.get(f"{DIAGNOSTICS_PREFIX}/diag/{{name:.+}}", self._one),
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
            return _refuse("the bearer token is missing or wrong", status=401)
        try:
            return await handler(request)
        except NoGateway as error:
            return _refuse(str(error), status=503)

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

    async def _overview(self, request: web.Request) -> web.Response:
        """Tell everything, or with ``filter`` one part; with ``loglevel`` make Envoy log at that level first."""
        key, level = request.query.get("filter", ""), request.query.get("loglevel", "")
        if key and key not in PARTS:
            return _refuse(f"there is no part {key}; there are {', '.join(PARTS)}", status=404)
        if level:
            if level not in LOG_LEVELS:
                return _refuse(f"{level} is no level of Envoy's; those are {', '.join(LOG_LEVELS)}", status=400)
            await set_log_level(self.settings.admin_socket, level)
        seen = await self._look()
        return web.json_response(await asyncio.to_thread(describe_overview, seen, key))

    async def _one(self, request: web.Request) -> web.Response:
        """Tell of one source, group or cluster."""
        name = request.match_info["name"]
        seen = await self._look()
        cluster = find_cluster(seen, name)
        if cluster is not None:
            counters = await read_cluster(self.settings.admin_socket, cluster)
            described: dict[str, Json] | None = describe_one_cluster(seen, cluster, counters)
        else:
            described = await asyncio.to_thread(describe_one, seen, name)
        if described is None:
            return _refuse(f"there is no source, group or cluster {name}", status=404)
        return web.json_response(described)

    async def _look(self) -> Seen:
        controller = self.controller
        return Seen(
            work=controller.work,
            settings=self.settings,
            history=controller.history,
            served=controller.served,
            nodes=controller.nodes(),
            lost={kind.plural: reason for kind, reason in controller.store.lost.items()},
            envoy=await read_envoy(self.settings.admin_socket),
        )

    async def _routes(self, _request: web.Request) -> web.Response:
        work = self.controller.work
        routes: list[Json] = [describe_route(route) for route in work.compiled.table.routes()]
        return web.json_response({"generation": work.generation, "routes": routes})

    async def _problems(self, _request: web.Request) -> web.Response:
        problems: list[Json] = [describe_problem(problem) for problem in self.controller.work.compiled.problems]
        return web.json_response({"problems": problems})

    async def _explain(self, request: web.Request) -> web.Response:
        """Tell which route takes a request; with ``ask=envoy``, what Envoy itself says as well."""
        headers = dict(_split_header(header) for header in request.query.getall("header", []))
        line = RequestLine.read(request.query.get("method", "GET"), request.query.get("url", "/"), headers)
        work = self.controller.work
        explanation = explain(work.compiled.table, line)
        described = describe_explanation(explanation)
        if request.query.get("ask") == "envoy":
            socket = self.settings.listener.asking_socket
            if socket is None:
                return _refuse("the Envoy of this gateway has no socket to be asked by", status=501)
            described["envoy"] = describe_answer(explanation, await ask_route(Path(socket), line))
            described |= {"generation": work.generation, "served": self.controller.served}
        return web.json_response(described)

    async def _source(self, request: web.Request) -> web.Response:
        """Tell how far an object has come; with ``wait``, as soon as what is asked for is decided.

        That is a version of the object, or with ``absent=true`` that the object configures nothing any more.
        """
        key = ObjectKey(request.match_info["kind"], request.match_info["namespace"], request.match_info["name"])
        version = None if request.query.get("absent") == "true" else request.query.get("resource_version", "")
        try:
            wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT)
        except ValueError:
            return _refuse("wait is a number of seconds", status=400)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            status = self.controller.work.source(key, served=self.controller.served)
            left = deadline - loop.time()
            if left <= 0 or _is_decided(status, version):
                return web.json_response(describe_source(status))
            await self.controller.news(timeout=left)


def _is_decided(status: SourceStatus, version: str | None) -> bool:
    """Tell whether a version is decided; None asks for the object's absence."""
    is_absent = status.state is SourceState.UNKNOWN
    if version is None or is_absent:
        return version is None and is_absent and status.is_decided
    return status.is_decided and (not version or is_as_new(status.resource_version, version))


def _refuse(words: str, *, status: int) -> web.Response:
    return web.json_response({"error": words}, status=status)


def _split_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()
