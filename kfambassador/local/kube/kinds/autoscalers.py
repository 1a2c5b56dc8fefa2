"""Autoscalers: HorizontalPodAutoscalers of version 1 and 2 as one and the same objects. Pure.

They are stored in version 2. Version 1 knows one measure, the use of processors: all others wait in annotations.
"""

import json
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json, metadata_of, with_metadata
from kfambassador.local.kube.kinds.kind import Conversion

_METRICS: Final = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR: Final = "autoscaling.alpha.kubernetes.io/behavior"
_CURRENT: Final = "autoscaling.alpha.kubernetes.io/current-metrics"
_CONDITIONS: Final = "autoscaling.alpha.kubernetes.io/conditions"
_UNUSED: Final = frozenset({_METRICS, _BEHAVIOR, _CURRENT, _CONDITIONS})
_PERCENT: Final = "targetCPUUtilizationPercentage"
_CURRENT_PERCENT: Final = "currentCPUUtilizationPercentage"


def _store(first: Document) -> Document:
    spec: Document = dict(first.get("spec") or {})
    status: Document = dict(first.get("status") or {})
    annotations: dict[str, str] = metadata_of(first).get("annotations") or {}
    percent = spec.pop(_PERCENT, None)
    processor = [_measure("target", {"type": "Utilization"}, percent)] if percent is not None else []
    metrics = [*processor, *_read_list(annotations, _METRICS)]
    spec |= {"metrics": metrics} if metrics else {}
    if isinstance(behavior := _read(annotations, _BEHAVIOR), dict):
        spec["behavior"] = behavior
    percent = status.pop(_CURRENT_PERCENT, None)
    processor = [_measure("current", {}, percent)] if percent is not None else []
    for field, found in (
        ("currentMetrics", [*processor, *_read_list(annotations, _CURRENT)]),
        ("conditions", _read_list(annotations, _CONDITIONS)),
    ):
        status |= {field: found} if found else {}
    return _rebuild(first, spec, status, {key: text for key, text in annotations.items() if key not in _UNUSED})


def _serve(second: Document) -> Document:
    spec: Document = dict(second.get("spec") or {})
    status: Document = dict(second.get("status") or {})
    annotations: dict[str, str] = dict(metadata_of(second).get("annotations") or {})
    percent, metrics = _take(spec.pop("metrics", None) or [], "target")
    spec |= {} if percent is None else {_PERCENT: percent}
    percent, current = _take(status.pop("currentMetrics", None) or [], "current")
    status |= {} if percent is None else {_CURRENT_PERCENT: percent}
    kept = (
        (_METRICS, metrics),
        (_BEHAVIOR, spec.pop("behavior", None)),
        (_CURRENT, current),
        (_CONDITIONS, status.pop("conditions", None)),
    )
    annotations |= {key: json.dumps(value, separators=(",", ":")) for key, value in kept if value}
    return _rebuild(second, spec, status, annotations)


def _measure(field: str, beside: Document, percent: Json) -> Document:
    return {"type": "Resource", "resource": {"name": "cpu", field: beside | {"averageUtilization": percent}}}


def _take(metrics: list[Document], field: str) -> tuple[Json, list[Document]]:
    """The percentage of processors, and the other measures."""
    for place, metric in enumerate(metrics):
        measured = metric.get("resource") or {}
        percent = (measured.get(field) or {}).get("averageUtilization")
        if measured.get("name") == "cpu" and percent is not None:
            return percent, [*metrics[:place], *metrics[place + 1 :]]
    return None, metrics


def _read_list(annotations: dict[str, str], key: str) -> list[Json]:
    found = _read(annotations, key)
    return found if isinstance(found, list) else []


def _read(annotations: dict[str, str], key: str) -> Json:
    try:
        found: Json = json.loads(annotations.get(key, "null"))
    except ValueError:
        return None
    return found


def _rebuild(document: Document, spec: Document, status: Document, annotations: dict[str, str]) -> Document:
    kept: Document | None = annotations or None
    rebuilt = with_metadata(document, annotations=kept)
    parts = (("spec", spec), ("status", status))
    return rebuilt | {field: part for field, part in parts if field in document}


CONVERSION: Final = Conversion("autoscaling/v2", "horizontalpodautoscalers.autoscaling", store=_store, serve=_serve)
