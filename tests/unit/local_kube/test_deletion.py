"""Deletion: what a server that was killed left undone is done by the next one."""

from pathlib import Path

from kfambassador.local.kube.cluster import Cluster, open_cluster
from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.requests.options import DeleteOptions, WriteOptions
from kfambassador.local.kube.store.storage import Key
from kfambassador.local.kube.writes.writing import Place


def key(name: str) -> Key:
    return Key("configmaps", "default", name)


def create(cluster: Cluster, name: str, owner: Document | None = None, **metadata: object) -> Document:
    kind = cluster.catalog.served_as("configmaps")[0]
    document: Document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    if owner:
        found = metadata_of(owner)
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": found["name"], "uid": found["uid"]}
        document["metadata"]["ownerReferences"] = [reference]
    return cluster.writing.create(Place(kind, "default"), document, WriteOptions()).document


def test_what_an_owner_left_behind_is_collected_at_the_start(tmp_path: Path) -> None:
    first = open_cluster(tmp_path / "db")
    owner = create(first, "owner")
    middle = create(first, "middle", owner)
    create(first, "last", middle)
    create(first, "free")
    first.store.remove(key("owner"), owner)  # as if the process had been killed just now
    first.store.close()
    second = open_cluster(tmp_path / "db")
    assert [record.key.name for record in second.store.records("configmaps")] == ["free"]
    second.store.close()


def test_a_deletion_in_the_foreground_goes_on_after_a_start(tmp_path: Path) -> None:
    first = open_cluster(tmp_path / "db")
    kind = first.catalog.served_as("configmaps")[0]
    create(first, "owned", create(first, "owner"), finalizers=["a.b/c"])
    first.deletion.delete(kind, key("owned"), DeleteOptions())
    owner = first.store.get(key("owner"))
    assert owner is not None
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["foregroundDeletion"]}
    first.store.put(owner.key, owner.document | {"metadata": metadata_of(owner.document) | going})
    first.store.close()
    second = open_cluster(tmp_path / "db")
    assert [record.key.name for record in second.store.records("configmaps")] == ["owned"]  # it did not block
    second.store.close()
