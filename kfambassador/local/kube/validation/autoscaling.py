"""Autoscaling: what the API checks when a HorizontalPodAutoscaler is written. Nothing here scales by it. Pure."""

from collections.abc import Iterator

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new
from kfambassador.local.kube.kinds.kind import Admitted, Index


def admit_autoscaler(scaler: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a HorizontalPodAutoscaler of either version."""
    return Admitted(scaler, list_new(_check(scaler), _check(before) if before else ()))


def _check(scaler: Document) -> Iterator[FieldFault]:
    spec: Document = scaler.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield FieldFault(Fault.INVALID, "spec.minReplicas", "must be greater than or equal to 1", least)
    if most < 1:
        yield FieldFault(Fault.INVALID, "spec.maxReplicas", "must be greater than 0", most)
    if least is not None and most < least:
        yield FieldFault(Fault.INVALID, "spec.maxReplicas", "must be greater than or equal to `minReplicas`", most)
    target: Document = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not target.get(field):
            yield FieldFault(Fault.REQUIRED, f"spec.scaleTargetRef.{field}")
