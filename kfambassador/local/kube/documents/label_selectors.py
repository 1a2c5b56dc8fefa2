"""Label selectors: which labels an object's own selector chooses, and what it may say. Pure.

What stands in a request's query is read by :mod:`.selectors`.
"""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.documents.metadata import check_labels

_WITH_VALUES: Final = ("In", "NotIn")
_WITHOUT_VALUES: Final = ("Exists", "DoesNotExist")


def is_empty(selector: Document) -> bool:
    """Whether a selector chooses everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: Document, labels: Document) -> bool:
    """Whether a selector chooses an object with some labels.

    Example:
        >>> some = {"key": "tier", "operator": "NotIn", "values": ["db"]}
        >>> matches({"matchLabels": {"app": "web"}, "matchExpressions": [some]}, {"app": "web"})
        True
    """
    wanted: Document = selector.get("matchLabels") or {}
    expressions: list[Document] = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: Document, labels: Document) -> bool:
    value, listed = labels.get(expression.get("key", "")), expression.get("values") or []
    answers = {
        "In": value is not None and value in listed,
        "NotIn": value is None or value not in listed,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return answers.get(str(expression.get("operator")), False)


def check_label_selector(selector: Document, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with a selector."""
    yield from check_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for place, expression in enumerate(selector.get("matchExpressions") or ()):
        where, operator = f"{path}.matchExpressions[{place}]", expression.get("operator")
        if operator in _WITH_VALUES and not expression.get("values"):
            rule = "must be specified when `operator` is 'In' or 'NotIn'"
            yield FieldFault(Fault.REQUIRED, f"{where}.values", rule)
        elif operator in _WITHOUT_VALUES and expression.get("values"):
            rule = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield FieldFault(Fault.FORBIDDEN, f"{where}.values", rule)
        elif operator not in (*_WITH_VALUES, *_WITHOUT_VALUES):
            yield FieldFault(Fault.INVALID, f"{where}.operator", "not a valid selector operator", operator)
        yield from check_labels({str(expression.get("key") or ""): ""}, f"{where}.key")
