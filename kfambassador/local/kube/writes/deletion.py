"""Deletion: finalizers, owned objects, and what lies inside a namespace or under a definition.

A cluster's garbage collector and namespace controller do at their leisure what is done here before the request is
answered. What follows from a deletion is noted and worked off one object after the other, however long a chain of
owners is; what a full disk or a killed process leaves undone is taken up by the next write or the next start.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from enum import Enum
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json, encode, metadata_of, with_metadata
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import DEFINITIONS, NAMESPACES, Kind
from kfambassador.local.kube.requests.options import DeleteOptions
from kfambassador.local.kube.store.storage import Key, Record, StorageFailure, Store
from kfambassador.local.kube.writes.terminating import describe_contents

#: The indexes by which an object and the objects it owns are found.
UIDS: Final = "uid"
OWNERS: Final = "owner"

#: The namespaces that are always there.
LASTING_NAMESPACES: Final = ("default", "kube-public", "kube-system")

#: The finalizers by which an object says what becomes of those it owns.
ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"

#: Kinds whose objects leave what they own behind, where a delete does not say otherwise.
_ORPHANING: Final = frozenset({"jobs.batch", "replicationcontrollers"})
#: Kinds whose objects no garbage collector looks at.
_UNCOLLECTED: Final = frozenset({"events", "events.events.k8s.io"})


class _Owner(Enum):
    """What became of an owner."""

    THERE = "there"
    WAITING = "waiting"  # it goes as soon as those it owns are gone
    GONE = "gone"
    UNKNOWN = "unknown"  # of a kind that is not served: nobody can tell


def list_owners(document: Document) -> list[str]:
    """The uids of an object's owners."""
    return [owner["uid"] for owner in metadata_of(document).get("ownerReferences") or ()]


class Deletion:
    """Removes objects.

    Args:
        store: Where they are.
        clock: Tells the time as Kubernetes writes it.
        is_served: Whether a kind is served, by its API version and its name.
    """

    def __init__(self, store: Store, clock: Callable[[], str], is_served: Callable[[str, str], bool]) -> None:
        self._store = store
        self._clock = clock
        self._is_served = is_served
        self._pending: dict[Key, None] = {}

    def resume(self) -> None:
        """Go on with the deletions that an earlier run of the server began."""
        for resource in self._store.resources():
            for record in self._store.records(resource):
                if is_going(record.document) or list_owners(record.document):
                    self._note(record.key)
        self._work()

    def delete(self, kind: Kind, key: Key, options: DeleteOptions) -> Record:
        """Delete an object, or begin to where finalizers or contents stand in the way.

        Returns:
            Its last state, or its state while it is going.

        Raises:
            StatusError: When there is no such object, or it is not what the caller thought, or it has to stay.
        """
        outcome = self._delete(kind, key, options)
        self._work()
        return outcome

    def delete_all(self, kind: Kind, keys: Iterable[Key], options: DeleteOptions) -> None:
        """Delete objects, one after the other; what went with one before need not be deleted again.

        Raises:
            StatusError: When one of them is not what the caller thought, or has to stay; those before it are deleted.
        """
        self._store.do(self._delete_each(kind, keys, options))

    def _delete_each(self, kind: Kind, keys: Iterable[Key], options: DeleteOptions) -> Iterator[None]:
        for key in keys:
            if self._store.get(key):
                self._delete(kind, key, options)
                yield from self._steps()

    def _delete(self, kind: Kind, key: Key, options: DeleteOptions) -> Record:
        record = self._store.get(key)
        if record is None:
            raise status.not_found(kind, key.name)
        _check_preconditions(kind, record, options)
        if key.resource == NAMESPACES and key.name in LASTING_NAMESPACES:
            raise status.forbidden(f'namespaces "{key.name}" is forbidden: this namespace may not be deleted')
        policy = options.policy or ("Orphan" if key.resource in _ORPHANING and not _policy_of(record) else "")
        if options.dry_run:
            finalizers = _choose_finalizers(record, policy)
            stays = finalizers or self._has_contents(key)
            document = self._mark(record.document, finalizers) if stays else record.document
            return Record(key, record.version, document, encode(document))
        return self._begin(record, policy)

    def reaches_far(self, record: Record | None) -> bool:
        """Whether much else may go or change with an object, None for one that is not there yet."""
        if record is None:
            return bool(self._pending)
        return (
            bool(self._pending)
            or is_going(record.document)
            or bool(self._store.find(OWNERS, metadata_of(record.document).get("uid", "")))
            or self._has_contents(record.key)
        )

    def may_go(self, key: Key, document: Document) -> bool:
        """Whether nothing stands in the way of an object that is going, as it would be after a write."""
        if not is_going(document) or metadata_of(document).get("finalizers"):
            return False
        return _is_finalized(key, document) or not self._has_contents(key)

    def remove(self, record: Record) -> None:
        """Remove an object that may go, and do what follows from it."""
        self._remove(record)
        self._work()

    def settle(self, key: Key, document: Document, before: Document | None) -> None:
        """Do what follows from a write.

        Args:
            key: Where the object is.
            document: The object.
            before: The object as it was, None when it is new.
        """
        left = list_owners(before) if before else []
        if left or list_owners(document) or is_going(document):
            self._note(key, *(owner for uid in left for owner in self._store.find(UIDS, uid)))
        self._work()

    def _note(self, *keys: Key) -> None:
        self._pending |= dict.fromkeys(keys)

    def _work(self) -> None:
        if self._pending:
            self._store.do(self._steps())

    def _steps(self) -> Iterator[None]:
        # There may be much to do: after each step somebody else may be heard.
        while self._pending:
            key, _ = self._pending.popitem()
            try:
                yield from self._advance(key)
            except StorageFailure:
                self._note(key)
                return  # the write that led here was kept; what follows from it is tried again with the next one
            yield

    def _advance(self, key: Key) -> Iterator[None]:
        record = self._store.get(key)
        if record is None:
            return
        if not is_going(record.document):
            self._weigh(record)
            return
        for inside in list(self._contents(key)):
            if current := self._store.get(inside.key):
                self._begin(current, "Background")
                yield
        record = self._explain(record)
        policy = _policy_of(record)
        if policy == "Orphan":
            yield from self._orphan(record)
        elif policy == "Foreground":
            record = yield from self._collect(record)
        if policy and not self._is_blocked(record):
            kept = [each for each in _finalizers(record) if each not in {ORPHAN, FOREGROUND}]
            released = with_metadata(record.document, finalizers=[*kept] or None)
            if not self.may_go(key, released):
                self._store.put(key, released)
                return
            self._remove(record)  # whoever watches sees it go, without a last change by which it might
        elif self.may_go(key, record.document):
            self._remove(record)

    def _explain(self, record: Record) -> Record:
        # A namespace says what is left in it, so that somebody learns why it does not go.
        contents = list(self._contents(record.key)) if record.key.resource == NAMESPACES else []
        if not contents:
            return record
        described = describe_contents(record.document, contents, now=self._clock())
        document = record.document | {"status": described}
        return record if document == record.document else self._store.put(record.key, document)

    def _begin(self, record: Record, policy: str) -> Record:
        finalizers = _choose_finalizers(record, policy)
        if not finalizers and not self._has_contents(record.key):
            return self._remove(record)
        marked = self._mark(record.document, finalizers)
        going = record if marked == record.document else self._store.put(record.key, marked)
        self._note(record.key)
        return going

    def _mark(self, document: Document, finalizers: list[str]) -> Document:
        changes: dict[str, Json] = {"finalizers": [*finalizers] or None}
        if not is_going(document):
            changes |= {"deletionTimestamp": self._clock(), "deletionGracePeriodSeconds": 0}
            if generation := metadata_of(document).get("generation"):
                changes["generation"] = generation + 1
        marked = with_metadata(document, **changes)
        if document.get("kind") != "Namespace":
            return marked
        return marked | {"status": (document.get("status") or {}) | {"phase": "Terminating"}}

    def _remove(self, record: Record) -> Record:
        removed = self._store.remove(record.key, record.document)
        self._note(Key(NAMESPACES, "", record.key.namespace), Key(DEFINITIONS, "", record.key.resource))
        self._note(*(owner for uid in list_owners(record.document) for owner in self._store.find(UIDS, uid)))
        self._note(*self._store.find(OWNERS, metadata_of(record.document).get("uid", "")))
        return removed

    def _contents(self, key: Key) -> Iterator[Record]:
        if key.resource == DEFINITIONS:
            yield from self._store.records(key.name)
        elif key.resource == NAMESPACES:
            for resource in self._store.resources():
                yield from self._store.records(resource, key.name)

    def _has_contents(self, key: Key) -> bool:
        if key.resource == DEFINITIONS:
            return not self._store.is_empty(key.name)
        inside = self._store.resources() if key.resource == NAMESPACES else ()
        return any(not self._store.is_empty(resource, key.name) for resource in inside)

    def _weigh(self, record: Record) -> None:
        # An object goes with its last owner; one that keeps another owner loses the mention of those that are gone.
        references: list[Document] = metadata_of(record.document).get("ownerReferences") or []
        found = [self._find_owner(record, reference) for reference in references]
        if not references or record.key.resource in _UNCOLLECTED:
            return
        if _Owner.THERE in found:
            left = {_Owner.THERE, _Owner.UNKNOWN}
            kept: Json = [reference for reference, owner in zip(references, found, strict=True) if owner in left]
            if kept != references:
                self._store.put(record.key, with_metadata(record.document, ownerReferences=kept))
        elif _Owner.UNKNOWN not in found:
            waits = _Owner.WAITING in found and next(self._dependents(record), None) is not None
            self._begin(record, "Foreground" if waits else _policy_of(record) or "Background")

    def _find_owner(self, record: Record, reference: Document) -> _Owner:
        for key in self._store.find(UIDS, reference["uid"]):
            owner = self._store.get(key)
            if owner and key.namespace in {"", record.key.namespace} and _is_meant(owner, reference):
                waits = is_going(owner.document) and FOREGROUND in _finalizers(owner)
                return _Owner.WAITING if waits else _Owner.THERE
        is_known = self._is_served(reference.get("apiVersion", ""), reference.get("kind", ""))
        return _Owner.GONE if is_known else _Owner.UNKNOWN

    def _collect(self, owner: Record) -> Generator[None, None, Record]:
        for dependent in self._dependents(owner):
            if not is_going(dependent.document):
                self._weigh(dependent)
            elif FOREGROUND in _finalizers(dependent):
                owner = self._unblock(owner)  # they may own each other: one of them has to go first
            yield
        return owner

    def _is_blocked(self, owner: Record) -> bool:
        if _policy_of(owner) != "Foreground":
            return False
        uid = metadata_of(owner.document).get("uid")
        return any(
            reference["uid"] == uid and reference.get("blockOwnerDeletion")
            for dependent in self._dependents(owner)
            for reference in metadata_of(dependent.document)["ownerReferences"]
        )

    def _unblock(self, record: Record) -> Record:
        references: list[Document] = metadata_of(record.document).get("ownerReferences") or []
        if not any(reference.get("blockOwnerDeletion") for reference in references):
            return record
        self._note(*(owner for uid in list_owners(record.document) for owner in self._store.find(UIDS, uid)))
        free: Json = [reference | {"blockOwnerDeletion": False} for reference in references]
        return self._store.put(record.key, with_metadata(record.document, ownerReferences=free))

    def _orphan(self, owner: Record) -> Iterator[None]:
        uid = metadata_of(owner.document)["uid"]
        for dependent in self._dependents(owner):
            kept = [each for each in metadata_of(dependent.document)["ownerReferences"] if each["uid"] != uid]
            self._store.put(dependent.key, with_metadata(dependent.document, ownerReferences=kept or None))
            yield

    def _dependents(self, owner: Record) -> Iterator[Record]:
        uid = metadata_of(owner.document).get("uid", "")
        for key in sorted(self._store.find(OWNERS, uid)):
            if record := self._store.get(key):
                yield record


def is_going(document: Document) -> bool:
    """Whether an object is being deleted."""
    return "deletionTimestamp" in metadata_of(document)


def _is_finalized(key: Key, document: Document) -> bool:
    # Somebody said of a namespace that nothing has to be done any more, whatever is left in it.
    return key.resource == NAMESPACES and not (document.get("spec") or {}).get("finalizers")


def _finalizers(record: Record) -> list[str]:
    return list(metadata_of(record.document).get("finalizers") or ())


def _policy_of(record: Record) -> str:
    """What the object itself says becomes of those it owns, "" for nothing."""
    finalizers = _finalizers(record)
    return "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else ""


def _choose_finalizers(record: Record, policy: str) -> list[str]:
    others = [each for each in _finalizers(record) if each not in {ORPHAN, FOREGROUND}]
    added = {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy or _policy_of(record), [])
    return [*others, *added]


def _is_meant(owner: Record, reference: Document) -> bool:
    document = owner.document
    group, found = (str(each.get("apiVersion", "")).rpartition("/")[0] for each in (document, reference))
    return (group, document.get("kind"), owner.key.name) == (found, reference.get("kind"), reference.get("name"))


def _check_preconditions(kind: Kind, record: Record, options: DeleteOptions) -> None:
    metadata, name = metadata_of(record.document), record.key.name
    if options.uid and options.uid != metadata["uid"]:
        because = f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']})"
        raise status.conflict(kind, name, f"{because}. The object might have been deleted and then recreated")
    if options.version and options.version != metadata["resourceVersion"]:
        asked, found = options.version, metadata["resourceVersion"]
        because = f"the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record"
        raise status.conflict(kind, name, f"{because} ({found}). The object might have been modified")
