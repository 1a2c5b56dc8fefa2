"""The cluster: all parts behind the HTTP face, joined."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from kfambassador.local.kube.access.aggregation import Aggregation
from kfambassador.local.kube.access.authorization import CLUSTER_ROLES
from kfambassador.local.kube.documents.document import Document, metadata_of, name_of
from kfambassador.local.kube.kinds.kind import DEFINITIONS
from kfambassador.local.kube.registry import acceptance
from kfambassador.local.kube.registry.catalog import Catalog
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.store.storage import Change, Indexer, Store
from kfambassador.local.kube.store.turns import Turns
from kfambassador.local.kube.store.watching import Watchers
from kfambassador.local.kube.validation import services, workloads
from kfambassador.local.kube.writes import deletion
from kfambassador.local.kube.writes.deletion import Deletion
from kfambassador.local.kube.writes.founding import FOUNDER, Founding
from kfambassador.local.kube.writes.telling import Telling
from kfambassador.local.kube.writes.writing import Place, Writing


def _of_services(values: Callable[[Document], list[str]]) -> Indexer:
    return lambda key, document: values(document) if key.resource == "services" else ()


_INDEXES: Final[dict[str, Indexer]] = {
    services.CLUSTER_IPS: _of_services(services.list_cluster_ips),
    services.NODE_PORTS: _of_services(services.list_node_ports),
    workloads.ACCOUNTS: lambda key, _: (
        (workloads.name_account(key.namespace, key.name),) if key.resource == "serviceaccounts" else ()
    ),
    workloads.PRIORITIES: lambda key, _: (key.name,) if key.resource == "priorityclasses.scheduling.k8s.io" else (),
    deletion.UIDS: lambda _, document: (metadata_of(document).get("uid", ""),),
    acceptance.NAMES: lambda key, document: acceptance.list_names(document) if key.resource == DEFINITIONS else (),
    deletion.OWNERS: lambda _, document: deletion.list_owners(document),
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster's state and the ways to change it. Who changes it waits for a turn."""

    store: Store
    catalog: Catalog
    turns: Turns
    watchers: Watchers
    deletion: Deletion
    writing: Writing


def open_cluster(path: Path | None, *, furniture: Iterable[Document] = (), authority: str = "") -> Cluster:
    """Open the cluster kept in a database file, or an empty one in memory.

    Args:
        path: The file; None keeps everything in memory.
        authority: Who vouches for the API, in PEM; programs of every namespace find it in ``kube-root-ca.crt``. "" for
            nobody.
        furniture: Objects outside namespaces, such as definitions, that are applied before anybody asks. One that
            already is as it should be is left alone.

    Raises:
        sqlite3.Error: When the database cannot be opened.
    """
    store = Store(path, indexes=_INDEXES)
    catalog = Catalog()
    removal = Deletion(store, tell_time, catalog.is_served)
    cluster = Cluster(store, catalog, Turns(store), Watchers(store), removal, Writing(store, removal, tell_time))

    def define() -> None:
        catalog.define(record.document for record in store.records(DEFINITIONS))

    def on_change(change: Change) -> None:
        if change.last.key.resource == DEFINITIONS:
            define()
            _settle_names(cluster)

    store.listen(on_change)
    store.listen(Aggregation(store, cluster.writing, catalog.served_as(CLUSTER_ROLES)[0]).follow)
    define()
    founding = _make_founding(cluster, authority)
    store.listen(founding.follow)
    store.listen(Telling(store, cluster.writing, catalog.served_as("events")[0], tell_time).follow)
    founding.found()
    for document in furniture:
        _furnish(cluster, document)
    removal.resume()
    return cluster


def _make_founding(cluster: Cluster, authority: str) -> Founding:
    made = {"ConfigMap", "Namespace", "Service", "ServiceAccount"}
    kinds = {kind.name: kind for kind in cluster.catalog if kind.name in made and not kind.is_custom}
    return Founding(cluster.store, cluster.writing, kinds, authority)


def _settle_names(cluster: Cluster) -> None:
    """Give definitions that wait for a name the chance to have it."""
    kind = cluster.catalog.served_as(DEFINITIONS)[0]
    for record in cluster.store.records(DEFINITIONS):
        if acceptance.is_waiting(record.document):
            place = Place(kind, "", record.key.name, "status")
            cluster.writing.patch(place, lambda definition: definition, WriteOptions(manager=FOUNDER))


def _furnish(cluster: Cluster, document: Document) -> None:
    identity = (document["apiVersion"], document["kind"])
    kind = next(kind for kind in cluster.catalog if (kind.api_version, kind.name) == identity)
    cluster.writing.apply(Place(kind, "", name_of(document)), document, WriteOptions(manager=FOUNDER, force=True))


def tell_time() -> str:
    """The time as Kubernetes writes it."""
    return _write_time(int(time.time()))


@lru_cache(maxsize=1)
def _write_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
