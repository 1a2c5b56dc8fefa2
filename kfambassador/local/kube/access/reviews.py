"""Reviews: questions about who somebody is and what they may do, each answered by those who decide it."""

from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from kfambassador.local.kube.access.authentication import AUDIENCES, BadToken
from kfambassador.local.kube.access.guard import Guard
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.documents.identity import User
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.kinds.rules import Asked
from kfambassador.local.kube.writes.preparation import read_document
from kfambassador.local.kube.writes.writing import Place, check_identity

_Answer: TypeAlias = Callable[[Guard, User, Document, Place], Document]


def answer_review(guard: Guard, user: User, place: Place, question: Document) -> Document:
    """Answer a review.

    Args:
        guard: Knows callers and decides what they may do.
        user: Who asks.
        place: Which kind of review, and the namespace it is asked in.
        question: The review without its status.

    Raises:
        StatusError: When the question is malformed.
    """
    kind = place.kind
    read = read_document(kind, check_identity(place, question), validation="Ignore").document
    spec: Document = read.get("spec") or {}
    answered = _ANSWERS[kind.name](guard, user, spec, place)
    told: Document = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": read.get("metadata") or {}}
    return told | ({"spec": spec} if "spec" in kind.schema.properties else {}) | {"status": answered}


def _review_token(guard: Guard, _user: User, spec: Document, _place: Place) -> Document:
    if not spec.get("token"):
        raise status.bad_request("token is required for TokenReview in authentication")
    try:
        found = guard.authentication.identify(spec["token"], spec.get("audiences") or AUDIENCES)
    except BadToken as error:
        return {"user": {}, "error": str(error)}
    return {"authenticated": True, "user": found.user.document(), "audiences": list(found.audiences)}


def _review_self(_guard: Guard, user: User, _spec: Document, _place: Place) -> Document:
    return {"userInfo": user.document()}


def _review_own_access(guard: Guard, user: User, spec: Document, place: Place) -> Document:
    return _judge(guard, user, _read_asked(place.kind, spec))


def _review_access(guard: Guard, _user: User, spec: Document, place: Place) -> Document:
    asked = _read_asked(place.kind, spec)
    if not spec.get("user") and not spec.get("groups"):
        _refuse(
            place.kind, FieldFault(Fault.INVALID, "spec.user", "at least one of user or group must be specified", "")
        )
    if place.namespace and asked.path:
        _refuse(
            place.kind, FieldFault(Fault.INVALID, "spec.nonResourceAttributes", "disallowed on this kind of request")
        )
    if place.namespace and asked.namespace != place.namespace:
        detail = "must match metadata.namespace"
        _refuse(place.kind, FieldFault(Fault.INVALID, "spec.resourceAttributes.namespace", detail, asked.namespace))
    return _judge(guard, _read_user(spec), asked)


def _review_own_rules(guard: Guard, user: User, spec: Document, _place: Place) -> Document:
    if not spec.get("namespace"):
        raise status.bad_request("no namespace on request")
    held = guard.authorizer.list_rules(user, spec["namespace"])
    told: Document = {
        "resourceRules": [_pick(rule, _RESOURCE_FIELDS) for rule in held.rules if not rule.get("nonResourceURLs")],
        "nonResourceRules": [_pick(rule, _PATH_FIELDS) for rule in held.rules if rule.get("nonResourceURLs")],
        "incomplete": bool(held.error),
    }
    return told | ({"evaluationError": held.error} if held.error else {})


_RESOURCE_FIELDS: Final = ("verbs", "apiGroups", "resources", "resourceNames")
_PATH_FIELDS: Final = ("verbs", "nonResourceURLs")


def _pick(rule: Document, fields: tuple[str, ...]) -> Document:
    return {field: rule[field] for field in fields if rule.get(field)}


def _judge(guard: Guard, user: User, asked: Asked) -> Document:
    decision = guard.authorizer.judge(user, asked)
    more = {"reason": decision.reason, "evaluationError": decision.error}
    return {"allowed": decision.is_allowed} | {field: words for field, words in more.items() if words}


def _read_asked(kind: Kind, spec: Document) -> Asked:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        rule = "cannot be specified in combination with resourceAttributes"
        _refuse(kind, FieldFault(Fault.INVALID, "spec.nonResourceAttributes", rule, path))
    if resource is not None:
        fields = ("group", "resource", "subresource", "namespace", "name")
        return Asked(resource.get("verb", ""), **{field: resource.get(field, "") for field in fields})
    if path is None:
        rule = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        _refuse(kind, FieldFault(Fault.INVALID, "spec.resourceAttributes", rule))
    return Asked(path.get("verb", ""), path=path.get("path", "") or "/")


def _read_user(spec: Document) -> User:
    extra = {name: tuple(values) for name, values in (spec.get("extra") or {}).items()}
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)


def _refuse(kind: Kind, fault: FieldFault) -> NoReturn:
    raise status.invalid(kind, "", [fault])


_ANSWERS: Final[dict[str, _Answer]] = {
    "TokenReview": _review_token,
    "SelfSubjectReview": _review_self,
    "SelfSubjectAccessReview": _review_own_access,
    "SelfSubjectRulesReview": _review_own_rules,
    "SubjectAccessReview": _review_access,
    "LocalSubjectAccessReview": _review_access,
}
