"""Preparation: what every object goes through before it is stored: pruning, defaults, admission, validation. Pure."""

from dataclasses import dataclass

from kfambassador.local.kube import status, structure
from kfambassador.local.kube.documents import Document, Json, name_of
from kfambassador.local.kube.faults import Fault, FieldFault
from kfambassador.local.kube.kinds import Index, Kind
from kfambassador.local.kube.metadata import check_metadata


@dataclass(frozen=True, slots=True)
class Prepared:
    """An object ready to be stored.

    Attributes:
        document: The object, complete.
        warnings: What the caller should know, though it was accepted.
    """

    document: Document
    warnings: tuple[str, ...] = ()


def prepare(kind: Kind, document: Document, *, before: Document | None, index: Index, validation: str) -> Prepared:
    """Make an object ready to be stored.

    Args:
        kind: The object's kind.
        document: The object as it was sent.
        before: The object as it was, None for a new one.
        index: Answers admission's questions about other objects.
        validation: What to do about unknown fields: ``Strict`` refuses, ``Warn`` warns, ``Ignore`` drops them silently.

    Raises:
        StatusError: When the object is refused.
    """
    shaped, warnings = _prune(kind, document, validation=validation)
    filled = as_document(structure.fill(kind.schema, shaped))
    faults = _check(kind, filled)
    if not faults:
        admitted = kind.admit(filled, before, index)
        filled, faults = admitted.document, list(admitted.faults)
    faults = [*check_metadata(filled, kind.name_rule), *faults]
    if faults:
        raise status.invalid(kind, name_of(document), faults)
    return Prepared(filled, warnings)


def read_document(kind: Kind, document: Document, *, validation: str) -> Prepared:
    """Read a configuration that is applied, and may be a part of an object only.

    Raises:
        StatusError: When it cannot be read as its kind, or when a field is unknown and validation is strict.
    """
    shaped, warnings = _prune(kind, document, validation=validation)
    _check(kind, shaped)
    return Prepared(shaped, warnings)


def _prune(kind: Kind, document: Document, *, validation: str) -> tuple[Document, tuple[str, ...]]:
    pruned = structure.prune(kind.schema, document, drop_null=not kind.is_custom)
    complaints = tuple(f'unknown field "{field}"' for field in pruned.unknown)
    if complaints and validation == "Strict":
        raise status.bad_request(f"strict decoding error: {', '.join(complaints)}")
    return as_document(pruned.value), complaints if validation == "Warn" else ()


def _check(kind: Kind, document: Document) -> list[FieldFault]:
    # Built-in fields of a wrong type cannot even be decoded by a cluster, which has classes for them.
    faults = list(structure.check(kind.schema, document))
    wrong = [fault for fault in faults if fault.fault is Fault.WRONG_TYPE]
    decoded = [fault for fault in wrong if not kind.is_custom or fault.field.startswith("metadata")]
    if decoded:
        what = "; ".join(fault.detail for fault in decoded)
        version = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'
        raise status.bad_request(f"{version}: {what}")
    return faults


def as_document(value: Json) -> Document:
    """The value as an object; a prune or a patch of an object is one.

    Raises:
        StatusError: When a patch has turned the object into something else.
    """
    if not isinstance(value, dict):
        raise status.bad_request("the result is not an object")
    return value
