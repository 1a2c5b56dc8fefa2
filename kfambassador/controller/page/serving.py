"""The pages by their addresses: who asks is found out as the read API does, and what they see is drawn in a thread."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from kfambassador.controller.access import UNAUTHORIZED, Refused
from kfambassador.controller.envoy_view import set_log_level
from kfambassador.controller.inquiries import Desk, Inquiry
from kfambassador.controller.page import addresses
from kfambassador.controller.page.aside import aside
from kfambassador.controller.page.closely import view_route, view_source
from kfambassador.controller.page.drawing import STATIC, draw, read_static
from kfambassador.controller.page.envoys import read_memory, view_envoy
from kfambassador.controller.page.fates import METHODS, Asked, find_fate
from kfambassador.controller.page.faults import SORTS, count_sorts, list_faults
from kfambassador.controller.page.guarding import CHALLENGE, HEADERS, Forms, read_credentials
from kfambassador.controller.page.listing import Question, list_routes
from kfambassador.controller.readiness import check_controller
from kfambassador.controller.state import SourceState, Work
from kfambassador.errors import NoGateway
from kfambassador.problems import ObjectKey, Severity
from kfambassador.proxy.command import LogLevel

_NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400
_UNAVAILABLE: Final = 503

_Tell = Callable[[Inquiry], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the gateway stands, for the head of every page.

    Attributes:
        generation: Which table is the newest.
        served: The newest that every Envoy acknowledged; None when there is none.
        age: Seconds since the newest was made; None before the first.
        connected: How many Envoys are connected.
        fault: What keeps the gateway from being ready; "" when nothing does.
        errors: How many errors there are in what the reader may see.
    """

    generation: int
    served: int | None
    age: float | None
    connected: int
    fault: str
    errors: int


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one controller.

    Attributes:
        desk: What they are made from.
        forms: Their forms.
    """

    desk: Desk
    forms: Forms = field(default_factory=Forms)

    def routes(self) -> tuple[web.RouteDef, ...]:
        """What is answered where."""
        shown: tuple[tuple[str, _Tell], ...] = (
            (addresses.ROUTES, self._show_routes),
            ("/routes/{group}", self._show_route),
            ("/sources/{kind}/{namespace}/{name}", self._show_source),
            (addresses.PROBLEMS, self._show_problems),
            (addresses.ENVOY, self._show_envoy),
            (addresses.ASK, self._show_fate),
        )
        return (
            *(web.get(address, self._guard(tell)) for address, tell in shown),
            web.post(addresses.ASK, self._guard(self._show_fate)),
            web.post(addresses.LOG_LEVEL, self._guard(self._change_level)),
            web.get(f"{addresses.STATIC}{{name}}", _send_static),
        )

    def _guard(self, tell: _Tell) -> Handler:
        """Show a page to those only who may ask, and say why to others."""

        async def guarded(request: web.Request) -> web.Response:
            try:
                token = read_credentials(request.headers.get("Authorization", ""))
                response = await tell(await self.desk.receive(request, token=token))
            except Refused as refusal:
                response = await _show_fault(str(refusal), status=refusal.status)
            except NoGateway as error:
                response = await _show_fault(str(error), status=_UNAVAILABLE)
            response.headers.update(HEADERS)
            return response

        return guarded

    async def _show_routes(self, inquiry: Inquiry) -> web.Response:
        question, seen = Question.read(inquiry.request.query), await inquiry.seen()
        return await self._draw(
            inquiry,
            "routes",
            lambda: {
                "listing": list_routes(seen, question),
                "question": question,
                "faults": count_sorts(seen.work),
                "envoy": seen.envoy,
            },
        )

    async def _show_route(self, inquiry: Inquiry) -> web.Response:
        seen, group = await inquiry.seen(), inquiry.request.match_info["group"]
        route = await aside(lambda: view_route(seen, group))
        if route is None:
            words = "There is no such route any more, or it is not yours to see."
            return await self._draw(inquiry, "fault", lambda: _tell_missing(words), status=_NOT_FOUND)
        return await self._draw(inquiry, "route", lambda: {"route": route})

    async def _show_source(self, inquiry: Inquiry) -> web.Response:
        named, controller = inquiry.request.match_info, inquiry.desk.controller
        key = ObjectKey(named["kind"], named["namespace"], named["name"])
        status = await aside(lambda: controller.work.source(key, served=controller.served))
        if status.state is SourceState.UNKNOWN:
            words = f"{key} carries no configuration, or does not exist."
            return await self._draw(inquiry, "fault", lambda: _tell_missing(words), status=_NOT_FOUND)
        told_of = {problem.veil.namespace for problem in status.problems if problem.veil is not None}
        inquiry = await inquiry.widened(told_of, needed=[key.namespace])
        work, contribution = await inquiry.work(), controller.store.find(key)
        told = status.told_to(inquiry.sight.sees)
        return await self._draw(inquiry, "source", lambda: {"source": view_source(work, told, contribution)})

    async def _show_problems(self, inquiry: Inquiry) -> web.Response:
        work, query = await inquiry.work(), inquiry.request.query
        return await self._draw(inquiry, "problems", lambda: {"faults": list_faults(work, query), "sorts": SORTS})

    async def _show_envoy(self, inquiry: Inquiry) -> web.Response:
        inquiry.require_owner("what Envoy and the controller do")
        memory = await read_memory(inquiry.desk.settings.admin_socket)
        seen, seal = await inquiry.seen(), self.forms.seal(inquiry.token)
        return await self._draw(
            inquiry,
            "envoy",
            lambda: {"page": view_envoy(seen, memory), "uptime": _uptime(inquiry), "seal": seal, "levels": [*LogLevel]},
        )

    async def _change_level(self, inquiry: Inquiry) -> web.Response:
        inquiry.require_owner("to change what Envoy logs")
        form = await inquiry.request.post()
        self.forms.check(inquiry.request, str(form.get("seal", "")), inquiry.token)
        given = form.get("level", "")
        level = given if isinstance(given, str) else ""
        if level not in tuple(LogLevel):
            words = f"{level} is no level of Envoy's; those are {', '.join(LogLevel)}."
            return await self._draw(inquiry, "fault", lambda: _tell_missing(words), status=_BAD_REQUEST)
        await set_log_level(inquiry.desk.settings.admin_socket, level)
        raise web.HTTPSeeOther(addresses.ENVOY)

    async def _show_fate(self, inquiry: Inquiry) -> web.Response:
        request, fate, fault = inquiry.request, None, ""
        given = await request.post() if request.method == "POST" else request.query
        asked = Asked.read({name: value for name, value in given.items() if isinstance(value, str)})
        if asked.path:
            try:
                fate = await find_fate(inquiry, asked)
            except ValueError as error:
                fault = str(error)
        status = _BAD_REQUEST if fault else 200
        told: dict[str, object] = {"asked": asked, "fate": fate, "fault": fault, "methods": METHODS}
        return await self._draw(inquiry, "ask", lambda: told, status=status)

    async def _draw(
        self, inquiry: Inquiry, template: str, make: Callable[[], dict[str, object]], *, status: int = 200
    ) -> web.Response:
        controller, work = inquiry.desk.controller, await inquiry.work()
        fault = next((check.fault for check in check_controller(controller) if check.fault), "")
        age = controller.history.age(controller.history.compiled)
        served, connected = controller.served, len(controller.nodes())

        def render() -> str:
            standing = Standing(work.generation, served, age, connected, fault, _count_errors(work))
            return draw(template, standing=standing, is_owner=inquiry.sight.is_owner, **make())

        return web.Response(text=await aside(render), content_type="text/html", status=status)


def lead_browsers_to(address: str, otherwise: Handler) -> Handler:
    """Lead people who come to an address of old to its page; programs, and whoever asks for a part, get theirs."""

    async def led(request: web.Request) -> web.StreamResponse:
        if not request.query and "text/html" in request.headers.get("Accept", ""):
            raise web.HTTPFound(address)
        return await otherwise(request)

    return led


async def _send_static(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in STATIC:
        raise web.HTTPNotFound
    body = await aside(lambda: read_static(name))
    headers = HEADERS | {"Cache-Control": "max-age=300"}
    return web.Response(body=body, content_type=STATIC[name], charset="utf-8", headers=headers)


async def _show_fault(words: str, *, status: int) -> web.Response:
    """Say to somebody who may see nothing why they do not."""
    challenged = status == UNAUTHORIZED
    advice = (
        "Reload this page and give a token for the password; any user name will do. On a cluster that is a Kubernetes "
        "token (kubectl create token NAME); on a laptop kfambassador local status says where it is written."
        if challenged
        else ""
    )
    text = await aside(
        lambda: draw(
            "fault",
            standing=None,
            is_owner=False,
            title="Not shown",
            words=words[:1].upper() + words[1:],
            advice=advice,
        )
    )
    headers = {"WWW-Authenticate": CHALLENGE} if challenged else {}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _tell_missing(words: str) -> dict[str, object]:
    return {"title": "Not here", "words": words, "advice": ""}


def _uptime(inquiry: Inquiry) -> float | None:
    history = inquiry.desk.controller.history
    return history.age(history.started)


def _count_errors(work: Work) -> int:
    return sum(problem.severity is Severity.ERROR for problem in work.compiled.problems)
