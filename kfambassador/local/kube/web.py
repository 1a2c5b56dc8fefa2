"""The web face: who may ask, what a path means, and how errors are answered."""

import base64
import binascii
import hmac
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

from kfambassador.local.kube import bodies, discovery, openapi, status
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents import Document, encode
from kfambassador.local.kube.queries import read_flag
from kfambassador.local.kube.routes import find_route, split_path
from kfambassador.local.kube.storage import StorageFailure
from kfambassador.local.kube.streams import watch
from kfambassador.local.kube.verbs import add_warning, answer_json, content_type_of, find_verb, read_body

_log = logging.getLogger(__name__)

_OPEN_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz", "/version"})
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Face:
    """Answers every request.

    Args:
        cluster: What the requests are about.
        token: The bearer token that callers must show.
    """

    def __init__(self, cluster: Cluster, *, token: str) -> None:
        self._cluster = cluster
        self._token = token.encode()

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=bodies.MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; whatever goes wrong is answered by a Status."""
        try:
            self._admit(request)
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

    def _admit(self, request: web.Request) -> None:
        # A page in somebody's browser can make it send requests here under another name; see "DNS rebinding".
        host = request.headers.get("Host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() not in _LOCAL_HOSTS:
            raise status.forbidden(f"the Host header names {host!r}, and this server is for localhost only")
        token = _read_token(request.headers.get("Authorization", ""))
        if not hmac.compare_digest(token, self._token) and request.path not in _OPEN_PATHS:
            raise status.unauthorized()

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        path = request.path.rstrip("/") or "/"
        if path in _OPEN_PATHS - {"/version"}:
            return web.Response(text="ok")
        if request.method == "GET" and (document := self._describe(path, request.headers.get("Accept", ""))):
            return document
        group, version, rest = split_path(path)
        if (group, version) == discovery.REVIEW_GROUP and rest and rest[0] in discovery.REVIEWS:
            return await _review(request, discovery.REVIEWS[rest[0]])
        route = find_route(self._cluster.catalog, path) if path.startswith(("/api/", "/apis/")) else None
        if route is None:
            raise status.no_such_path()
        if request.method == "GET" and read_flag(request.query, "watch"):
            return await watch(self._cluster, route, request)
        response = await find_verb(route, request.method)(self._cluster, route, request)
        if route.kind.warning:
            add_warning(response, route.kind.warning)
        return response

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


def _read_token(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip().encode(errors="surrogateescape")
    if scheme.lower() != "basic":
        return b""
    # kubectl sends no bearer token over plain HTTP, but the password of its URL.
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


async def _review(request: web.Request, kind: str) -> web.Response:
    if request.method != "POST":
        raise status.not_allowed()
    asked = bodies.read_object(await read_body(request), content_type_of(request))
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    answers = {
        "SelfSubjectAccessReview": {"allowed": True, "reason": "there is one user here, and it may do everything"},
        "SelfSubjectRulesReview": {"resourceRules": [everything], "nonResourceRules": [], "incomplete": False},
    }
    review = {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": asked.get("spec") or {}}
    return answer_json(encode(review | {"status": answers[kind]}), 201)


def _refuse(error: status.StatusError) -> web.Response:
    return answer_json(encode(error.document()), error.code)
