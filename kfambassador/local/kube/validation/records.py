"""Records: what the API checks when Events and Leases are written, which tell what happened and who leads. Pure."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, namespace_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new
from kfambassador.local.kube.documents.metadata import check_qualified
from kfambassador.local.kube.kinds.kind import Admitted, Index

_LONGEST_WORD: Final = 128
_LONGEST_MESSAGE: Final = 1024


def admit_event(event: Document, before: Document | None, _index: Index) -> Admitted:
    """See that an event lies in the namespace of what it tells of."""
    return Admitted(event, list_new(_check_event(event), _check_event(before) if before else ()))


def _check_event(event: Document) -> Iterator[FieldFault]:
    return _check_new_event(event) if event.get("eventTime") else _check_old_event(event)


def _check_old_event(event: Document) -> Iterator[FieldFault]:
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    if involved != namespace_of(event) and not (involved == "" and namespace_of(event) == "default"):
        yield _elsewhere(involved)


def _check_new_event(event: Document) -> Iterator[FieldFault]:
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    if involved == "" and namespace_of(event) not in {"default", "kube-system"}:
        yield _elsewhere(involved)
    controller = str(event.get("reportingComponent") or "")
    if not controller:
        yield FieldFault(Fault.REQUIRED, "reportingController")
    yield from check_qualified(controller, "reportingController")
    for field in ("reportingInstance", "action", "reason"):
        text = str(event.get(field) or "")
        if not text:
            yield FieldFault(Fault.REQUIRED, field)
        elif len(text) > _LONGEST_WORD:
            yield FieldFault(Fault.INVALID, field, f"can have at most {_LONGEST_WORD} characters", "")
    if len(str(event.get("message") or "")) > _LONGEST_MESSAGE:
        yield FieldFault(Fault.INVALID, "message", f"can have at most {_LONGEST_MESSAGE} characters", "")


def _elsewhere(namespace: str) -> FieldFault:
    return FieldFault(Fault.INVALID, "involvedObject.namespace", "does not match event.namespace", namespace)


def admit_lease(lease: Document, before: Document | None, _index: Index) -> Admitted:
    """See that a lease lasts."""
    return Admitted(lease, list_new(_check_lease(lease), _check_lease(before) if before else ()))


def _check_lease(lease: Document) -> Iterator[FieldFault]:
    spec: Document = lease.get("spec") or {}
    for field, least, rule in (
        ("leaseDurationSeconds", 1, "must be greater than 0"),
        ("leaseTransitions", 0, "must be greater than or equal to 0"),
    ):
        if spec.get(field) is not None and spec[field] < least:
            yield FieldFault(Fault.INVALID, f"spec.{field}", rule, spec[field])
