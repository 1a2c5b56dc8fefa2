"""The roles every cluster has from the start, and to whom they are bound (Kubernetes, "Default roles"). Pure data.

Roles of parts a laptop has not, such as nodes and schedulers, are left out.
"""

from collections.abc import Iterable
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.identity import AUTHENTICATED, MASTERS
from kfambassador.local.kube.kinds.rules import EVERYTHING
from kfambassador.local.kube.validation.roles import GROUP

_API_VERSION: Final = f"{GROUP}/v1"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS: Final = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_READ: Final = ("get", "list", "watch")
_WRITE: Final = ("create", "delete", "deletecollection", "patch", "update")
_CREATE: Final = ("create",)


def _rule(group: str, resources: str, verbs: Iterable[str]) -> Document:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": list(verbs)}


def _paths(paths: str) -> Document:
    return {"nonResourceURLs": paths.split(), "verbs": ["get"]}


def _role(name: str, *rules: Document, labels: str = "", gathers: str = "") -> Document:
    more = {f"{GROUP}/aggregate-to-{labels}": "true"} if labels else {}
    metadata = {"name": name, "labels": _LABELS | more, "annotations": _ANNOTATIONS}
    content: Document = {"rules": list(rules)}
    if gathers:
        selector = {"matchLabels": {f"{GROUP}/aggregate-to-{gathers}": "true"}}
        content = {"aggregationRule": {"clusterRoleSelectors": [selector]}}
    return {"apiVersion": _API_VERSION, "kind": "ClusterRole", "metadata": metadata} | content


def _binding(role: str, group: str) -> Document:
    return {
        "apiVersion": _API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role, "labels": _LABELS, "annotations": _ANNOTATIONS},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group}],
    }


_VIEW: Final = (
    _rule(
        "",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers"
        " replicationcontrollers/scale serviceaccounts services services/status",
        _READ,
    ),
    _rule(
        "",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status"
        " resourcequotas resourcequotas/status",
        _READ,
    ),
    _rule("", "namespaces", _READ),
    _rule("discovery.k8s.io", "endpointslices", _READ),
    _rule(
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets"
        " replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        _READ,
    ),
    _rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
    _rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
    _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
    _rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
)

#: Endpoints and EndpointSlices are not among them: who writes those leads others' traffic astray (CVE-2021-25740).
_EDIT: Final = (
    _rule("", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", _READ),
    _rule("", "serviceaccounts", ("impersonate",)),
    _rule("", "pods pods/attach pods/exec pods/portforward pods/proxy", _WRITE),
    _rule("", "pods/eviction", _CREATE),
    _rule(
        "",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets"
        " serviceaccounts services services/proxy",
        _WRITE,
    ),
    _rule("", "serviceaccounts/token", _CREATE),
    _rule(
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets"
        " statefulsets/scale",
        _WRITE,
    ),
    _rule("autoscaling", "horizontalpodautoscalers", _WRITE),
    _rule("batch", "cronjobs jobs", _WRITE),
    _rule("policy", "poddisruptionbudgets", _WRITE),
    _rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
    _rule("coordination.k8s.io", "leases", (*_READ, *_WRITE)),
)

_ADMIN: Final = (
    _rule("authorization.k8s.io", "localsubjectaccessreviews", _CREATE),
    _rule(GROUP, "rolebindings roles", (*_READ, *_WRITE)),
)

_DISCOVERY: Final = _paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")

#: The roles and bindings themselves.
DEFAULT_ROLES: Final = (
    _role("cluster-admin", *EVERYTHING),
    _role("admin", gathers="admin"),
    _role("edit", gathers="edit", labels="admin"),
    _role("view", gathers="view", labels="edit"),
    _role("system:aggregate-to-admin", *_ADMIN, labels="admin"),
    _role("system:aggregate-to-edit", *_EDIT, labels="edit"),
    _role("system:aggregate-to-view", *_VIEW, labels="view"),
    _role("system:discovery", _DISCOVERY),
    _role("system:public-info-viewer", _paths("/healthz /livez /readyz /version /version/")),
    _role(
        "system:basic-user",
        _rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", _CREATE),
        _rule("authentication.k8s.io", "selfsubjectreviews", _CREATE),
    ),
    _role(
        "system:auth-delegator",
        _rule("authentication.k8s.io", "tokenreviews", _CREATE),
        _rule("authorization.k8s.io", "subjectaccessreviews", _CREATE),
    ),
    _binding("cluster-admin", MASTERS),
    _binding("system:discovery", AUTHENTICATED),
    _binding("system:public-info-viewer", AUTHENTICATED),
    _binding("system:basic-user", AUTHENTICATED),
)
