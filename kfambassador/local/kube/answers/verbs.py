"""Verbs: get, list, create, replace, patch, apply and delete over HTTP."""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from kfambassador.local.kube.access.asking import ask_of_route
from kfambassador.local.kube.access.escalation import check_escalation
from kfambassador.local.kube.access.guard import Caller
from kfambassador.local.kube.answers.views import View, read_view, show
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.registry.routes import Route
from kfambassador.local.kube.requests import bodies, queries
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.writes.patching import APPLY_PATCH, read_change
from kfambassador.local.kube.writes.reading import ListQuery, list_page
from kfambassador.local.kube.writes.writing import Place, Written

_WRITE_OPTIONS: Final = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}

_BODY_SECONDS: Final = 30
_WARNINGS: Final = 20  # headers have room for so many
_WARNING_LENGTH: Final = 256

_LONG: Final = 8 * 1024  # bytes of what is sent or changed, from which on a write may take long
_DOUBLING: Final = b'"copy"'  # the operation of a JSON patch that makes much of little

Verb = Callable[[Cluster, Route, web.Request, Caller], Awaitable[web.Response]]
#: Writes what a request's body says, once nobody else does.
Write = Callable[[Cluster, Route, web.Request, Caller, bytes], web.Response]


async def read_body(request: web.Request) -> bytes:
    """Read a request's body.

    Raises:
        StatusError: When it is too large, comes too slowly or is not encoded as its headers say.
    """
    try:
        if request.content.is_eof():  # it came with the head, as short ones do
            return await request.read()
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise status.too_large(bodies.MAX_BODY) from error
    except web.RequestPayloadError as error:
        raise status.bad_request(f"the body cannot be read: {error}") from error
    except TimeoutError as error:
        raise status.bad_request(f"the body did not arrive within {_BODY_SECONDS} seconds") from error


def in_turn(write: Write) -> Verb:
    """The verb that makes a write when its turn comes; a long one beside the loop, so that others are answered."""

    async def verb(cluster: Cluster, route: Route, request: web.Request, caller: Caller) -> web.Response:
        body = await read_body(request)

        def begin() -> web.Response:
            # While this write waited, another one may have defined its kind anew.
            kind = cluster.catalog.find(route.kind.group, route.kind.version, route.kind.plural)
            if kind is None:
                raise status.no_such_path()
            present = route if kind is route.kind else dataclasses.replace(route, kind=kind)
            return write(cluster, present, request, caller, body)

        return await cluster.turns.take(begin, is_long=lambda: _is_long(cluster, route, request, body))

    return verb


def _is_long(cluster: Cluster, route: Route, request: web.Request, body: bytes) -> bool:
    is_whole = request.method == "DELETE" and not route.name
    if len(body) > _LONG or _DOUBLING in body or is_whole or not route.kind.is_read:
        return True
    record = cluster.store.get(place_of(route).key)
    return cluster.deletion.reaches_far(record) or (record is not None and len(record.body) > _LONG)


def read_object(body: bytes, request: web.Request, kind: Kind, complaints: list[str] | None = None) -> Document:
    """Read the object in a request's body. One of a built-in kind need not say again what the path says.

    Args:
        body: The body.
        request: The request.
        kind: The object's kind.
        complaints: Takes up what is odd in the text, though it can be read.

    Raises:
        StatusError: When it cannot be read.
    """
    document = bodies.read_object(body, content_type_of(request), complaints)
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


def add_warnings(response: web.Response, warnings: Sequence[str]) -> None:
    """Have kubectl say warnings, as many as there is room for."""
    for warning in warnings[:_WARNINGS]:
        add_warning(response, warning)


async def get(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Answer with one object."""
    if (wanted := queries.read_version(request.query)) > cluster.store.revision:
        raise status.too_large_version(wanted, cluster.store.revision)
    record = cluster.store.get(place_of(route).key)
    if record is None:
        raise status.not_found(route.kind, route.name)
    return answer_json(_view(route, request).show(record))


def _read_query(route: Route, request: web.Request) -> ListQuery:
    selector = queries.read_query_selector(request.query, route.kind)
    options = queries.read_list_options(request.query)
    return ListQuery(route.kind.stored_resource, route.namespace, selector, options)


async def list_objects(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Answer with a list."""
    query = _read_query(route, request)
    page = list_page(cluster.store, query)
    metadata: Document = {"resourceVersion": str(page.version)}
    if page.rest:
        metadata["continue"] = page.rest
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    view = _view(route, request)
    return answer_json(await show(len(page.records), view.show_list, page.records, metadata))


def create(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    """Create an object."""
    complaints: list[str] = []
    document = read_object(body, request, route.kind, complaints)
    if route.kind.namespaced and not route.namespace:
        raise status.not_allowed()
    if route.kind.records_author and isinstance(spec := document.get("spec"), dict):
        document = document | {"spec": spec | caller.user.document()}
    options = read_options(cluster, route, request, caller, complaints)
    return _answer(route, request, cluster.writing.create(place_of(route), document, options))


def replace(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    """Replace an object."""
    complaints: list[str] = []
    document = read_object(body, request, route.kind, complaints)
    options = read_options(cluster, route, request, caller, complaints)
    return _answer(route, request, cluster.writing.replace(place_of(route), document, options))


def patch(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    """Patch an object in one of four languages."""
    language = content_type_of(request)
    complaints: list[str] = []
    if language == APPLY_PATCH:
        document = bodies.read_object(body, bodies.YAML_TYPE, complaints)
        options = read_options(cluster, route, request, caller, complaints)
        return _answer(route, request, cluster.writing.apply(place_of(route), document, options))
    change = read_change(route.kind, language, body, complaints)
    options = read_options(cluster, route, request, caller, complaints)
    return _answer(route, request, cluster.writing.patch(place_of(route), change, options))


def delete(cluster: Cluster, route: Route, request: web.Request, _caller: Caller, body: bytes) -> web.Response:
    """Delete an object."""
    options = queries.read_delete_options(request.query, _read_delete_body(body, request))
    record = cluster.deletion.delete(route.kind, place_of(route).key, options)
    metadata = record.document["metadata"]
    if route.kind.returns_deleted or metadata.get("finalizers"):
        return answer_json(_view(route, request).show(record))
    return answer_json(encode(status.deleted(route.kind, route.name, metadata["uid"])))


def delete_collection(
    cluster: Cluster, route: Route, request: web.Request, _caller: Caller, body: bytes
) -> web.Response:
    """Delete the objects of a list."""
    options = queries.read_delete_options(request.query, _read_delete_body(body, request))
    query = _read_query(route, request)
    page = list_page(cluster.store, query)
    cluster.deletion.delete_all(route.kind, [record.key for record in page.records], options)
    return answer_json(View(route.kind).show_list(page.records, {"resourceVersion": str(cluster.store.revision)}))


def _read_delete_body(body: bytes, request: web.Request) -> Document | None:
    return None if body in {b"", b"null"} else bodies.read_object(body, content_type_of(request))


def place_of(route: Route) -> Place:
    """Where what a route names is kept."""
    return Place(route.kind, route.namespace, route.name, route.subresource)


def _view(route: Route, request: web.Request) -> View:
    return read_view(route.kind, request.headers.get("Accept", ""), request.query.get("includeObject", ""))


def read_options(
    cluster: Cluster, route: Route, request: web.Request, caller: Caller, complaints: Sequence[str] = ()
) -> WriteOptions:
    """Read how a request wants something written; whoever gives rights has to have them.

    Args:
        cluster: What the request is about.
        route: What its path means.
        request: The request.
        caller: Who asks.
        complaints: What is odd in its body.
    """
    options = queries.read_write_options(
        request.query,
        request.headers.get("User-Agent", ""),
        sort=_WRITE_OPTIONS[request.method],
        is_apply=content_type_of(request) == APPLY_PATCH,
    )

    def permit(document: Document, before: Document | None) -> None:
        if request.method in {"PATCH", "PUT"} and before is None:
            caller.demand(dataclasses.replace(ask_of_route(route, request.method, {}), verb="create"))
        check_escalation(cluster.store, caller, route, document)

    return dataclasses.replace(options, permit=permit, complaints=tuple(complaints))


def _answer(route: Route, request: web.Request, written: Written) -> web.Response:
    view = _view(route, request)
    body = view.show(written.record) if written.record else view.show_document(written.document)
    response = answer_json(body, 201 if written.created else 200)
    add_warnings(response, written.warnings)
    return response


_REPLACE, _PATCH, _DELETE_ALL = in_turn(replace), in_turn(patch), in_turn(delete_collection)
_STATUS: Final[dict[str, Verb]] = {"GET": get, "PUT": _REPLACE, "PATCH": _PATCH}
_OBJECT: Final[dict[str, Verb]] = _STATUS | {"DELETE": in_turn(delete)}
_BELOW: Final[dict[str, dict[str, Verb]]] = {"": _OBJECT, "finalize": {"PUT": _REPLACE}}
_COLLECTION: Final[dict[str, Verb]] = {"GET": list_objects, "POST": in_turn(create), "DELETE": _DELETE_ALL}


def find_verb(route: Route, method: str) -> Verb:
    """The verb a method means.

    Raises:
        StatusError: When it means none here.
    """
    verbs = _COLLECTION if not route.name else _BELOW.get(route.subresource, _STATUS)
    if route.is_watch or method not in verbs or (verbs[method] is _DELETE_ALL and not _has_collection(route)):
        raise status.not_allowed()
    if method == "POST" and "create" not in route.kind.verbs:  # what cannot be made can be looked at only
        raise status.not_allowed()
    return verbs[method]


def _has_collection(route: Route) -> bool:
    # What is in one namespace can be deleted at once, never what is in all of them.
    return "deletecollection" in route.kind.verbs and bool(route.namespace) == route.kind.namespaced
