"""Disruption: what a PodDisruptionBudget may say, and which Pods it wants kept. Pure."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new, unsupported
from kfambassador.local.kube.documents.label_selectors import check_label_selector, matches
from kfambassador.local.kube.kinds.kind import Admitted, Index
from kfambassador.local.kube.validation.amounts import check_count_or_percent

#: The phases in which a Pod does no work that anybody could miss.
_IDLE: Final = frozenset({"Pending", "Succeeded", "Failed"})

_AMOUNTS: Final = ("minAvailable", "maxUnavailable")
_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")


def admit_disruption_budget(budget: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a PodDisruptionBudget."""
    return Admitted(budget, list_new(_check(budget), _check(before) if before else ()))


def _check(budget: Document) -> Iterator[FieldFault]:
    spec: Document = budget.get("spec") or {}
    said = [field for field in _AMOUNTS if spec.get(field) is not None]
    if len(said) == len(_AMOUNTS):
        yield FieldFault(Fault.INVALID, "spec", "minAvailable and maxUnavailable cannot be both set", spec)
    for field in said:
        yield from check_count_or_percent(spec[field], f"spec.{field}")
    yield from check_label_selector(spec.get("selector") or {}, "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _POLICIES:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES)


def protects(budget: Document, pod: Document) -> bool:
    """Whether a budget lets a Pod go only when it allows another disruption, and allows none now.

    Example:
        >>> budget = {"spec": {"selector": {}}, "status": {"disruptionsAllowed": 0}}
        >>> protects(budget, {"status": {"phase": "Running"}}), protects(budget, {"status": {"phase": "Pending"}})
        (True, False)
    """
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None or (pod.get("status") or {}).get("phase") in _IDLE or "deletionTimestamp" in metadata_of(pod):
        return False
    allowed = (budget.get("status") or {}).get("disruptionsAllowed") or 0
    return allowed < 1 and matches(selector, metadata_of(pod).get("labels") or {})
