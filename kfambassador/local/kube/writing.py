"""Writing: create, replace, patch and apply, from what a caller sends to what the store holds."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from kfambassador.local.kube import ownership, status
from kfambassador.local.kube.deletion import Deletion, is_going
from kfambassador.local.kube.documents import Document, Json, metadata_of, name_of, namespace_of, with_metadata, without
from kfambassador.local.kube.kinds import NAMESPACES, Kind
from kfambassador.local.kube.options import WriteOptions
from kfambassador.local.kube.ownership import ApplyConflict, Owner
from kfambassador.local.kube.preparation import prepare, read_document
from kfambassador.local.kube.storage import Key, Record, Store

# Without vowels and look-alikes, so that no generated name is a word.
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX: Final = 5
_LONGEST_PREFIX: Final = 253 - _SUFFIX
#: Metadata the server alone writes; it survives whatever a caller sends.
_SERVER_OWNED: Final = (
    *("name", "namespace", "uid", "creationTimestamp", "generation"),
    *("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write.

    Attributes:
        document: The object as it is now, or would be.
        record: The same as the store holds it, None for a dry run.
        created: Whether it is new.
        warnings: What the caller should know.
    """

    document: Document
    record: Record | None = None
    created: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller writes.

    Attributes:
        kind: The kind, in the version of the request.
        namespace: The namespace, "" for none.
        name: The name in the path, "" where there is none.
        subresource: ``status`` or "".
    """

    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """Where the object is in the store."""
        return Key(self.kind.resource, self.namespace, self.name)


class Writing:
    """Writes objects.

    Args:
        store: Where they go.
        deletion: Finishes what a write lets go.
        clock: Tells the time as Kubernetes writes it.
    """

    def __init__(self, store: Store, deletion: Deletion, clock: Callable[[], str]) -> None:
        self._store = store
        self._deletion = deletion
        self._clock = clock

    def create(self, place: Place, document: Document, options: WriteOptions) -> Written:
        """Create an object.

        Raises:
            StatusError: When the object is refused.
        """
        named = self._name(check_identity(place, document))
        place = Place(place.kind, place.namespace, name_of(named), place.subresource)
        if name_of(named) and self._store.get(place.key):
            raise status.already_exists(place.kind, place.name)
        owner = Owner(options.manager, "Update", place.kind.api_version)
        return self._insert(
            place,
            named,
            options,
            lambda ready: ownership.record_update(
                place.kind.schema, ready, before=None, owner=owner, now=self._clock()
            ),
        )

    def replace(self, place: Place, document: Document, options: WriteOptions) -> Written:
        """Replace an object, if it still is the one the caller read.

        Raises:
            StatusError: When there is no such object, when it changed, or when the new one is refused.
        """
        before = self._find(place)
        return self._update(place, before, check_identity(place, document), options)

    def patch(self, place: Place, change: Callable[[Document], Document], options: WriteOptions) -> Written:
        """Change an object by a function of its present state.

        Raises:
            StatusError: When there is no such object, or when the result is refused.
        """
        before = self._find(place)
        document = change(served(place.kind, before.document))
        return self._update(place, before, check_identity(place, document), options)

    def apply(self, place: Place, document: Document, options: WriteOptions) -> Written:
        """Apply a configuration on the server's side: create the object or merge into it.

        Raises:
            StatusError: When fields of others would change unforced, or when the result is refused.
        """
        kind, document = place.kind, check_identity(place, document)
        if metadata_of(document).get("managedFields"):
            raise status.bad_request("metadata.managedFields must be nil")
        read = read_document(kind, document, validation=options.validation)
        wanted = _restrict(read.document, place)
        owner = Owner(options.manager, "Apply", kind.api_version, place.subresource)
        before = self._store.get(place.key)
        live = served(kind, before.document) if before else None
        try:
            applied = ownership.apply(kind.schema, live, wanted, owner=owner, force=options.force)
        except ApplyConflict as error:
            raise status.apply_conflict(error) from error

        def own(ready: Document) -> Document:
            return ownership.with_owners(ready, applied.owners, before=live, now=self._clock())

        if before is None and place.subresource:
            raise status.not_found(kind, place.name)
        if before is None:
            written = self._insert(place, with_metadata(applied.document, name=place.name), options, own)
        else:
            _check_version(kind, document, before)
            written = self._store_changed(place, before, applied.document, options, own)
        return replace(written, warnings=read.warnings)

    def _find(self, place: Place) -> Record:
        record = self._store.get(place.key)
        if record is None:
            raise status.not_found(place.kind, place.name)
        return record

    def _name(self, document: Document) -> Document:
        prefix = metadata_of(document).get("generateName")
        if name_of(document) or not isinstance(prefix, str):
            return document
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))
        return with_metadata(document, name=prefix[:_LONGEST_PREFIX] + suffix)

    def _insert(
        self, place: Place, document: Document, options: WriteOptions, own: Callable[[Document], Document]
    ) -> Written:
        kind = place.kind
        if metadata_of(document).get("resourceVersion"):
            raise status.bad_request("resourceVersion should not be set on objects to be created")
        self._check_namespace(place)
        fresh = with_metadata(
            without(document, "status") if kind.has_status else document,
            namespace=place.namespace or None,
            uid=str(uuid.uuid4()),
            creationTimestamp=self._clock(),
            generation=1 if kind.counts_generation else None,
            deletionTimestamp=None,
            deletionGracePeriodSeconds=None,
            resourceVersion=None,
            managedFields=None,
        )
        prepared = prepare(kind, fresh, before=None, index=self._store, validation=options.validation)
        document = own(prepared.document)
        options.permit(document, None)
        record = None if options.dry_run else self._put(place, document)
        return Written(document, record, created=True, warnings=prepared.warnings)

    def _check_namespace(self, place: Place) -> None:
        if not place.kind.namespaced:
            return
        namespace = self._store.get(Key(NAMESPACES, "", place.namespace))
        if namespace is None:
            raise status.no_such_namespace(place.namespace)
        if is_going(namespace.document):
            raise status.namespace_terminating(place.kind, place.name, place.namespace)

    def _update(self, place: Place, before: Record, document: Document, options: WriteOptions) -> Written:
        _check_version(place.kind, document, before)
        owner = Owner(options.manager, "Update", place.kind.api_version, place.subresource)
        live = served(place.kind, before.document)

        def own(ready: Document) -> Document:
            return ownership.record_update(place.kind.schema, ready, before=live, owner=owner, now=self._clock())

        return self._store_changed(place, before, document, options, own)

    def _store_changed(
        self,
        place: Place,
        before: Record,
        document: Document,
        options: WriteOptions,
        own: Callable[[Document], Document],
    ) -> Written:
        kind, live = place.kind, served(place.kind, before.document)
        document = _carry(place, document, live)
        prepared = prepare(kind, document, before=live, index=self._store, validation=options.validation)
        document = own(_count(kind, prepared.document, live))
        options.permit(document, live)
        if document == live:
            return Written(live, before, warnings=prepared.warnings)
        if options.dry_run:
            return Written(document, warnings=prepared.warnings)
        record = self._put(place, document)
        self._deletion.finish(place.key)
        return Written(document, record, warnings=prepared.warnings)

    def _put(self, place: Place, document: Document) -> Record:
        return self._store.put(place.key, document | {"apiVersion": place.kind.stored_api_version})


def served(kind: Kind, document: Document) -> Document:
    """A stored object in the version of a request."""
    if document.get("apiVersion") == kind.api_version:
        return document
    return document | {"apiVersion": kind.api_version}


def check_identity(place: Place, document: Document) -> Document:
    """See that an object is what its path says; an answer is the object itself.

    Raises:
        StatusError: When it is another.
    """
    kind = place.kind
    found = (document.get("apiVersion"), document.get("kind"))
    if found != (kind.api_version, kind.name):
        wanted = f"{kind.api_version}, Kind={kind.name}"
        message = f"the API version in the data ({found[0]}, Kind={found[1]}) does not match the expected ({wanted})"
        raise status.bad_request(message)
    metadata = document.get("metadata")
    if not isinstance(metadata, dict | None):
        raise status.bad_request("metadata must be an object")
    namespace, name = namespace_of(document), name_of(document)
    if place.name and name not in {"", place.name}:
        message = f"the name of the object ({name}) does not match the name on the URL ({place.name})"
        raise status.bad_request(message)
    if namespace not in {"", place.namespace}:
        message = "the namespace of the provided object does not match the namespace sent on the request"
        raise status.bad_request(message)
    return document


def _check_version(kind: Kind, document: Document, before: Record) -> None:
    metadata, current = metadata_of(document), metadata_of(before.document)
    if metadata.get("uid") not in (None, "", current["uid"]):
        found = f"UID in precondition: {metadata['uid']}, UID in object meta: {current['uid']}"
        raise status.conflict(kind, before.key.name, f"Precondition failed: {found}")
    if metadata.get("resourceVersion") not in (None, "", current["resourceVersion"]):
        raise status.modified(kind, before.key.name)


def _restrict(document: Document, place: Place) -> Document:
    # What an apply may own: the status through its subresource, everything else through the object.
    if place.subresource:
        return {field: document[field] for field in ("apiVersion", "kind", "metadata", "status") if field in document}
    return without(document, "status") if place.kind.has_status else document


def _carry(place: Place, document: Document, live: Document) -> Document:
    # What a write may not change stays as it was.
    kept: dict[str, Json] = {field: metadata_of(live).get(field) for field in _SERVER_OWNED}
    if place.subresource:
        changed = live | {"status": document.get("status")} if "status" in document else without(live, "status")
        managed = metadata_of(document).get("managedFields")
        return with_metadata(changed, managedFields=managed)
    if place.kind.has_status:
        document = without(document, "status") | ({"status": live["status"]} if "status" in live else {})
    return with_metadata(document, **kept, resourceVersion=metadata_of(live)["resourceVersion"])


def _count(kind: Kind, document: Document, live: Document) -> Document:
    if not kind.counts_generation:
        return document
    beside = ("metadata", "status", "apiVersion")
    changed = without(document, *beside) != without(live, *beside)
    return with_metadata(document, generation=metadata_of(live).get("generation", 1) + changed)
