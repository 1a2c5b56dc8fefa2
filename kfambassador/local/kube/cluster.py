"""The cluster: all parts behind the HTTP face, joined."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kfambassador.local.kube import deletion, services
from kfambassador.local.kube.aggregation import Aggregation
from kfambassador.local.kube.authorization import CLUSTER_ROLES
from kfambassador.local.kube.catalog import Catalog
from kfambassador.local.kube.deletion import LASTING_NAMESPACES, Deletion
from kfambassador.local.kube.documents import Document, metadata_of, name_of
from kfambassador.local.kube.kinds import DEFINITIONS, NAMESPACES
from kfambassador.local.kube.options import WriteOptions
from kfambassador.local.kube.storage import Change, Indexer, Key, Store
from kfambassador.local.kube.watching import Watchers
from kfambassador.local.kube.writing import Place, Writing


def _of_services(values: Callable[[Document], list[str]]) -> Indexer:
    return lambda key, document: values(document) if key.resource == "services" else ()


_INDEXES: Final[dict[str, Indexer]] = {
    services.CLUSTER_IPS: _of_services(services.list_cluster_ips),
    services.NODE_PORTS: _of_services(services.list_node_ports),
    deletion.UIDS: lambda _, document: (metadata_of(document).get("uid", ""),),
    deletion.OWNERS: lambda _, document: deletion.list_owners(document),
}
#: Who owns the fields of objects that are there from the start, to server-side apply.
_FURNISHER: Final = "kube-apiserver"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster's state and the ways to change it."""

    store: Store
    catalog: Catalog
    watchers: Watchers
    deletion: Deletion
    writing: Writing


def open_cluster(path: Path | None, *, furniture: Iterable[Document] = ()) -> Cluster:
    """Open the cluster kept in a database file, or an empty one in memory.

    Args:
        path: The file; None keeps everything in memory.
        furniture: Objects outside namespaces, such as definitions, that are applied before anybody asks. One that
            already is as it should be is left alone.

    Raises:
        sqlite3.Error: When the database cannot be opened.
    """
    store = Store(path, indexes=_INDEXES)
    catalog = Catalog()
    removal = Deletion(store, tell_time)
    cluster = Cluster(store, catalog, Watchers(store), removal, Writing(store, removal, tell_time))

    def define() -> None:
        catalog.define(record.document for record in store.records(DEFINITIONS))

    def on_change(change: Change) -> None:
        if change.last.key.resource == DEFINITIONS:
            define()

    store.listen(on_change)
    store.listen(Aggregation(store, cluster.writing, catalog.served_as(CLUSTER_ROLES)[0]).follow)
    define()
    _found_namespaces(cluster)
    for document in furniture:
        _furnish(cluster, document)
    removal.resume()
    return cluster


def _found_namespaces(cluster: Cluster) -> None:
    kind = cluster.catalog.served_as(NAMESPACES)[0]
    for name in LASTING_NAMESPACES:
        if cluster.store.get(Key(NAMESPACES, "", name)) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            cluster.writing.create(Place(kind, ""), namespace, WriteOptions(manager="kube-apiserver"))


def _furnish(cluster: Cluster, document: Document) -> None:
    identity = (document["apiVersion"], document["kind"])
    kind = next(kind for kind in cluster.catalog if (kind.api_version, kind.name) == identity)
    cluster.writing.apply(Place(kind, "", name_of(document)), document, WriteOptions(manager=_FURNISHER, force=True))


def tell_time() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
