"""Routes: what a path of the API means. Pure."""

from dataclasses import dataclass

from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.registry.catalog import Catalog

_CORE_HEAD = 2  # /api/v1
_GROUP_HEAD = 3  # /apis/GROUP/VERSION


@dataclass(frozen=True, slots=True)
class Route:
    """An object or a collection of objects.

    Attributes:
        kind: The kind, in the version of the path.
        namespace: The namespace, "" for none or all.
        name: The object's name, "" for the collection.
        subresource: What follows the name, "" for the object itself.
        is_watch: Whether the path itself asks for a watch, as in the first versions of Kubernetes.
    """

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    is_watch: bool = False


def split_path(path: str) -> tuple[str, str, list[str]]:
    """Split a path into group, version and what follows; the version is "" when the path has none.

    Example:
        >>> split_path("/apis/apps/v1/deployments/x")
        ('apps', 'v1', ['deployments', 'x'])
    """
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        return "", parts[1] if len(parts) > 1 else "", parts[_CORE_HEAD:]
    group, version = (*parts[1:_GROUP_HEAD], "", "")[:2]
    return group, version, parts[_GROUP_HEAD:]


def find_route(catalog: Catalog, path: str) -> Route | None:
    """Find what a path means.

    Returns:
        The route, None when nothing is served under the path.
    """
    group, version, rest = split_path(path)
    is_watch, rest = rest[:1] == ["watch"], rest[1:] if rest[:1] == ["watch"] else rest
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[1] and catalog.find(group, version, rest[2]):  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3 or not all(rest):  # noqa: PLR2004 - resource, name, subresource
        return None
    kind = catalog.find(group, version, rest[0])
    if kind is None or (namespace and not kind.namespaced):
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    if name and kind.namespaced and not namespace:
        return None
    if not _is_known(kind, subresource) or (is_watch and (subresource or "watch" not in kind.verbs)):
        return None
    return Route(kind, namespace, name, subresource, is_watch)


def _is_known(kind: Kind, subresource: str) -> bool:
    if subresource in {"", "status"}:
        return subresource == "" or kind.has_status
    return any(subresource == known.name for known in kind.subresources)
