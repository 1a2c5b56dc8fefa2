"""Telling: an Event beside each workload that nothing runs, which says why to whoever describes it."""

import contextlib
from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.store.storage import Change, Key, Record, StorageFailure, Store
from kfambassador.local.kube.validation.idle import IDLE, find_explanation
from kfambassador.local.kube.writes.writing import Place, Writing

#: Whose words these are.
_TELLER: Final = "kfambassador-local"
#: What a cluster's scheduler says of a Pod for which there is no node.
_UNSCHEDULED: Final = "FailedScheduling"
_RESOURCES: Final = frozenset(
    {
        *("daemonsets.apps", "deployments.apps", "replicasets.apps", "statefulsets.apps"),
        *("jobs.batch", "pods", "replicationcontrollers"),
    }
)
_LONGEST: Final = 200  # characters of a workload's name that its Event's name has


class Telling:
    """Keeps one Event for each workload whose status says that nothing runs it, as long as it says so.

    Args:
        store: Where the workloads are.
        writing: Writes the Events.
        kind: The kind of Events.
        clock: Tells the time as Kubernetes writes it.
    """

    def __init__(self, store: Store, writing: Writing, kind: Kind, clock: Callable[[], str]) -> None:
        self._store = store
        self._writing = writing
        self._kind = kind
        self._clock = clock

    def follow(self, change: Change) -> None:
        """Write the Event of a workload that nothing runs, or take it away where that is no longer said."""
        record = change.last
        if record.key.resource not in _RESOURCES:
            return
        why = find_explanation(record.document) if change.after else ""
        key = Key(self._kind.resource, record.key.namespace, _name(record))
        told = self._store.get(key)
        # What is not told, on a full disk or in a namespace that goes, stands in the status all the same.
        with contextlib.suppress(StatusError, StorageFailure):
            if why and told is None:
                options = WriteOptions(manager=_TELLER)
                self._writing.create(Place(self._kind, key.namespace), self._tell(record, key, why), options)
            elif told and not why:
                self._store.remove(key, told.document)

    def _tell(self, record: Record, key: Key, why: str) -> Document:
        workload, now = record.document, self._clock()
        metadata = metadata_of(workload)
        about = {field: metadata.get(field) for field in ("namespace", "name", "uid", "resourceVersion")}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": key.name, "namespace": key.namespace},
            "involvedObject": {"apiVersion": workload["apiVersion"], "kind": workload["kind"]} | about,
            "reason": _UNSCHEDULED if workload["kind"] == "Pod" else IDLE,
            "message": why,
            "type": "Warning",
            "source": {"component": _TELLER},
            "reportingComponent": _TELLER,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }


def _name(record: Record) -> str:
    uid = str(metadata_of(record.document).get("uid", "")).replace("-", "")
    return f"{record.key.name[:_LONGEST].rstrip('.-')}.{uid[:16]}"
