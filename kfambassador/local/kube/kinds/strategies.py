"""Strategies: where the kinds differ in how they are written. Pure."""

from typing import Final

from kfambassador.local.kube.kinds.kind import NAMESPACES, Kind
from kfambassador.local.kube.schemas.fields import Path, Paths

_NEEDING_VERSION: Final = frozenset(
    {
        "apiservices.apiregistration.k8s.io",
        "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "csistoragecapacities.storage.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "leases.coordination.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "poddisruptionbudgets.policy",
        "runtimeclasses.node.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "volumeattachments.storage.k8s.io",
    }
)
_MADE_BY_REPLACE: Final = frozenset(
    {
        "clusterrolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "endpoints",
        "events",
        "events.events.k8s.io",
        "leases.coordination.k8s.io",
        "limitranges",
        "rolebindings.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io",
        "services",
    }
)

_ADDRESSES: Final = frozenset(
    f"f:{name}" for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")
)


def _below(*path: str) -> set[Path]:
    parts = tuple(f"f:{part}" for part in path)
    inside = [("f:metadata",), ("f:spec",), ("f:spec", "f:containers")]
    return {parts, *((*parts, *below) for below in inside)}


#: What the objects of built-in kinds always hold, be it empty: nobody made it, so nobody owns it.
ALWAYS_THERE: Final[Paths] = frozenset(
    {
        ("f:source",),
        ("f:spec",),
        ("f:spec", "f:containers"),
        ("f:spec", "f:names"),
        ("f:spec", "f:strategy"),
        ("f:spec", "f:updateStrategy"),
        ("f:status",),
        ("f:status", "f:acceptedNames"),
        ("f:status", "f:loadBalancer"),
        *_below("template"),
        *_below("spec", "template"),
        *_below("spec", "jobTemplate"),
        *_below("spec", "jobTemplate", "spec", "template"),
    }
)


def needs_version(kind: Kind) -> bool:
    """Whether a replace has to say which version it replaces.

    Example:
        >>> from kfambassador.local.kube.registry.builtin import BUILTIN
        >>> [kind.name for kind in BUILTIN if kind.name in {"Lease", "Service"} and needs_version(kind)]
        ['Lease']
    """
    return kind.is_custom or kind.resource in _NEEDING_VERSION


def is_made_by_replace(kind: Kind) -> bool:
    """Whether a replace makes an object where there is none."""
    return kind.resource in _MADE_BY_REPLACE


def is_allotted(kind: Kind, path: Path) -> bool:
    """Whether the server alone allots a field, so that nobody owns it who did not ask for it."""
    if kind.resource == "services":
        return (path[0] == "f:spec" and path[1:2] != () and path[1] in _ADDRESSES) or path[-1] == "f:nodePort"
    return kind.resource == NAMESPACES and path[0] == "f:spec"
