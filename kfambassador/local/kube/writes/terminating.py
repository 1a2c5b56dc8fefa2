"""Terminating: what a namespace that is being deleted says about what still stands in its way. Pure."""

from collections import Counter
from collections.abc import Sequence

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.store.storage import Record

_DISCOVERED = ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered")
_PARSED = (
    "NamespaceDeletionGroupVersionParsingFailure",
    "ParsedGroupVersions",
    "All legacy kube types successfully parsed",
)
_DELETED = (
    "NamespaceDeletionContentFailure",
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
)


def describe_contents(namespace: Document, contents: Sequence[Record], *, now: str) -> Document:
    """The status of a namespace that is going, with conditions that say what is left in it and what holds it.

    Args:
        namespace: The namespace.
        contents: What is left in it.
        now: The time; a condition that does not change keeps the time it has.
    """
    status: Document = namespace.get("status") or {}
    before: dict[str, Document] = {each["type"]: each for each in status.get("conditions") or ()}
    found = [_condition(*each, is_met=False) for each in (_DISCOVERED, _PARSED, _DELETED)]
    found += [_describe_rest(contents), _describe_finalizers(contents)]
    conditions = []
    for each in found:
        old = before.pop(each["type"], {})
        time = old.get("lastTransitionTime", now) if old.get("status") == each["status"] else now
        conditions.append(each | {"lastTransitionTime": time})
    return status | {"phase": "Terminating", "conditions": [*before.values(), *conditions]}


def _condition(sort: str, reason: str, message: str, *, is_met: bool) -> Document:
    return {"type": sort, "status": str(is_met), "reason": reason, "message": message}


def _describe_rest(contents: Sequence[Record]) -> Document:
    sort = "NamespaceContentRemaining"
    counts = Counter(record.key.resource for record in contents)
    if not counts:
        return _condition(sort, "ContentRemoved", "All content successfully removed", is_met=False)
    named = {f"{resource}{'' if '.' in resource else '.'}": count for resource, count in counts.items()}
    listed = ", ".join(f"{name} has {named[name]} resource instances" for name in sorted(named))
    return _condition(sort, "SomeResourcesRemain", f"Some resources are remaining: {listed}", is_met=True)


def _describe_finalizers(contents: Sequence[Record]) -> Document:
    sort = "NamespaceFinalizersRemaining"
    counts = Counter(name for record in contents for name in metadata_of(record.document).get("finalizers") or ())
    if not counts:
        message = "All content-preserving finalizers finished"
        return _condition(sort, "ContentHasNoFinalizers", message, is_met=False)
    listed = ", ".join(f"{name} in {counts[name]} resource instances" for name in sorted(counts))
    message = f"Some content in the namespace has finalizers remaining: {listed}"
    return _condition(sort, "SomeFinalizersRemain", message, is_met=True)
