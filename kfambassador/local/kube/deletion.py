"""Deletion: finalizers, owned objects, and what lies inside a namespace or under a definition."""

from collections.abc import Callable, Iterator
from typing import Final

from kfambassador.local.kube import status
from kfambassador.local.kube.documents import Document, metadata_of, with_metadata
from kfambassador.local.kube.kinds import DEFINITIONS, NAMESPACES, Kind
from kfambassador.local.kube.options import DeleteOptions
from kfambassador.local.kube.storage import Key, Record, Store

#: The indexes by which an object and the objects it owns are found.
UIDS: Final = "uid"
OWNERS: Final = "owner"

#: The namespaces that are always there.
LASTING_NAMESPACES: Final = ("default", "kube-public", "kube-system")


def list_owners(document: Document) -> list[str]:
    """The uids of an object's owners."""
    return [owner["uid"] for owner in metadata_of(document).get("ownerReferences") or ()]


class Deletion:
    """Removes objects.

    Args:
        store: Where they are.
        clock: Tells the time as Kubernetes writes it.
    """

    def __init__(self, store: Store, clock: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock

    def resume(self) -> None:
        """Go on with the deletions that an earlier run of the server began."""
        for resource in self._store.resources():
            for record in self._store.records(resource):
                if is_going(record.document):
                    self._empty(record)

    def delete(self, kind: Kind, key: Key, options: DeleteOptions) -> Record:
        """Delete an object, or begin to where finalizers or contents stand in the way.

        Returns:
            Its last state, or its state while it is going.

        Raises:
            StatusError: When there is no such object, or it is not what the caller thought, or it has to stay.
        """
        record = self._store.get(key)
        if record is None:
            raise status.not_found(kind, key.name)
        _check_preconditions(kind, record, options)
        if key.resource == NAMESPACES and key.name in LASTING_NAMESPACES:
            raise status.forbidden(f'namespaces "{key.name}" is forbidden: this namespace may not be deleted')
        return record if options.dry_run else self._delete(record, policy=options.policy)

    def _delete(self, record: Record, *, policy: str) -> Record:
        if policy == "Orphan":
            self._orphan(record)
        if not metadata_of(record.document).get("finalizers") and not self._has_contents(record.key):
            return self._remove(record)
        going = record if is_going(record.document) else self._store.put(record.key, self._mark(record.document))
        self._empty(going)
        return going

    def _mark(self, document: Document) -> Document:
        marked = with_metadata(document, deletionTimestamp=self._clock(), deletionGracePeriodSeconds=0)
        return marked | {"status": {"phase": "Terminating"}} if document.get("kind") == "Namespace" else marked

    def finish(self, key: Key) -> None:
        """Remove an object that is going, once nothing stands in the way."""
        record = self._store.get(key)
        if record is None or not is_going(record.document) or metadata_of(record.document).get("finalizers"):
            return
        if not self._has_contents(key):
            self._remove(record)

    def _remove(self, record: Record) -> Record:
        removed = self._store.remove(record.key, record.document)
        self._collect(removed)
        self.finish(Key(NAMESPACES, "", record.key.namespace))
        self.finish(Key(DEFINITIONS, "", record.key.resource))
        return removed

    def _contents(self, key: Key) -> Iterator[Record]:
        if key.resource == DEFINITIONS:
            yield from self._store.records(key.name)
        elif key.resource == NAMESPACES:
            for resource in self._store.resources():
                yield from self._store.records(resource, key.name)

    def _has_contents(self, key: Key) -> bool:
        return next(self._contents(key), None) is not None

    def _empty(self, record: Record) -> None:
        for inside in list(self._contents(record.key)):
            if current := self._store.get(inside.key):
                self._delete(current, policy="Background")
        self.finish(record.key)

    def _collect(self, owner: Record) -> None:
        # Owned objects go with their last owner.
        for dependent in self._dependents(owner):
            others = [uid for uid in list_owners(dependent.document) if self._store.find(UIDS, uid)]
            if others:
                self._disown(dependent, owner)
            else:
                self._delete(dependent, policy="Background")

    def _orphan(self, owner: Record) -> None:
        for dependent in self._dependents(owner):
            self._disown(dependent, owner)

    def _dependents(self, owner: Record) -> Iterator[Record]:
        uid = metadata_of(owner.document).get("uid", "")
        for key in sorted(self._store.find(OWNERS, uid)):
            if record := self._store.get(key):
                yield record

    def _disown(self, dependent: Record, owner: Record) -> None:
        uid = metadata_of(owner.document)["uid"]
        kept = [each for each in metadata_of(dependent.document)["ownerReferences"] if each["uid"] != uid]
        self._store.put(dependent.key, with_metadata(dependent.document, ownerReferences=kept or None))


def is_going(document: Document) -> bool:
    """Whether an object is being deleted."""
    return "deletionTimestamp" in metadata_of(document)


def _check_preconditions(kind: Kind, record: Record, options: DeleteOptions) -> None:
    metadata = metadata_of(record.document)
    wanted = (("UID", options.uid, metadata["uid"]), ("ResourceVersion", options.version, metadata["resourceVersion"]))
    for field, expected, found in wanted:
        if expected and expected != found:
            because = f"Precondition failed: {field} in precondition: {expected}, {field} in object meta: {found}"
            raise status.conflict(kind, record.key.name, because)
