"""Describing: documents about the API itself, which are sent again only when they have changed."""

import hashlib
from collections.abc import Callable
from typing import Final

from aiohttp import hdrs, web

from kfambassador.local.kube.discovery import openapi
from kfambassador.local.kube.discovery import resources as discovery
from kfambassador.local.kube.discovery.swagger import write_swagger
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.registry.catalog import Catalog
from kfambassador.local.kube.registry.routes import split_path
from kfambassador.local.kube.requests.bodies import JSON_TYPE

_PATHS: Final = [
    "/api",
    "/apis",
    "/healthz",
    "/livez",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
]
_V3: Final = "/openapi/v3/"


def describe(catalog: Catalog, path: str, request: web.Request) -> web.Response | None:
    """Answer with the document under a path; None when there is none."""
    if path.startswith("/openapi/"):
        return _describe_schemas(catalog, path, request)
    accept = request.headers.get(hdrs.ACCEPT, "")
    form = next((form for form in discovery.AGGREGATED if f"v={form};as=APIGroupDiscoveryList" in accept), None)
    if path in {"/api", "/apis"} and form:
        media = f"{JSON_TYPE};g=apidiscovery.k8s.io;v={form};as=APIGroupDiscoveryList"
        return _answer(request, encode(discovery.aggregate(catalog, core=path == "/api", form=form)), media)
    fixed: dict[str, Callable[[], Document]] = {
        "/": lambda: {"paths": _PATHS},
        "/version": lambda: dict(discovery.VERSION),
        "/api": lambda: discovery.list_core(request.headers.get(hdrs.HOST, "")),
        "/apis": lambda: discovery.list_groups(catalog),
    }
    found = fixed[path]() if path in fixed else _describe_group(catalog, path)
    return None if found is None else web.Response(body=encode(found), content_type=JSON_TYPE)


def _describe_group(catalog: Catalog, path: str) -> Document | None:
    group, version, rest = split_path(path)
    if rest or not path.startswith(("/api/", "/apis/")) or not discovery.is_served(catalog, group, version):
        return None
    if version:
        return discovery.list_resources(catalog, group, version)
    return discovery.describe_group(catalog, group)


def _describe_schemas(catalog: Catalog, path: str, request: web.Request) -> web.Response | None:
    if path == "/openapi/v2":
        document = openapi.describe_v2(catalog)
        if "protobuf" in request.headers.get(hdrs.ACCEPT, ""):
            return _answer(request, write_swagger(document), openapi.PROTOBUF_V2)
        return _answer(request, encode(document), JSON_TYPE)
    if path == "/openapi/v3":
        return _answer(request, encode(openapi.list_paths(catalog)), JSON_TYPE)
    place = path.removeprefix(_V3.rstrip("/"))
    if not any(kind.path == place for kind in catalog):
        return None
    body = encode(openapi.describe(catalog, place))
    asked, present = request.query.get("hash", ""), openapi.digest(body)
    if asked and asked != present:
        return web.Response(status=301, headers={hdrs.LOCATION: f"{path}?hash={present}"})
    answer = _answer(request, body, JSON_TYPE)
    if asked:  # under this address the document never changes
        answer.headers[hdrs.CACHE_CONTROL] = "public, immutable"
    return answer


def _answer(request: web.Request, body: bytes, media: str) -> web.Response:
    """Answer with a document, or that the caller has it already (RFC 9110, section 13.1.2)."""
    tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    headers = {hdrs.ETAG: tag, hdrs.VARY: hdrs.ACCEPT}
    known = {each.strip().removeprefix("W/") for each in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")}
    if known & {tag, "*"}:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers | {hdrs.CONTENT_TYPE: media})
