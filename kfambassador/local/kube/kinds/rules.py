"""Rules: what one rule of a Role lets its subjects do (Kubernetes, "Using RBAC Authorization"). Pure."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kfambassador.local.kube.documents.document import Document

ANY: Final = "*"

#: The rules of whoever may do everything.
EVERYTHING: Final[tuple[Document, ...]] = (
    {"apiGroups": [ANY], "resources": [ANY], "verbs": [ANY]},
    {"nonResourceURLs": [ANY], "verbs": [ANY]},
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to do.

    Attributes:
        verb: The verb: ``get``, ``list``, ``create``, ...; for a path the HTTP method in lower case.
        group: The API group, "" for core.
        resource: The resource, as ``services``; "" where a path is asked for.
        subresource: The subresource, "" for the object itself.
        namespace: The namespace, "" for what is in none and for all.
        name: The object's name, "" for none in particular.
        path: The path of what is no resource, as ``/version``.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """The resource with its subresource, as ``pods/portforward``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def allows(rule: Document, asked: Asked) -> bool:
    """Whether a rule allows what is asked.

    Example:
        >>> rule = {"apiGroups": [""], "resources": ["pods/*", "services"], "verbs": ["get"]}
        >>> allows(rule, Asked("get", resource="services")), allows(rule, Asked("get", resource="pods"))
        (True, False)
    """
    if not _has(_list(rule, "verbs"), asked.verb):
        return False
    if asked.path:
        return any(_matches_path(pattern, asked.path) for pattern in _list(rule, "nonResourceURLs"))
    names = _list(rule, "resourceNames")
    return (
        _has(_list(rule, "apiGroups"), asked.group)
        and _has_resource(_list(rule, "resources"), asked)
        and (not names or asked.name in names)
    )


def _list(rule: Document, field: str) -> list[str]:
    listed: list[str] = rule.get(field) or []
    return listed


def _has(listed: Iterable[str], wanted: str) -> bool:
    return any(entry in {ANY, wanted} for entry in listed)


def _has_resource(listed: list[str], asked: Asked) -> bool:
    # "*" is every resource and subresource, "*/scale" that subresource of every resource; "pods/*" means nothing.
    every = f"{ANY}/{asked.subresource}" if asked.subresource else ANY
    return any(entry in {ANY, asked.full_resource, every} for entry in listed)


def _matches_path(pattern: str, path: str) -> bool:
    return pattern in {ANY, path} or (pattern.endswith(ANY) and path.startswith(pattern.rstrip(ANY)))


def find_missing(held: Iterable[Document], wanted: Iterable[Document]) -> list[Document]:
    """What some rules allow and others do not.

    Args:
        held: The rules somebody has.
        wanted: The rules somebody wants to have.

    Returns:
        Rules of what is missing, each about one resource or path.

    Example:
        >>> held = [{"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}]
        >>> find_missing(held, [{"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list"]}])
        [{'apiGroups': [''], 'resources': ['services'], 'verbs': ['list']}]
    """
    owned = list(held)
    missing: dict[str, Document] = {}
    for single in (single for rule in wanted for single in _split(rule)):
        if not any(_covers(rule, single) for rule in owned):
            about = {field: value for field, value in single.items() if field != "verbs"}
            known = missing.setdefault(repr(about), about | {"verbs": []})
            known["verbs"] += [verb for verb in single["verbs"] if verb not in known["verbs"]]
    return list(missing.values())


def _split(rule: Document) -> Iterator[Document]:
    for verb in _list(rule, "verbs"):
        for url in _list(rule, "nonResourceURLs"):
            yield {"nonResourceURLs": [url], "verbs": [verb]}
        for group, resource in itertools.product(_list(rule, "apiGroups"), _list(rule, "resources")):
            single: Document = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
            names = _list(rule, "resourceNames")
            yield from ({"resourceNames": [name]} | single for name in names) if names else (single,)


def _covers(rule: Document, single: Document) -> bool:
    # What is asked for may hold "*" itself: that is covered by "*" only.
    (verb,) = single["verbs"]
    if urls := single.get("nonResourceURLs"):
        return allows(rule, Asked(verb, path=urls[0]))
    resource, _, subresource = single["resources"][0].partition("/")
    name = next(iter(single.get("resourceNames", ())), "")
    return allows(rule, Asked(verb, single["apiGroups"][0], resource, subresource, name=name))
