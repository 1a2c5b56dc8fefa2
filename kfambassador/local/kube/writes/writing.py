"""Writing: create, replace, patch and apply, from what a caller sends to what the store holds."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import (
    Document,
    Json,
    are_same,
    encode,
    metadata_of,
    name_of,
    namespace_of,
    with_metadata,
    without,
)
from kfambassador.local.kube.documents.metadata import count_generation
from kfambassador.local.kube.kinds import last_applied, ownership, status
from kfambassador.local.kube.kinds.kind import NAMESPACES, Kind
from kfambassador.local.kube.kinds.ownership import ApplyConflict, Owner
from kfambassador.local.kube.kinds.strategies import ALWAYS_THERE, is_allotted, is_made_by_replace, needs_version
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.schemas.fields import Path, Paths, list_nodes
from kfambassador.local.kube.store.storage import Key, Record, Store
from kfambassador.local.kube.writes.deletion import Deletion, is_going
from kfambassador.local.kube.writes.preconditions import check_precondition, check_uid_of_new, check_version
from kfambassador.local.kube.writes.preparation import prepare, read_applied

#: Writes the owners of fields into an object that is ready to be stored, of which the second was asked for.
_Own: TypeAlias = Callable[[Document, Document], Document]

# Without vowels and look-alikes, so that no generated name is a word.
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX: Final = 5
_LONGEST_PREFIX: Final = 63 - _SUFFIX
_TRIES: Final = 8  # of generated names that are taken
_SHOWN: Final = 200  # characters of an object that an error repeats
#: The subresources by which a status is written.
_OF_STATUS: Final = frozenset({"status", "approval"})
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
        subresource: ``status``, ``scale`` or "".
    """

    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """Where the object is in the store."""
        return Key(self.kind.stored_resource, self.namespace, self.name)


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
        kind, named = place.kind, self._name(place, check_identity(place, document))
        place = Place(kind, place.namespace, name_of(named), place.subresource)
        if name_of(named) and self._store.get(place.key):
            raise status.already_exists(kind, place.name)
        if metadata_of(named).get("resourceVersion"):
            raise status.bad_request("resourceVersion should not be set on objects to be created")
        held = _choose_owners(named, None)
        return self._insert(place, named, options, self._record(place, None, options, held))

    def replace(self, place: Place, document: Document, options: WriteOptions) -> Written:
        """Replace an object, if it still is the one the caller read. Of a few kinds one is made where there is none.

        Raises:
            StatusError: When there is no such object, when it changed, or when the new one is refused.
        """
        document = check_identity(place, document)
        if self._store.get(place.key) is None and is_made_by_replace(place.kind) and not place.subresource:
            check_uid_of_new(place.kind, place.name, document)
            return self.create(place, with_metadata(document, name=place.name, resourceVersion=None), options)
        before = self._find(place)
        check_precondition(place.kind, document, before)
        return self._update(place, before, document, options)

    def patch(self, place: Place, change: Callable[[Document], Document], options: WriteOptions) -> Written:
        """Change an object by a function of its present state.

        Raises:
            StatusError: When there is no such object, or when the result is refused.
        """
        before = self._find(place)
        document = change(place.kind.serve(before.document))
        return self._update(place, before, check_identity(place, document), options)

    def apply(self, place: Place, document: Document, options: WriteOptions) -> Written:
        """Apply a configuration on the server's side: create the object or merge into it.

        Raises:
            StatusError: When fields of others would change unforced, or when the result is refused.
        """
        kind, document = place.kind, check_identity(place, document)
        if metadata_of(document).get("managedFields"):
            raise status.bad_request("metadata.managedFields must be nil")
        read = read_applied(kind, document, options)
        wanted = _restrict(read.document, place)
        owner = Owner(options.manager, "Apply", kind.api_version, place.subresource)
        before = self._store.get(place.key)
        live = kind.serve(before.document) if before else None
        try:
            applied = last_applied.apply(kind.schema, live, wanted, owner=owner, force=options.force)
        except ApplyConflict as error:
            raise status.apply_conflict(error) from error

        def own(ready: Document, _asked: Document) -> Document:
            return ownership.with_owners(ready, applied.owners, before=live, now=self._clock())

        if before is None and place.subresource:
            raise status.not_found(kind, place.name)
        if before is None:
            check_uid_of_new(kind, place.name, document)
            written = self._insert(place, with_metadata(applied.document, name=place.name), options, own)
        else:
            check_version(kind, document, before)
            noted = last_applied.note(applied.document, document, options.manager)
            written = self._store_changed(place, before, noted, options, own)
        return replace(written, warnings=read.warnings)

    def _find(self, place: Place) -> Record:
        record = self._store.get(place.key)
        if record is None:
            raise status.not_found(place.kind, place.name)
        return record

    def _name(self, place: Place, document: Document) -> Document:
        prefix = metadata_of(document).get("generateName")
        if name_of(document) or not isinstance(prefix, str) or not prefix:
            return document
        for _ in range(_TRIES):
            suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))
            document = with_metadata(document, name=prefix[:_LONGEST_PREFIX] + suffix)
            if not self._store.get(replace(place, name=name_of(document)).key):
                break
        return document

    def _insert(self, place: Place, document: Document, options: WriteOptions, own: _Own) -> Written:
        kind = place.kind
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
        prepared = prepare(kind, fresh, before=None, index=self._store, options=options)
        document = own(prepared.document, prepared.asked)
        options.permit(document, None)
        if options.dry_run:
            return Written(document, created=True, warnings=prepared.warnings)
        record = self._put(place, document)
        self._deletion.settle(place.key, document, None)
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
        check_version(place.kind, document, before, may_be_any=not needs_version(place.kind))
        live = place.kind.serve(before.document)
        own = self._record(place, live, options, _choose_owners(document, live))
        return self._store_changed(place, before, document, options, own)

    def _record(self, place: Place, live: Document | None, options: WriteOptions, held: Mapping[Owner, Paths]) -> _Own:
        kind = place.kind
        owner = Owner(options.manager, "Update", kind.api_version, place.subresource)

        def own(ready: Document, asked: Document) -> Document:
            sent: Mapping[Path, object] | None = None  # nearly always nobody asks

            def is_untouched(path: Path) -> bool:
                nonlocal sent
                if kind.has_status and place.subresource not in _OF_STATUS and path[0] == "f:status":
                    return True
                if kind.is_custom or path in ALWAYS_THERE or not is_allotted(kind, path):
                    return not kind.is_custom and path in ALWAYS_THERE
                if sent is None:
                    sent = list_nodes(kind.schema, asked)
                return path not in sent

            return ownership.record_update(
                kind.schema, ready, before=live, owner=owner, now=self._clock(), held=held, untouched=is_untouched
            )

        return own

    def _store_changed(
        self, place: Place, before: Record, document: Document, options: WriteOptions, own: _Own
    ) -> Written:
        kind, live = place.kind, place.kind.serve(before.document)
        document = _carry(place, document, live)
        prepared = prepare(kind, document, before=live, index=self._store, options=options)
        document = own(_count(kind, prepared.document, live), prepared.asked)
        options.permit(document, live)
        if are_same(document, live):
            return Written(live, before, warnings=prepared.warnings)
        if options.dry_run:
            return Written(document, warnings=prepared.warnings)
        if self._deletion.may_go(place.key, document):
            self._deletion.remove(before)
            return Written(document, warnings=prepared.warnings)
        record = self._put(place, document)
        self._deletion.settle(place.key, document, live)
        return Written(document, record, warnings=prepared.warnings)

    def _put(self, place: Place, document: Document) -> Record:
        return self._store.put(place.key, place.kind.store(document))


def check_identity(place: Place, document: Document) -> Document:
    """See that an object is what its path says; an answer is the object itself.

    Raises:
        StatusError: When it is another.
    """
    kind = place.kind
    for field in ("kind", "apiVersion"):
        if not document.get(field):
            shown = encode(document).decode()[:_SHOWN]
            raise status.bad_request(f"Object '{field[0].upper() + field[1:]}' is missing in '{shown}'")
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


def _choose_owners(document: Document, before: Document | None) -> Mapping[Owner, Paths]:
    try:
        return ownership.choose_owners(metadata_of(document).get("managedFields"), before)
    except ownership.BadOwners as error:
        raise status.bad_request(str(error)) from error


def _restrict(document: Document, place: Place) -> Document:
    # What an apply may own: the status through its subresource, everything else through the object.
    if place.subresource == "status":
        return {field: document[field] for field in ("apiVersion", "kind", "metadata", "status") if field in document}
    return without(document, "status") if place.kind.has_status else document


def _carry(place: Place, document: Document, live: Document) -> Document:
    # What a write may not change stays as it was.
    kept: dict[str, Json] = {field: metadata_of(live).get(field) for field in _SERVER_OWNED}
    if place.subresource == "status":
        changed = live | {"status": document.get("status")} if "status" in document else without(live, "status")
        return with_metadata(changed, managedFields=None)
    if place.subresource == "approval":
        said = {"conditions": (document.get("status") or {}).get("conditions") or []}
        return with_metadata(live | {"status": (live.get("status") or {}) | said}, managedFields=None)
    if place.subresource == "finalize":
        left = (document.get("spec") or {}).get("finalizers") or []
        return with_metadata(live | {"spec": {"finalizers": left}}, managedFields=None)
    if place.kind.has_status:
        document = without(document, "status") | ({"status": live["status"]} if "status" in live else {})
    if place.kind.resource == NAMESPACES:
        document = document | {"spec": live.get("spec")}
    return with_metadata(document, **kept, resourceVersion=metadata_of(live)["resourceVersion"], managedFields=None)


def _count(kind: Kind, document: Document, live: Document) -> Document:
    if not kind.counts_generation:
        return document
    return with_metadata(document, generation=count_generation(document, live))
