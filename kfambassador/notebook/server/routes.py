"""What the Jupyter server answers below ``kfambassador/``, and to whom: its own user, as its authorizer allows."""

import http
import json
import traceback
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from kfambassador.errors import ApiError, ConfigurationError, KfAmbassadorError, MappingRejected, NoGateway
from kfambassador.notebook.server.aside import Aside
from kfambassador.notebook.server.front_end import FrontEnd
from kfambassador.notebook.server.watching import Watches

if TYPE_CHECKING:
    from kfambassador.routing.describe import Json
    from kfambassador.sdk.gateway import Gateway

#: What a Jupyter authorizer calls all of it.
RESOURCE: Final = "kfambassador"
#: Bytes of a question; a body of ten million, escaped.
_LARGEST: Final = 24_000_000
#: Questions that are answered at once; models may take minutes.
_ASKED: Final = 12

_STATUSES: Final = (
    (NoGateway, http.HTTPStatus.NOT_FOUND),
    (ConfigurationError, http.HTTPStatus.BAD_REQUEST),
    (MappingRejected, http.HTTPStatus.UNPROCESSABLE_ENTITY),
    (ApiError, http.HTTPStatus.BAD_GATEWAY),
    (KfAmbassadorError, http.HTTPStatus.BAD_GATEWAY),
)


def add_routes(application: web.Application) -> None:
    """Answer from now on.

    Args:
        application: The Jupyter server's.
    """
    # What is made here belongs to this server alone.
    parts: dict[str, Any] = {"watches": Watches(), "asking": Aside(_ASKED), "front_end": FrontEnd()}
    paths: list[tuple[str, type[web.RequestHandler]]] = [
        (r"api/front-end", FrontEndHandler),
        (r"api/gateways", GatewaysHandler),
        (r"api/gateways/([a-z0-9-]+)/events", EventsHandler),
        (r"api/gateways/([a-z0-9-]+)/ask", AskHandler),
        (r"static/([0-9a-f]+)/([a-z0-9_]+\.(?:js|css))", ModuleHandler),
    ]
    base = url_path_join(application.settings["base_url"], "kfambassador")
    application.add_handlers(".*$", [(url_path_join(base, path), handler, parts) for path, handler in paths])


Method = TypeVar("Method", bound=Callable[..., Any])


def _only_for(action: str) -> Callable[[Method], Method]:
    """Answer the server's user only, where its authorizer allows them an action."""

    def guard(method: Method) -> Method:
        # The official decorator does not say what it gives.
        allow = cast("Callable[[Method], Method]", authorized(action, RESOURCE))
        return cast("Method", web.authenticated(allow(method)))

    return guard


class _Handler(APIHandler):
    """What all answers have in common: JSON, and errors in plain words."""

    def initialize(self, watches: Watches, asking: Aside, front_end: FrontEnd) -> None:
        """Take what is shared."""
        self.watches = watches
        self.asking = asking
        self.front_end = front_end

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401 - as tornado has it
        """Answer an error as title and words; what is no fault of the asker's is logged by its kind and place only."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.clear_header("Content-Length")
        if isinstance(error, KfAmbassadorError):
            from kfambassador.notebook.answering.desk import tell_error

            self.set_status(next(status for kind, status in _STATUSES if isinstance(error, kind)))
            self.finish(json.dumps(tell_error(error)))
            return
        title = http.HTTPStatus(status_code).phrase
        words = (error.log_message if isinstance(error, web.HTTPError) else "") or title
        self.finish(json.dumps({"title": title, "words": words}))

    def log_exception(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log where something failed and never what it says, which might hold what is secret."""
        if isinstance(value, web.HTTPError):
            super().log_exception(kind, value, trace)
        elif not isinstance(value, KfAmbassadorError):
            self.log.error("kfambassador: %s\n%s", type(value).__name__, "".join(traceback.format_tb(trace)))

    def read_question(self) -> dict[str, Any]:
        """Read the body, which is a JSON object."""
        if len(self.request.body) > _LARGEST:
            raise web.HTTPError(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a question has {_LARGEST} bytes at most")
        try:
            question = json.loads(self.request.body)
        except (ValueError, RecursionError):
            question = None
        if not isinstance(question, dict):
            raise web.HTTPError(http.HTTPStatus.BAD_REQUEST, "a question is a JSON object")
        return question


class FrontEndHandler(_Handler):
    """Where the route browser's modules are."""

    _track_activity = False

    @_only_for("read")
    async def get(self) -> None:
        """Answer where, and which style sheets there are."""
        front_end = self.front_end
        self.finish(json.dumps({"path": f"kfambassador/static/{front_end.version}/", "styles": front_end.styles}))


class GatewaysHandler(_Handler):
    """The gateways that there are."""

    # Nobody uses a server by a panel that stands open: it may end when nothing else happens.
    _track_activity = False

    @_only_for("read")
    async def get(self) -> None:
        """Answer all that can be chosen, and whether this machine's could be started."""
        self.finish(json.dumps(await self.watches.look(_list_gateways)))

    @_only_for("write")
    async def post(self) -> None:
        """Start this machine's gateway."""
        started = await self.watches.look(_start_gateway)
        self.set_status(http.HTTPStatus.CREATED)
        self.finish(json.dumps(started))


class EventsHandler(_Handler):
    """What is live of a gateway."""

    _track_activity = False

    @_only_for("read")
    async def get(self, gateway: str) -> None:
        """Wait for what comes after the place that ``after`` names, and answer it."""
        async with self.watches.use(gateway) as watch:
            news = await watch.list_news(self.get_argument("after", ""))
        self.set_header("Cache-Control", "no-store")
        self.finish(news)


class AskHandler(_Handler):
    """A gateway's answers to a route browser."""

    @_only_for("write")
    async def post(self, gateway: str) -> None:
        """Answer a question, which is ``kind`` and ``args``."""
        question = self.read_question()
        arguments = question.get("args")
        asked = arguments if isinstance(arguments, dict) else {}
        async with self.watches.use(gateway) as watch:
            said = await self.asking.do(partial(_answer, watch.gateway, str(question.get("kind")), asked))
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(said))


class ModuleHandler(JupyterHandler):
    """The route browser's modules. They are no secret: as for Jupyter's own, nobody is asked who they are."""

    def initialize(self, front_end: FrontEnd, **_parts: object) -> None:
        """Take what is shared."""
        self.front_end = front_end

    @allow_unauthenticated
    def get(self, version: str, name: str) -> None:
        """Answer one file of one version."""
        found = self.front_end.read(version, name)
        if found is None:
            raise web.HTTPError(http.HTTPStatus.NOT_FOUND)
        content, media_type = found
        self.set_header("Content-Type", media_type)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(content)


# Called aside: the first to call them imports what takes long.


def _list_gateways() -> "dict[str, Json]":
    from kfambassador.notebook.server.finding import list_gateways

    return list_gateways()


def _start_gateway() -> "dict[str, Json]":
    from kfambassador.notebook.server.finding import start_here

    return start_here().describe()


def _answer(gateway: "Gateway", kind: str, arguments: dict[str, Any]) -> "dict[str, Json]":
    from kfambassador.notebook.answering.desk import answer

    return answer(gateway, kind, arguments)
