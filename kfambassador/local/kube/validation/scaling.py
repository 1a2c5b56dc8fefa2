"""Scaling: the ``Scale`` of an object, which is how many replicas it asks for and how many it has. Pure."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import Document, Json, metadata_of, with_metadata
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.kinds.kind import Column, Kind, Scaling

#: The kind of what is sent and answered; it is never kept.
SCALE: Final = Kind(
    "autoscaling", "v1", "Scale", "scales",
    columns=(
        Column("Desired", lambda scale: (scale.get("spec") or {}).get("replicas") or 0, "integer"),
        Column("Available", lambda scale: (scale.get("status") or {}).get("replicas") or 0, "integer"),
    ),
)  # fmt: skip

Field: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scaled:
    """What a Scale says.

    Attributes:
        replicas: How many replicas are asked for, None where nobody has said yet.
        fault: What is wrong with that, None when nothing is.
    """

    replicas: int | None
    fault: FieldFault | None


def read_scale(document: Document, scaling: Scaling) -> Document:
    """The Scale of an object.

    Example:
        >>> web = {"metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}}}
        >>> scale = read_scale(web, Scaling(selector=("spec", "selector")))
        >>> scale["spec"], scale["status"]
        ({'replicas': 2}, {'replicas': 0, 'selector': 'app=web'})
    """
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {field: text for field, text in metadata_of(document).items() if field in shown}
    wanted = _find(document, scaling.spec)
    status: Document = {"replicas": _find(document, scaling.status) or 0}
    if selector := show_selector(_find(document, scaling.selector) if scaling.selector else None):
        status["selector"] = selector
    return {
        "kind": SCALE.name,
        "apiVersion": SCALE.api_version,
        "metadata": metadata,
        # A cluster leaves the field out where it is 0.
        "spec": {"replicas": wanted} if wanted else {},
        "status": status,
    }


def is_scaled(document: Document, scaling: Scaling) -> bool:
    """Whether an object says how many replicas it asks for."""
    return _find(document, scaling.spec) is not None


def replicas_of(scale: Document) -> Scaled:
    """How many replicas a Scale asks for."""
    wanted = (scale.get("spec") or {}).get("replicas")
    fault = None
    if wanted is not None and wanted < 0:
        fault = FieldFault(Fault.INVALID, "spec.replicas", "must be greater than or equal to 0", wanted)
    return Scaled(wanted, fault)


def with_replicas(document: Document, scaling: Scaling, replicas: int) -> Document:
    """The same object asking for another number of replicas."""
    return _put(document, scaling.spec, replicas)


def applied_replicas(kind: Kind, scale: Document, scaling: Scaling) -> Document:
    """What applying a Scale says of the object itself: its replicas and nothing else."""
    named = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata_of(scale)}
    replicas = replicas_of(scale).replicas
    return named if replicas is None else _put(named, scaling.spec, replicas)


def with_precondition(document: Document, scale: Document) -> Document:
    """The same object, to be written only over the version and the uid that a Scale names."""
    wanted = metadata_of(scale)
    return with_metadata(document, resourceVersion=wanted.get("resourceVersion"), uid=wanted.get("uid"))


def show_selector(selector: Json) -> str:
    """A selector of labels as text, whichever of its three forms it has.

    Example:
        >>> some = {"key": "tier", "operator": "In", "values": ["b", "a"]}
        >>> show_selector({"matchLabels": {"app": "web"}, "matchExpressions": [some]})
        'app=web,tier in (a,b)'
    """
    if not isinstance(selector, dict):
        return selector if isinstance(selector, str) else ""
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    if not isinstance(labels, dict | None) or not isinstance(expressions, list | None):
        labels, expressions = selector, []
    elif labels is None and expressions is None:
        labels = selector
    shown = {str(key): f"{key}={value}" for key, value in (labels or {}).items()}
    for expression in expressions or ():
        if isinstance(expression, dict):
            shown[str(expression.get("key"))] = _show_requirement(expression)
    return ",".join(shown[key] for key in sorted(shown))


def _show_requirement(requirement: dict[str, Json]) -> str:
    key, listed = requirement.get("key"), requirement.get("values")
    values = ",".join(sorted(map(str, listed))) if isinstance(listed, list) else ""
    forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "DoesNotExist": f"!{key}"}
    return forms.get(str(requirement.get("operator")), str(key))


def _find(document: Json, path: Field) -> Json:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _put(document: Document, path: Field, value: Json) -> Document:
    first, *rest = path
    inside = document.get(first)
    return document | {first: _put(inside if isinstance(inside, dict) else {}, tuple(rest), value) if rest else value}
