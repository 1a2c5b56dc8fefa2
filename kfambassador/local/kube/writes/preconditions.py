"""Preconditions: whether an object still is the one that somebody means to write. Pure."""

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.store.storage import Record


def check_precondition(kind: Kind, document: Document, before: Record) -> None:
    """See that a replacement is one of the very object that is there.

    Raises:
        StatusError: When its uid is another.
    """
    asked, found = _read(kind, document, "uid"), metadata_of(before.document)["uid"]
    if asked not in {"", found}:
        because = f"Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
        raise status.conflict(kind, before.key.name, because)


def check_uid_of_new(kind: Kind, name: str, document: Document) -> None:
    """See that what is made where nothing is does not claim to be something.

    Raises:
        StatusError: When it has a uid.
    """
    if asked := _read(kind, document, "uid"):
        because = f"uid mismatch: the provided object specified uid {asked}, and no existing object was found"
        raise status.conflict(kind, name, because)


def check_version(kind: Kind, document: Document, before: Record, *, may_be_any: bool = True) -> None:
    """See that a change is one of the version that is there, and leaves the object what it is.

    Args:
        kind: The object's kind.
        document: The object as it would be.
        before: The object as it is.
        may_be_any: Whether it need not say which version it changes.

    Raises:
        StatusError: When somebody else wrote in between, no version is named that must be, or the uid is another.
    """
    asked, uid = _read(kind, document, "resourceVersion"), _read(kind, document, "uid")
    current = metadata_of(before.document)
    if asked in {"", "0"} and not may_be_any:
        fault = FieldFault(Fault.INVALID, "metadata.resourceVersion", "must be specified for an update", 0)
        raise status.invalid(kind, before.key.name, [fault])
    if asked not in {"", "0", current["resourceVersion"]}:
        raise status.modified(kind, before.key.name)
    if uid not in {"", current["uid"]}:
        fault = FieldFault(Fault.INVALID, "metadata.uid", "field is immutable", uid)
        raise status.invalid(kind, before.key.name, [fault])


def _read(kind: Kind, document: Document, field: str) -> str:
    value = metadata_of(document).get(field)
    if not isinstance(value, str | None):
        version = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'
        raise status.bad_request(f"{version}: metadata.{field} must be a string")
    return value or ""
