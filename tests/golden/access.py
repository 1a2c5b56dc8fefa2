"""The roles of ``deploy/base/access.yaml``, made from the permissions the messages of a 403 speak of."""

from typing import Any, Final

from kfambassador.kube.permissions import ROLES, Role, Rule
from kfambassador.names import INSTALL_NAMESPACE, NAME_LABEL
from kfambassador.resources.documents import write_documents

_HEAD: Final = """\
# Who may do what with a gateway. Made from kfambassador.kube.permissions (make golden); not to be edited.
# deploy/README.md tells whom each is for, and how it is given.
"""

#: Whoever may edit a namespace may publish in it: in any cluster, and in the profiles of Kubeflow.
_AGGREGATED: Final = {
    "rbac.authorization.k8s.io/aggregate-to-edit": "true",
    "rbac.authorization.kubeflow.org/aggregate-to-kubeflow-edit": "true",
}

#: What the read API needs to find out who asks, and what they may see.
_REVIEWS: Final = (
    Rule("authentication.k8s.io", ("tokenreviews",), ("create",)),
    Rule("authorization.k8s.io", ("subjectaccessreviews",), ("create",)),
)


def write_access() -> str:
    """Write all roles, each with what it is for."""
    reviews = _write_role("ClusterRole", "kfambassador-controller-reviews", _REVIEWS, {NAME_LABEL: "kfambassador"})
    return _HEAD + write_documents(*map(_write, ROLES), reviews)


def _write(role: Role) -> dict[str, Any]:
    labels = {NAME_LABEL: "kfambassador", **({} if role.is_the_gateways else _AGGREGATED)}
    manifest = _write_role("Role" if role.is_the_gateways else "ClusterRole", role.name, role.rules, labels)
    manifest["metadata"]["annotations"] = {"kubernetes.io/description": f"{role.purpose[0].upper()}{role.purpose[1:]}."}
    if role.is_the_gateways:
        manifest["metadata"]["namespace"] = INSTALL_NAMESPACE
    return manifest


def _write_role(kind: str, name: str, rules: tuple[Rule, ...], labels: dict[str, str]) -> dict[str, Any]:
    written = [{"apiGroups": [rule.group], "resources": [*rule.resources], "verbs": [*rule.verbs]} for rule in rules]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "rules": written,
    }
