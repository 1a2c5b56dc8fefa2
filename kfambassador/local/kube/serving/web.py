"""The web face: who may ask, what a path means, and how errors are answered."""

import asyncio
import logging
from dataclasses import replace
from http import HTTPStatus
from typing import Final, cast

from aiohttp import hdrs, web

from kfambassador.local.kube.access.asking import ask_of_path, ask_of_route, is_watched
from kfambassador.local.kube.access.guard import Caller, Guard
from kfambassador.local.kube.access.reviews import answer_review
from kfambassador.local.kube.answers.scale_verbs import find_scale_verb
from kfambassador.local.kube.answers.streams import watch
from kfambassador.local.kube.answers.verbs import (
    Verb,
    add_warning,
    answer_json,
    find_verb,
    place_of,
    read_body,
    read_object,
)
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.discovery.describing import describe
from kfambassador.local.kube.discovery.probes import PROBES, Check, run_checks, split_probe
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.pods.pod_programs import PROGRAM_PARTS, refuse_program
from kfambassador.local.kube.pods.pod_verbs import POD_SUBRESOURCES, find_pod_verb
from kfambassador.local.kube.pods.portforward import forward
from kfambassador.local.kube.registry.builtin import TOKEN_REQUEST
from kfambassador.local.kube.registry.routes import Route, find_route
from kfambassador.local.kube.requests.bodies import JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE, write_yaml
from kfambassador.local.kube.requests.negotiation import choose_language
from kfambassador.local.kube.schemas.protobuf_writing import write_protobuf
from kfambassador.local.kube.store.storage import StorageFailure

_log = logging.getLogger(__name__)

_OPEN_PATHS: Final = frozenset({*PROBES, "/version"})
#: How an answer in JSON is written in other languages.
_WRITERS: Final = {YAML_TYPE: write_yaml, PROTOBUF_TYPE: write_protobuf}
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

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; whatever goes wrong is answered by a Status."""
        answer = await self._answer(request)
        language = _language_of(request, answer)
        if language in _WRITERS and isinstance(answer, web.Response) and answer.content_type == JSON_TYPE:
            # For a long list this takes long, and others are not to wait.
            answer.body = await asyncio.to_thread(_WRITERS[language], cast("bytes", answer.body))
            answer.content_type = language
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            _check_host(request.headers.get(hdrs.HOST, ""))
            await _encourage(request)
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
            if request.transport is not None:  # a client that has left in the middle is no fault of ours
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
        if request.method in {"GET", "HEAD"}:
            if probe := split_probe(path):
                return self._probe(*probe, request)
            if path.startswith(("/api", "/apis")):
                choose_language(request.headers.get(hdrs.ACCEPT, ""))
            if document := describe(self._cluster.catalog, path, request):
                return document
        raise status.no_such_path()

    async def _serve(self, route: Route, request: web.Request, caller: Caller) -> web.StreamResponse:
        is_stream = request.method == "GET" and is_watched(route, request.query)
        accept = request.headers.get(hdrs.ACCEPT, "")
        choose_language(accept, is_stream=is_stream, has_messages=route.kind.has_messages)
        if route.kind.is_question or route.subresource == "token":
            return await self._answer_question(route, request, caller)
        if route.subresource == "portforward":
            return await self._forward(route, request, caller)
        if route.subresource in PROGRAM_PARTS:
            raise self._refuse_program(route, request)
        if is_stream:
            return await watch(self._cluster, route, request)
        response = await _find_verb(route, request.method)(self._cluster, route, request, caller)
        if route.kind.warning:
            add_warning(response, route.kind.warning)
        return response

    async def _answer_question(self, route: Route, request: web.Request, caller: Caller) -> web.Response:
        is_placed = bool(route.namespace) == route.kind.namespaced
        if request.method != "POST" or (route.kind.is_question and (route.name or not is_placed)):
            raise status.not_allowed()
        question = read_object(
            await read_body(request), request, route.kind if route.kind.is_question else TOKEN_REQUEST
        )
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
        return await forward(request, self._find_pod(route))

    def _refuse_program(self, route: Route, request: web.Request) -> status.StatusError:
        if request.method not in PROGRAM_PARTS[route.subresource]:
            return status.not_allowed()
        return refuse_program(route.subresource, self._find_pod(route), request.query)

    def _find_pod(self, route: Route) -> Document:
        pod = self._cluster.store.get(place_of(route).key)
        if pod is None:
            raise status.not_found(route.kind, route.name)
        return pod.document

    def _probe(self, probe: str, check: str, request: web.Request) -> web.Response:
        checks: dict[str, Check] = {"ping": _ping, "etcd": self._cluster.store.check}
        if check and check not in checks:
            raise status.no_such_path()
        asked = {check: checks[check]} if check else checks
        is_well, text = run_checks(
            asked, probe, is_verbose="verbose" in request.query, excluded=request.query.getall("exclude", ())
        )
        return web.Response(text=text, status=200 if is_well else 500)


def _ping() -> None:
    """Be well: whoever is asked can answer."""


def _find_verb(route: Route, method: str) -> Verb:
    if route.subresource == "scale":
        return find_scale_verb(route, method)
    is_of_pod = route.kind.resource == "pods" and route.subresource in POD_SUBRESOURCES
    return find_pod_verb(route, method) if is_of_pod else find_verb(route, method)


def _check_host(host: str) -> None:
    # A page in somebody's browser can make it send requests here under another name; see "DNS rebinding".
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in _LOCAL_HOSTS:
        raise status.forbidden(f"the Host header names {host!r}, and this server is for localhost only")


def _language_of(request: web.Request, answer: web.StreamResponse) -> str:
    if answer.status == HTTPStatus.NOT_ACCEPTABLE:
        return JSON_TYPE  # there is no other in which to say so
    try:
        return choose_language(request.headers.get(hdrs.ACCEPT, ""))
    except status.StatusError:
        return JSON_TYPE  # of what was answered before languages were looked at


async def _encourage(request: web.Request) -> None:
    # A client with much to send may ask first (RFC 9110, section 10.1.1).
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself is yet to come


def _refuse(error: status.StatusError) -> web.Response:
    return answer_json(encode(error.document()), error.code)
