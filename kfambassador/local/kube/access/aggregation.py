"""Aggregation: ClusterRoles whose rules are those of others, found by their labels."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.access.authorization import CLUSTER_ROLES
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.selectors import Requirement, Selector
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.store.storage import Change, Store
from kfambassador.local.kube.writes.writing import Place, Writing

_MANAGER: Final = "clusterrole-aggregation-controller"


class Aggregation:
    """Keeps the rules of aggregated ClusterRoles.

    Args:
        store: Where the ClusterRoles are.
        writing: Writes them.
        kind: Their kind.
    """

    def __init__(self, store: Store, writing: Writing, kind: Kind) -> None:
        self._store = store
        self._writing = writing
        self._kind = kind

    def follow(self, change: Change) -> None:
        """Gather the rules anew when a ClusterRole changed."""
        if change.last.key.resource == CLUSTER_ROLES:
            self.gather()

    def gather(self) -> None:
        """Write the rules of all aggregated ClusterRoles that are not as they should be.

        Each write is a change that has them gathered again, until all are: a role may gather from one that gathers.
        """
        for record in self._store.records(CLUSTER_ROLES):
            current = self._store.get(record.key)
            if current is None or not current.document.get("aggregationRule"):
                continue
            rules = list(self._rules_of(current.document, current.key.name))
            if rules != (current.document.get("rules") or []):
                self._write(current.key.name, rules)

    def _write(self, name: str, rules: list[Document]) -> None:
        def change(role: Document) -> Document:
            return role | {"rules": rules}

        self._writing.patch(Place(self._kind, "", name), change, WriteOptions(manager=_MANAGER))

    def _rules_of(self, role: Document, name: str) -> Iterator[Document]:
        seen: list[Document] = []
        for selector in map(_read_selector, role["aggregationRule"].get("clusterRoleSelectors") or ()):
            for record in self._store.records(CLUSTER_ROLES):
                if record.key.name == name or not selector.matches(record.document):
                    continue
                fresh = [rule for rule in record.document.get("rules") or () if rule not in seen]
                seen += fresh
                yield from fresh


def _read_selector(source: Document) -> Selector:
    exact = [Requirement(key, frozenset({value})) for key, value in (source.get("matchLabels") or {}).items()]
    return Selector((*exact, *map(_read_expression, source.get("matchExpressions") or ())))


def _read_expression(source: Document) -> Requirement:
    operator = source["operator"]
    values = frozenset(source.get("values") or ()) if operator in {"In", "NotIn"} else None
    return Requirement(source["key"], values, is_negated=operator in {"NotIn", "DoesNotExist"})
