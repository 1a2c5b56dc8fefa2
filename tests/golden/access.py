"""The roles of ``deploy/base/access.yaml``, made from the permissions the messages of a 403 speak of."""

from typing import Any, Final

from kfambassador.kube.permissions import CONTROLLER_ROLES, ROLES, Role, Rule
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


def write_access() -> str:
    """Write all roles, each with what it is for."""
    return _HEAD + write_documents(*map(_write, (*ROLES, *CONTROLLER_ROLES)))


def _write(role: Role) -> dict[str, Any]:
    is_peoples = role in ROLES and not role.is_the_gateways
    metadata: dict[str, Any] = {
        "name": role.name,
        "labels": {NAME_LABEL: "kfambassador", **(_AGGREGATED if is_peoples else {})},
        "annotations": {"kubernetes.io/description": f"{role.purpose[0].upper()}{role.purpose[1:]}."},
    }
    if role.is_the_gateways:
        metadata["namespace"] = INSTALL_NAMESPACE
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if role.is_the_gateways else "ClusterRole",
        "metadata": metadata,
        "rules": [*map(_write_rule, role.rules)],
    }


def _write_rule(rule: Rule) -> dict[str, Any]:
    written = {"apiGroups": [rule.group], "resources": [*rule.resources], "verbs": [*rule.verbs]}
    return written | ({"resourceNames": [*rule.names]} if rule.names else {})
