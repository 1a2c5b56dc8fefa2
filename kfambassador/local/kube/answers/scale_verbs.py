"""Scale verbs: reading and changing how many replicas an object asks for, over HTTP."""

import dataclasses
from collections.abc import Callable
from typing import Final

from aiohttp import web

from kfambassador.local.kube.access.guard import Caller
from kfambassador.local.kube.answers.verbs import (
    Verb,
    add_warnings,
    answer_json,
    content_type_of,
    in_turn,
    place_of,
    read_object,
    read_options,
)
from kfambassador.local.kube.answers.views import read_view
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Scaling
from kfambassador.local.kube.registry.routes import Route
from kfambassador.local.kube.requests import bodies
from kfambassador.local.kube.validation import scaling
from kfambassador.local.kube.validation.scaling import SCALE
from kfambassador.local.kube.writes.patching import APPLY_PATCH, read_change
from kfambassador.local.kube.writes.preparation import Prepared, read_document
from kfambassador.local.kube.writes.writing import Place, Written, check_identity


async def get_scale(cluster: Cluster, route: Route, request: web.Request, _caller: Caller) -> web.Response:
    """Answer with an object's Scale."""
    record = cluster.store.get(place_of(route).key)
    if record is None:
        raise status.not_found(route.kind, route.name)
    paths = _paths(route)
    if route.kind.is_custom and not scaling.is_scaled(record.document, paths):
        raise status.internal(f'the spec replicas field "{_show(paths.spec)}" does not exist')
    return _answer(route, request, record.document)


def replace_scale(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    """Replace an object's Scale."""
    sent = read_object(body, request, SCALE)
    return _write(cluster, route, request, caller, lambda _: sent)


def patch_scale(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    """Patch an object's Scale."""
    if content_type_of(request) == APPLY_PATCH:
        return _apply(cluster, route, request, caller, body)
    # A custom resource knows no strategic merge patch, and neither does its Scale.
    kind = dataclasses.replace(SCALE, is_custom=route.kind.is_custom)
    change = read_change(kind, content_type_of(request), body)
    return _write(cluster, route, request, caller, change)


def _apply(cluster: Cluster, route: Route, request: web.Request, caller: Caller, body: bytes) -> web.Response:
    options = read_options(cluster, route, request, caller)
    sent = bodies.read_object(body, bodies.YAML_TYPE)
    read = _read(route, sent, options.validation)
    applied = scaling.applied_replicas(route.kind, read.document, _paths(route))
    written = cluster.writing.apply(place_of(route), applied, options)
    return _answer(route, request, written.document, (*read.warnings, *written.warnings))


def _write(
    cluster: Cluster, route: Route, request: web.Request, caller: Caller, change: Callable[[Document], Document]
) -> web.Response:
    options, paths = read_options(cluster, route, request, caller), _paths(route)
    warnings: list[str] = []

    def rescale(document: Document) -> Document:
        read = _read(route, change(scaling.read_scale(document, paths)), options.validation)
        warnings.extend(read.warnings)
        wanted = scaling.replicas_of(read.document).replicas
        if wanted is None and route.kind.is_custom and not scaling.is_scaled(document, paths):
            raise status.bad_request(f'the spec replicas field "{_show(paths.spec)}" cannot be empty')
        return scaling.with_precondition(scaling.with_replicas(document, paths, wanted or 0), read.document)

    written: Written = cluster.writing.patch(place_of(route), rescale, options)
    return _answer(route, request, written.document, (*warnings, *written.warnings))


def _read(route: Route, sent: Document, validation: str) -> Prepared:
    read = read_document(SCALE, check_identity(Place(SCALE, route.namespace, route.name), sent), validation=validation)
    if fault := scaling.replicas_of(read.document).fault:
        raise status.invalid(SCALE, route.name, [fault])
    return read


def _paths(route: Route) -> Scaling:
    return route.kind.scaling or Scaling()


def _show(path: tuple[str, ...]) -> str:
    return "".join(f".{name}" for name in path)


def _answer(route: Route, request: web.Request, document: Document, warnings: tuple[str, ...] = ()) -> web.Response:
    view = read_view(SCALE, request.headers.get("Accept", ""), request.query.get("includeObject", ""))
    response = answer_json(view.show_document(scaling.read_scale(document, _paths(route))))
    add_warnings(response, warnings)
    return response


_VERBS: Final[dict[str, Verb]] = {
    "GET": get_scale,
    "PUT": in_turn(replace_scale),
    "PATCH": in_turn(patch_scale),
}


def find_scale_verb(_route: Route, method: str) -> Verb:
    """The verb a method means for a Scale.

    Raises:
        StatusError: When it means none.
    """
    if method not in _VERBS:
        raise status.not_allowed()
    return _VERBS[method]
