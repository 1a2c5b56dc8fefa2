"""The web face: who may ask, what a path means, and how errors are answered."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aiohttp import web

from kfambassador.local.kube import bodies, discovery, openapi, status
from kfambassador.local.kube.asking import ask_of_path, ask_of_route
from kfambassador.local.kube.builtin import TOKEN_REQUEST
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents import Document, encode
from kfambassador.local.kube.guard import Caller, Guard
from kfambassador.local.kube.portforward import forward
from kfambassador.local.kube.queries import read_flag
from kfambassador.local.kube.reviews import answer_review
from kfambassador.local.kube.routes import Route, find_route, split_path
from kfambassador.local.kube.storage import StorageFailure
from kfambassador.local.kube.streams import watch
from kfambassador.local.kube.verbs import add_warning, answer_json, find_verb, place_of, read_object

_log = logging.getLogger(__name__)

_OPEN_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz", "/version"})
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Face:
    """Answers every request.

    Args:
        cluster: What the requests are about.
        guard: Who may ask for what.
    """

    def __init__(self, cluster: Cluster, guard: Guard) -> None:
        self._cluster = cluster
        self._guard = guard

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=bodies.MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; whatever goes wrong is answered by a Status."""
        try:
            _check_host(request.headers.get("Host", ""))
            return await self._dispatch(request)
        except status.StatusError as error:
            answer = _refuse(error)
            if request.content.exception():
                answer.force_close()  # where the next request would begin is not known
            return answer
        except StorageFailure as error:
            return _refuse(status.internal(str(error)))
        except (RecursionError, UnicodeError) as error:
            return _refuse(status.bad_request(f"the request cannot be read: {error}"))
        except Exception:  # noqa: BLE001 - one bad request must not end the connection without an answer
            _log.exception("a request failed: %s %s", request.method, request.path)
            return _refuse(status.internal("this is a fault of the server; its log says more"))

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        route = find_route(self._cluster.catalog, path) if path.startswith(("/api/", "/apis/")) else None
        if path not in _OPEN_PATHS:
            caller = self._guard.identify({name.lower(): request.headers.getall(name) for name in request.headers})
            caller.demand(
                ask_of_route(route, request.method, request.query) if route else ask_of_path(path, request.method)
            )
            if route:
                return await self._serve(route, request, caller)
        if path in _OPEN_PATHS - {"/version"}:
            return web.Response(text="ok")
        if request.method == "GET" and (document := self._describe(path, request.headers.get("Accept", ""))):
            return document
        raise status.no_such_path()

    async def _serve(self, route: Route, request: web.Request, caller: Caller) -> web.StreamResponse:
        if route.kind.is_question or route.subresource == "token":
            return await self._answer_question(route, request, caller)
        if route.subresource == "portforward":
            return await self._forward(route, request, caller)
        if request.method == "GET" and read_flag(request.query, "watch"):
            return await watch(self._cluster, route, request)
        response = await find_verb(route, request.method)(self._cluster, route, request, caller)
        if route.kind.warning:
            add_warning(response, route.kind.warning)
        return response

    async def _answer_question(self, route: Route, request: web.Request, caller: Caller) -> web.Response:
        is_placed = bool(route.namespace) == route.kind.namespaced
        if request.method != "POST" or (route.kind.is_question and (route.name or not is_placed)):
            raise status.not_allowed()
        question = await read_object(request, route.kind if route.kind.is_question else TOKEN_REQUEST)
        if route.kind.is_question:
            answered = answer_review(self._guard, caller.user, place_of(route), question)
        else:
            answered = self._guard.token_requests.answer(place_of(route), question)
        return answer_json(encode(answered), 201)

    async def _forward(self, route: Route, request: web.Request, caller: Caller) -> web.StreamResponse:
        if request.method not in {"GET", "POST"}:
            raise status.not_allowed()
        # A websocket opens with GET, and clusters until 1.34 ask for that verb only; since 1.35 they ask for both. A
        # role that works here works on all of them.
        caller.demand(replace(ask_of_route(route, request.method, {}), verb="create"))
        pod = self._cluster.store.get(place_of(route).key)
        if pod is None:
            raise status.not_found(route.kind, route.name)
        return await forward(request, pod.document)

    def _describe(self, path: str, accept: str) -> web.Response | None:
        catalog = self._cluster.catalog
        fixed: dict[str, Callable[[], Document]] = {
            "/": lambda: {"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/version"]},
            "/version": lambda: dict(discovery.VERSION),
            "/api": discovery.list_core,
            "/apis": lambda: discovery.list_groups(catalog),
            "/openapi/v2": lambda: openapi.describe_v2(catalog),
            "/openapi/v3": lambda: openapi.list_paths(catalog),
        }
        form = next((form for form in discovery.AGGREGATED if f"v={form};as=APIGroupDiscoveryList" in accept), None)
        if path in {"/api", "/apis"} and form:
            media = f"application/json;g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
            body = encode(discovery.aggregate(catalog, core=path == "/api", form=form))
            return web.Response(body=body, headers={"Content-Type": media})
        if path == "/openapi/v2" and "protobuf" in accept:
            return web.Response(body=openapi.EMPTY_V2, headers={"Content-Type": openapi.PROTOBUF_V2})
        if path in fixed:
            return answer_json(encode(fixed[path]()))
        if path.startswith("/openapi/v3/"):
            return answer_json(encode(openapi.describe(catalog, path.removeprefix("/openapi/v3"))))
        return self._describe_group(path)

    def _describe_group(self, path: str) -> web.Response | None:
        group, version, rest = split_path(path)
        catalog = self._cluster.catalog
        if rest or not path.startswith(("/api/", "/apis/")) or not discovery.is_served(catalog, group, version):
            return None
        if version:
            return answer_json(encode(discovery.list_resources(catalog, group, version)))
        return answer_json(encode(discovery.describe_group(catalog, group)))


def _check_host(host: str) -> None:
    # A page in somebody's browser can make it send requests here under another name; see "DNS rebinding".
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in _LOCAL_HOSTS:
        raise status.forbidden(f"the Host header names {host!r}, and this server is for localhost only")


def _refuse(error: status.StatusError) -> web.Response:
    return answer_json(encode(error.document()), error.code)
