"""The catalog: which kinds are served now, built in or made by definitions."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.registry import definitions
from kfambassador.local.kube.registry.builtin import BUILTIN

_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Catalog:
    """The kinds by group, version and plural name."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._defined: dict[int, tuple[Document, list[Kind]]] = {}  # by the identity of the definition
        self.define(())

    def define(self, documents: Iterable[Document]) -> None:
        """Serve exactly the built-in kinds and those of the definitions given; the built-in ones win."""
        # What a kind has read of its schema it keeps while its definition stays the very same.
        old = self._defined
        self._defined = {
            id(document): old.get(id(document)) or (document, definitions.list_kinds(document))
            for document in documents
        }
        custom = [kind for _, kinds in self._defined.values() for kind in kinds]
        self._kinds = {(kind.group, kind.version, kind.plural): kind for kind in (*custom, *BUILTIN)}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind under a path, None when there is none."""
        return self._kinds.get((group, version, plural))

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def is_served(self, api_version: str, name: str) -> bool:
        """Whether a kind is served, by its API version and its name."""
        return any((kind.api_version, kind.name) == (api_version, name) for kind in self)

    def kinds_of(self, group: str, version: str) -> list[Kind]:
        """The kinds of one group and version."""
        return [kind for kind in self if (kind.group, kind.version) == (group, version)]

    def versions(self) -> dict[str, list[str]]:
        """The versions of each group, the preferred one first; the core group first of all."""
        found: dict[str, set[str]] = {}
        for kind in self:
            found.setdefault(kind.group, set()).add(kind.version)
        return {group: sorted(found[group], key=rank_version) for group in sorted(found)}

    def served_as(self, resource: str) -> list[Kind]:
        """The versions a resource is served in."""
        return [kind for kind in self if kind.resource == resource]


def rank_version(version: str) -> tuple[int, int, int, str]:
    """Sort key that puts v2 before v1 before v1beta1 before v1alpha1 before anything else.

    Example:
        >>> sorted(["v1alpha1", "v1", "odd", "v2", "v1beta2"], key=rank_version)
        ['v2', 'v1', 'v1beta2', 'v1alpha1', 'odd']
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        return (3, 0, 0, version)
    stability = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stability, -int(match[1]), -int(match[3] or 0), version)
