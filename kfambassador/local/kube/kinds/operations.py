"""Operations: what may be asked under the paths of a kind, as OpenAPI v3 says it. Pure."""

from collections.abc import Sequence
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.kind import Kind

_TEXT: Final[Document] = {"type": "string"}
_NUMBER: Final[Document] = {"type": "integer"}
_FLAG: Final[Document] = {"type": "boolean"}
#: The parameters of queries, by what they hold.
_PARAMETERS: Final[dict[str, tuple[Document, str]]] = {
    "pretty": (_TEXT, "Taken, and without effect."),
    "dryRun": (_TEXT, "All: everything is done but storing the result."),
    "fieldManager": (_TEXT, "Who owns the fields that are written."),
    "fieldValidation": (_TEXT, "What is done about unknown fields: Strict refuses, Warn warns, Ignore drops them."),
    "force": (_FLAG, "Whether an apply takes over the fields of others."),
    "allowWatchBookmarks": (_FLAG, "Whether a watch tells of the progress of versions."),
    "continue": (_TEXT, "Where the last page of a list ended."),
    "fieldSelector": (_TEXT, "Which objects are wanted, by their fields."),
    "labelSelector": (_TEXT, "Which objects are wanted, by their labels."),
    "limit": (_NUMBER, "How many objects a page of a list has at most."),
    "resourceVersion": (_TEXT, "From which version on."),
    "resourceVersionMatch": (_TEXT, "How the version is meant: Exact or NotOlderThan."),
    "sendInitialEvents": (_FLAG, "Whether a watch begins with the objects there are."),
    "timeoutSeconds": (_NUMBER, "How long a watch lasts, in seconds."),
    "watch": (_FLAG, "Whether changes are told as they come."),
    "gracePeriodSeconds": (_NUMBER, "How long an object may take to end, in seconds."),
    "orphanDependents": (_FLAG, "Whether what the object owns stays; propagationPolicy is its successor."),
    "propagationPolicy": (_TEXT, "What becomes of what the object owns: Orphan, Background or Foreground."),
}
_WRITING: Final = ("dryRun", "fieldManager", "fieldValidation")
_DELETING: Final = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_LISTING: Final = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
#: What each action may be given in its query.
_QUERIES: Final[dict[str, tuple[str, ...]]] = {
    "post": _WRITING,
    "put": _WRITING,
    "patch": (*_WRITING, "force"),
    "delete": _DELETING,
    "list": _LISTING,
    "deletecollection": (*_DELETING, *_LISTING[:-1]),
    "get": (),
}
#: The method of the actions that have another name.
_METHODS: Final = {"list": "get", "deletecollection": "delete"}
_JSON: Final = "application/json"
_STRATEGIC: Final = "application/strategic-merge-patch+json"
_PATCHES: Final = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")


def describe_paths(kind: Kind, reference: Document) -> Document:
    """What may be asked under each path of a kind.

    Args:
        kind: The kind.
        reference: Refers to the schema of its objects.
    """
    everywhere = f"{kind.path}/{kind.plural}"
    base = f"{kind.path}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else everywhere
    actions = _list_actions(kind)
    paths = {
        base: _describe(kind, reference, [each for each in ("list", "post", "deletecollection") if each in actions])
    }
    if kind.is_question:
        return paths
    one = [each for each in ("get", "put", "patch", "delete") if each in actions]
    paths[f"{base}/{{name}}"] = _describe(kind, reference, one)
    if kind.has_status:
        paths[f"{base}/{{name}}/status"] = _describe(kind, reference, ["get", "put", "patch"])
    for below in kind.subresources:
        asked = [action for action, verb in _VERBS.items() if verb in below.verbs and action != "list"]
        identity = {"group": below.group, "version": below.version, "kind": below.kind}
        paths[f"{base}/{{name}}/{below.name}"] = _describe(kind, {"type": "object"}, asked, identity)
    if kind.namespaced:
        paths[everywhere] = _describe(kind, reference, ["list"])
    return paths


_VERBS: Final = {
    "list": "list",
    "get": "get",
    "post": "create",
    "put": "update",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "deletecollection",
}


def _list_actions(kind: Kind) -> set[str]:
    return {action for action, verb in _VERBS.items() if verb in kind.verbs}


def _describe(kind: Kind, reference: Document, actions: Sequence[str], identity: Document | None = None) -> Document:
    own = {"group": kind.group, "version": kind.version, "kind": kind.name}
    described = {"x-kubernetes-group-version-kind": identity or own}
    # kubectl sends what it finds here, and custom resources know no merge keys.
    patches = _PATCHES if kind.is_custom else (*_PATCHES, _STRATEGIC)
    return {_METHODS.get(action, action): described | _operate(action, reference, patches) for action in actions}


def _operate(action: str, reference: Document, patches: Sequence[str]) -> Document:
    operation: Document = {
        "x-kubernetes-action": action,
        "parameters": [_parameter(name) for name in ("pretty", *_QUERIES[action])],
        "responses": {"200": {"description": "OK", "content": {_JSON: {"schema": reference}}}},
    }
    if action in {"post", "put"}:
        operation["requestBody"] = {"content": {_JSON: {"schema": reference}}, "required": True}
    elif action == "patch":
        # A patch is no object of the kind; what it makes of one is.
        operation["requestBody"] = {"content": {media: {"schema": {"type": "object"}} for media in patches}}
    return operation


def _parameter(name: str) -> Document:
    schema, description = _PARAMETERS[name]
    return {"name": name, "in": "query", "description": description, "schema": schema}
