"""Pod verbs: evicting a Pod and binding it to a node, over HTTP. They change objects only, so they work here."""

from typing import Final

from aiohttp import web

from kfambassador.local.kube.access.guard import Caller
from kfambassador.local.kube.answers.verbs import Verb, answer_json, in_turn, place_of, read_object
from kfambassador.local.kube.cluster import Cluster, tell_time
from kfambassador.local.kube.documents.document import Document, encode, name_of
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.registry.routes import Route
from kfambassador.local.kube.requests import queries
from kfambassador.local.kube.store.storage import Record
from kfambassador.local.kube.validation import disruption
from kfambassador.local.kube.validation.idle import with_binding
from kfambassador.local.kube.writes.preparation import read_document
from kfambassador.local.kube.writes.writing import Place, check_identity

_EVICTION: Final = Kind("policy", "v1", "Eviction", "evictions")
_BINDING: Final = Kind("", "v1", "Binding", "bindings")
_BUDGETS: Final = "poddisruptionbudgets.policy"


def evict(cluster: Cluster, route: Route, request: web.Request, _caller: Caller, body: bytes) -> web.Response:
    """Delete a Pod unless a PodDisruptionBudget wants it kept."""
    sent = _read(body, request, route, _EVICTION)
    options = queries.read_delete_options(request.query, sent.get("deleteOptions") or {})
    record = _find(cluster, route)
    budgets = (budget.document for budget in cluster.store.records(_BUDGETS, route.namespace))
    names = [name_of(budget) for budget in budgets if disruption.protects(budget, record.document)]
    if len(names) > 1:
        rule = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise status.internal(rule)
    if names:
        raise status.too_many_disruptions(names[0])
    cluster.deletion.delete(route.kind, place_of(route).key, options)
    return answer_json(encode(status.success({})), 201)


def bind(cluster: Cluster, route: Route, request: web.Request, _caller: Caller, body: bytes) -> web.Response:
    """Say on which node a Pod runs."""
    sent = _read(body, request, route, _BINDING)
    target: Document = sent.get("target") or {}
    record = _find(cluster, route)
    if target.get("kind") not in {None, "", "Node"} or not target.get("name"):
        raise status.bad_request("the target of a binding is a Node, by its name")
    held = (record.document.get("spec") or {}).get("nodeName")
    if held:
        raise status.conflict(route.kind, route.name, f'pod {route.name} is already assigned to node "{held}"')
    if request.query.get("dryRun") != "All":
        cluster.store.put(record.key, with_binding(record.document, str(target["name"]), tell_time()))
    return answer_json(encode(status.success({})), 201)


def _read(body: bytes, request: web.Request, route: Route, kind: Kind) -> Document:
    sent = check_identity(Place(kind, route.namespace, route.name), read_object(body, request, kind))
    return read_document(kind, sent, validation=request.query.get("fieldValidation", "Warn")).document


def _find(cluster: Cluster, route: Route) -> Record:
    record = cluster.store.get(place_of(route).key)
    if record is None:
        raise status.not_found(route.kind, route.name)
    return record


_VERBS: Final[dict[tuple[str, str], Verb]] = {
    ("eviction", "POST"): in_turn(evict),
    ("binding", "POST"): in_turn(bind),
}

#: The subresources that are answered here.
POD_SUBRESOURCES: Final = frozenset(name for name, _ in _VERBS)


def find_pod_verb(route: Route, method: str) -> Verb:
    """The verb a method means for a subresource of a Pod.

    Raises:
        StatusError: When it means none.
    """
    verb = _VERBS.get((route.subresource, method))
    if verb is None:
        raise status.not_allowed()
    return verb
