"""Events: those of ``events.k8s.io`` are the core ones under other names. Pure."""

from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds.kind import Conversion

#: The names of events.k8s.io, and what the core group calls the same.
_NAMES: Final = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_CORE_NAMES: Final = {core: name for name, core in _NAMES.items()}


def _store(event: Document) -> Document:
    return {_NAMES.get(field, field): value for field, value in event.items()}


def _serve(event: Document) -> Document:
    return {_CORE_NAMES.get(field, field): value for field, value in event.items()}


CONVERSION: Final = Conversion("v1", "events", store=_store, serve=_serve)
