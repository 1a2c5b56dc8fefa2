"""Verbs: get, list, create, replace, patch, apply and delete over HTTP."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from kfambassador.local.kube import bodies, queries, status
from kfambassador.local.kube.asking import ask_of_route
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents import Document, Json, encode
from kfambassador.local.kube.escalation import check_escalation
from kfambassador.local.kube.guard import Caller
from kfambassador.local.kube.kinds import Kind
from kfambassador.local.kube.options import WriteOptions
from kfambassador.local.kube.patches import BadPatch, UnfitPatch, json_patch, merge_patch
from kfambassador.local.kube.preparation import as_document
from kfambassador.local.kube.reading import ListQuery, list_page
from kfambassador.local.kube.routes import Route
from kfambassador.local.kube.strategic import strategic_patch
from kfambassador.local.kube.views import View, read_view
from kfambassador.local.kube.writing import Place, Written

_JSON_PATCH: Final = "application/json-patch+json"
_MERGE_PATCH: Final = "application/merge-patch+json"
_STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
_APPLY_PATCH: Final = "application/apply-patch+yaml"

_BODY_SECONDS: Final = 30
_WARNINGS: Final = 20  # headers have room for so many
_WARNING_LENGTH: Final = 256

Verb = Callable[[Cluster, Route, web.Request, Caller], Awaitable[web.Response]]


async def read_body(request: web.Request) -> bytes:
    """Read a request's body.

    Raises:
        StatusError: When it is too large, comes too slowly or is not encoded as its headers say.
    """
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise status.too_large(bodies.MAX_BODY) from error
    except web.RequestPayloadError as error:
        raise status.bad_request(f"the body cannot be read: {error}") from error
    except TimeoutError as error:
        raise status.bad_request(f"the body did not arrive within {_BODY_SECONDS} seconds") from error


async def read_object(request: web.Request, kind: Kind) -> Document:
    """Read the object in a request's body. One of a built-in kind need not say again what the path says.

    Raises:
        StatusError: When it cannot be read.
    """
    document = bodies.read_object(await read_body(request), content_type_of(request))
    implied: Document = {} if kind.is_custom else {"apiVersion": kind.api_version, "kind": kind.name}
    return document | {field: text for field, text in implied.items() if document.get(field) in {None, ""}}


def content_type_of(request: web.Request) -> str:
    """The media type of a request's body, "" when it is not given."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def answer_json(body: bytes, code: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=body, status=code, content_type=bodies.JSON_TYPE)


def add_warning(response: web.Response, warning: str) -> None:
    """Have kubectl say a warning (RFC 7234, section 5.5)."""
    response.headers.add("Warning", f"299 - {json.dumps(warning[:_WARNING_LENGTH])}")


async def get(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Answer with one object."""
    record = cluster.store.get(place_of(route).key)
    if record is None:
        raise status.not_found(route.kind, route.name)
    return answer_json(_view(route, request).show(record))


async def list_objects(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Answer with a list."""
    wanted = queries.read_number(request.query, "resourceVersion")
    if wanted > cluster.store.revision:
        raise status.too_large_version(wanted, cluster.store.revision)
    query = ListQuery(
        resource=route.kind.resource,
        namespace=route.namespace,
        selector=queries.read_query_selector(request.query),
        limit=queries.read_number(request.query, "limit"),
        rest=request.query.get("continue", ""),
    )
    page = list_page(cluster.store, query)
    metadata: Document = {"resourceVersion": str(page.version)}
    if page.rest:
        metadata["continue"] = page.rest
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    return answer_json(_view(route, request).show_list(page.records, metadata))


async def create(cluster: Cluster, route: Route, request: web.Request, caller: Caller) -> web.Response:
    """Create an object."""
    document = await read_object(request, route.kind)
    if route.kind.namespaced and not route.namespace:
        raise status.not_allowed()
    return _answer(
        route, request, cluster.writing.create(place_of(route), document, _options(cluster, route, request, caller))
    )


async def replace(cluster: Cluster, route: Route, request: web.Request, caller: Caller) -> web.Response:
    """Replace an object."""
    document = await read_object(request, route.kind)
    return _answer(
        route, request, cluster.writing.replace(place_of(route), document, _options(cluster, route, request, caller))
    )


async def patch(cluster: Cluster, route: Route, request: web.Request, caller: Caller) -> web.Response:
    """Patch an object in one of four languages."""
    body, language, options = (
        await read_body(request),
        content_type_of(request),
        _options(cluster, route, request, caller),
    )
    if language == _APPLY_PATCH:
        return _answer(route, request, _apply(cluster, route, request, body, options))
    changes: dict[str, Callable[[Json, Json], Json]] = {_JSON_PATCH: json_patch, _MERGE_PATCH: merge_patch}
    if not route.kind.is_custom:
        changes[_STRATEGIC_PATCH] = lambda target, patch: strategic_patch(target, patch, route.kind.schema)
    if language not in changes:
        raise status.unsupported_media_type(language, (*changes, _APPLY_PATCH))
    wanted = bodies.read_json(body)

    def change(document: Document) -> Document:
        try:
            return as_document(changes[language](document, wanted))
        except BadPatch as error:
            raise status.bad_request(str(error)) from error
        except UnfitPatch as error:
            raise status.unprocessable(route.kind, route.name, str(error)) from error

    return _answer(route, request, cluster.writing.patch(place_of(route), change, options))


def _apply(cluster: Cluster, route: Route, request: web.Request, body: bytes, options: WriteOptions) -> Written:
    if not request.query.get("fieldManager"):
        raise status.manager_required()
    return cluster.writing.apply(place_of(route), bodies.read_object(body, bodies.YAML_TYPE), options)


async def delete(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Delete an object."""
    options = queries.read_delete_options(request.query, await _read_delete_body(request))
    record = cluster.deletion.delete(route.kind, place_of(route).key, options)
    metadata = record.document["metadata"]
    if route.kind.returns_deleted or metadata.get("finalizers"):
        return answer_json(_view(route, request).show(record))
    return answer_json(encode(status.deleted(route.kind, route.name, metadata["uid"])))


async def delete_collection(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Delete the objects of a list."""
    options = queries.read_delete_options(request.query, await _read_delete_body(request))
    query = ListQuery(route.kind.resource, route.namespace, queries.read_query_selector(request.query))
    page = list_page(cluster.store, query)
    for record in page.records:
        if cluster.store.get(record.key):
            cluster.deletion.delete(route.kind, record.key, options)
    return answer_json(View(route.kind).show_list(page.records, {"resourceVersion": str(cluster.store.revision)}))


async def _read_delete_body(request: web.Request) -> Document:
    body = await read_body(request)
    return {} if body in {b"", b"null"} else bodies.read_object(body, content_type_of(request))


def place_of(route: Route) -> Place:
    """Where what a route names is kept."""
    return Place(route.kind, route.namespace, route.name, route.subresource)


def _view(route: Route, request: web.Request) -> View:
    return read_view(route.kind, request.headers.get("Accept", ""), request.query.get("includeObject", ""))


def _options(cluster: Cluster, route: Route, request: web.Request, caller: Caller) -> WriteOptions:
    options = queries.read_write_options(request.query, request.headers.get("User-Agent", ""))

    def permit(document: Document, before: Document | None) -> None:
        if request.method == "PATCH" and before is None:
            caller.demand(dataclasses.replace(ask_of_route(route, request.method, {}), verb="create"))
        check_escalation(cluster.store, caller, route, document)

    return dataclasses.replace(options, permit=permit)


def _answer(route: Route, request: web.Request, written: Written) -> web.Response:
    view = _view(route, request)
    body = view.show(written.record) if written.record else view.show_document(written.document)
    response = answer_json(body, 201 if written.created else 200)
    for warning in written.warnings[:_WARNINGS]:
        add_warning(response, warning)
    return response


_OBJECT: Final[dict[str, Verb]] = {"GET": get, "PUT": replace, "PATCH": patch, "DELETE": delete}
_STATUS: Final[dict[str, Verb]] = {"GET": get, "PUT": replace, "PATCH": patch}
_COLLECTION: Final[dict[str, Verb]] = {"GET": list_objects, "POST": create, "DELETE": delete_collection}


def find_verb(route: Route, method: str) -> Verb:
    """The verb a method means.

    Raises:
        StatusError: When it means none here.
    """
    verbs = _COLLECTION if not route.name else _STATUS if route.subresource else _OBJECT
    if method not in verbs:
        raise status.not_allowed()
    return verbs[method]
