"""Asking: what a request wants to do, in the words that roles use. Pure."""

from collections.abc import Mapping
from typing import Final

from kfambassador.local.kube.documents.selectors import exact_name
from kfambassador.local.kube.kinds.kind import NAMESPACES
from kfambassador.local.kube.kinds.rules import Asked
from kfambassador.local.kube.registry.routes import Route, split_path
from kfambassador.local.kube.requests.queries import read_flag

_VERBS: Final = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def ask_of_route(route: Route, method: str, query: Mapping[str, str]) -> Asked:
    """What a request for an object or a collection wants to do.

    A namespace lies within itself: a Role there may let somebody get it.
    """
    kind, verb, name = route.kind, _VERBS.get(method, ""), route.name
    if verb == "get" and (not name or is_watched(route, query)):
        verb = "watch" if is_watched(route, query) else "list"
        name = name or exact_name(query.get("fieldSelector", ""))
    elif verb == "delete" and not name:
        verb = "deletecollection"
    namespace = route.name if kind.resource == NAMESPACES else route.namespace
    return Asked(verb, kind.group, kind.plural, route.subresource, namespace, name)


def is_watched(route: Route, query: Mapping[str, str]) -> bool:
    """Whether a request that reads wants to be told of changes."""
    return route.is_watch or read_flag(query, "watch")


def ask_of_path(path: str, method: str) -> Asked:
    """What a request for a path wants to do, where nothing is known to be under it.

    Example:
        >>> ask_of_path("/apis", "GET").path, ask_of_path("/apis/apps/v1/namespaces/a/x/y", "GET").resource
        ('/apis', 'x')
    """
    group, version, rest = split_path(path)
    if not (path.startswith(("/api/", "/apis/")) and version and rest):
        return Asked(method.lower(), path=path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        rest = rest[2:] or rest
    resource, name, subresource = (*rest, "", "")[:3]
    verb = _VERBS.get(method, "")
    return Asked("list" if verb == "get" and not name else verb, group, resource, subresource, namespace, name)
