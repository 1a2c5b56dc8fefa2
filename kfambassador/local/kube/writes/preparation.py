"""Preparation: what every object goes through before it is stored: pruning, defaults, admission, validation. Pure."""

from dataclasses import dataclass

from kfambassador.local.kube.documents.document import Document, Json, name_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.documents.metadata import check_change, check_finalizers, check_metadata, tidy
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.kind import Index, Kind
from kfambassador.local.kube.requests.options import WriteOptions
from kfambassador.local.kube.schemas import structure
from kfambassador.local.kube.schemas.decoding import Undecodable, decode
from kfambassador.local.kube.schemas.typed import find_misfits
from kfambassador.local.kube.schemas.validations import check_laws


@dataclass(frozen=True, slots=True)
class Prepared:
    """An object ready to be stored.

    Attributes:
        document: The object, complete.
        warnings: What the caller should know, though it was accepted.
        asked: The object as it was sent, without what is unknown.
    """

    document: Document
    warnings: tuple[str, ...]
    asked: Document


def prepare(
    kind: Kind, document: Document, *, before: Document | None, index: Index, options: WriteOptions
) -> Prepared:
    """Make an object ready to be stored.

    Args:
        kind: The object's kind.
        document: The object as it was sent.
        before: The object as it was, None for a new one.
        index: Answers admission's questions about other objects.
        options: What to do about unknown fields, and what else is odd in what was sent.

    Raises:
        StatusError: When the object is refused.
    """
    shaped, warnings = _prune(kind, tidy(document), options.validation, options.complaints)
    filled = as_document(structure.fill(kind.schema, shaped))
    faults = _check(kind, filled)
    judged = check_laws(kind.schema, filled, before, faults)
    faults += judged.faults
    warnings += judged.untold
    if not faults:
        admitted = kind.admit(kind.complete(filled), before, index)
        if admitted.forbidden:
            raise status.not_admitted(kind, name_of(document), admitted.forbidden)
        filled, faults = admitted.document, list(admitted.faults)
        warnings += _complain(admitted.unknown, options.validation) + admitted.warnings
    changed = [*check_change(filled, before)] if before else []
    if not kind.is_custom:
        changed += check_finalizers(filled, before)
    faults = [*check_metadata(filled, kind.name_rule), *changed, *faults]
    if faults:
        raise status.invalid(kind, name_of(document), faults)
    return Prepared(filled, warnings, shaped)


def read_applied(kind: Kind, document: Document, options: WriteOptions) -> Prepared:
    """Read a configuration that is applied, and may be a part of an object only.

    Raises:
        StatusError: When it cannot be read as its kind, or has something that nobody could own.
    """
    if misfits := list(find_misfits(kind.schema, document)):
        raise status.untyped(kind, document, misfits)
    shaped, warnings = _prune(kind, document, options.validation, options.complaints)
    return Prepared(shaped, warnings, shaped)


def read_document(kind: Kind, document: Document, *, validation: str) -> Prepared:
    """Read an object that is not kept, as a question.

    Raises:
        StatusError: When it cannot be read as its kind, or when a field is unknown and validation is strict.
    """
    shaped, warnings = _prune(kind, document, validation, ())
    _check(kind, shaped)
    return Prepared(shaped, warnings, shaped)


def _prune(
    kind: Kind, document: Document, validation: str, complaints: tuple[str, ...]
) -> tuple[Document, tuple[str, ...]]:
    pruned = structure.prune(kind.schema, document)
    decoded = _decode(kind, as_document(pruned.value))
    return decoded, _complain(pruned.unknown, validation, complaints)


def _decode(kind: Kind, document: Document) -> Document:
    try:
        if not kind.is_custom:
            return as_document(decode(kind.schema, document))
        metadata = kind.schema.child("metadata")
        if metadata is None or "metadata" not in document:
            return document
        return document | {"metadata": decode(metadata, document["metadata"], (None, "metadata"))}
    except Undecodable as error:
        raise _undecodable(kind, str(error)) from error


def _undecodable(kind: Kind, why: str) -> status.StatusError:
    version = f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}'
    return status.bad_request(f"{version}: {why}")


def _complain(unknown: tuple[str, ...], validation: str, complaints: tuple[str, ...] = ()) -> tuple[str, ...]:
    complaints += tuple(f'unknown field "{field}"' for field in unknown)
    if complaints and validation == "Strict":
        raise status.bad_request(f"strict decoding error: {_join(complaints)}")
    return complaints if validation == "Warn" else ()


def _join(complaints: tuple[str, ...]) -> str:
    # Those about lines of YAML come first, and together.
    lines = [f"\n  {each}" for each in complaints if each.startswith("line ")]
    others = [each for each in complaints if not each.startswith("line ")]
    return ", ".join((["yaml: unmarshal errors:" + "".join(lines)] if lines else []) + others)


def _check(kind: Kind, document: Document) -> list[FieldFault]:
    # Built-in fields of a wrong type cannot even be decoded by a cluster, which has classes for them.
    faults = list(structure.check(kind.schema, document))
    wrong = [fault for fault in faults if fault.fault is Fault.WRONG_TYPE]
    decoded = [fault for fault in wrong if not kind.is_custom or fault.field.startswith("metadata")]
    if decoded:
        raise _undecodable(kind, "; ".join(fault.detail for fault in decoded))
    return faults


def as_document(value: Json) -> Document:
    """The value as an object; a prune or a patch of an object is one.

    Raises:
        StatusError: When a patch has turned the object into something else.
    """
    if not isinstance(value, dict):
        raise status.bad_request("the result is not an object")
    return value
