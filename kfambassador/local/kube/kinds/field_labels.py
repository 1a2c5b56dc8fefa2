"""Field labels: the few fields by which a list or a watch can select, kind by kind. Pure."""

from dataclasses import replace
from typing import Final, NamedTuple

from kfambassador.local.kube.documents.selectors import BadSelector, Requirement, Selector
from kfambassador.local.kube.kinds.kind import Kind


class _Field(NamedTuple):
    path: str = ""
    default: str = ""


_EVERYWHERE: Final = {"metadata.name": _Field(), "metadata.namespace": _Field()}
_REFERENCE: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_FIELDS: Final[dict[str, dict[str, _Field]]] = {
    "pods": {
        **dict.fromkeys(
            (
                *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
                *("status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"),
            ),
            _Field(),
        ),
        "spec.hostNetwork": _Field(default="false"),
    },
    "events": {
        **{f"involvedObject.{name}": _Field() for name in _REFERENCE},
        "reason": _Field(),
        "reportingComponent": _Field(),
        "source": _Field("source.component"),
        "type": _Field(),
    },
    "events.events.k8s.io": {
        **{f"regarding.{name}": _Field(f"involvedObject.{name}") for name in _REFERENCE},
        "reason": _Field(),
        "reportingController": _Field("reportingComponent"),
        "type": _Field(),
    },
    "certificatesigningrequests.certificates.k8s.io": {"spec.signerName": _Field()},
    "jobs.batch": {"status.successful": _Field("status.succeeded", "0")},
    "namespaces": {"status.phase": _Field(), "name": _Field("metadata.name")},
    "nodes": {"spec.unschedulable": _Field(default="false")},
    "replicasets.apps": {"status.replicas": _Field(default="0")},
    "replicationcontrollers": {"status.replicas": _Field(default="0")},
    "secrets": {"type": _Field()},
    "services": {"spec.clusterIP": _Field(), "spec.type": _Field()},
}


def find_fields(kind: Kind, selector: Selector) -> Selector:
    """The selector with the paths of the fields it names, as objects of the kind are stored.

    Raises:
        BadSelector: When objects of the kind cannot be selected by one of the fields.

    Example:
        >>> from kfambassador.local.kube.registry.builtin import BUILTIN
        >>> from kfambassador.local.kube.documents.selectors import read_selector
        >>> secrets = next(kind for kind in BUILTIN if kind.name == "Secret")
        >>> find_fields(secrets, read_selector("", "type=Opaque")).matches({"type": "Opaque"})
        True
    """
    return replace(selector, fields=tuple(_find(kind, each) for each in selector.fields))


def _find(kind: Kind, requirement: Requirement) -> Requirement:
    known = _EVERYWHERE | _FIELDS.get(kind.resource, {}) | dict.fromkeys(kind.selectable_fields, _Field())
    field = known.get(requirement.key)
    if field is None:
        listed = ", ".join(f'"{name}"' for name in _EVERYWHERE)
        message = f'"{requirement.key}" is not a known field selector: only {listed}'
        if kind.is_custom or kind.resource in _FIELDS:
            message = f"field label not supported: {requirement.key}"
        raise BadSelector(message)
    return replace(requirement, key=field.path or requirement.key, default=field.default)
