"""The built-in kinds, as a table: adding one is adding an entry."""

from typing import Final

from kfambassador.local.kube import admission, columns, roles, shapes
from kfambassador.local.kube.definitions import admit_definition
from kfambassador.local.kube.kinds import ASKED, Kind, Subresource
from kfambassador.local.kube.metadata import NameRule
from kfambassador.local.kube.services import admit_service

BUILTIN: Final = (
    Kind(
        "", "v1", "Namespace", "namespaces", shapes.NAMESPACE,
        namespaced=False, short_names=("ns",), name_rule=NameRule.LABEL, admit=admission.admit_namespace,
        columns=columns.NAMESPACE, has_status=True, returns_deleted=True,
    ),
    Kind(
        "", "v1", "Service", "services", shapes.SERVICE,
        short_names=("svc",), categories=("all",), name_rule=NameRule.SERVICE, admit=admit_service,
        columns=columns.SERVICE + columns.SERVICE_WIDE, has_status=True, returns_deleted=True,
    ),
    Kind("", "v1", "Endpoints", "endpoints", shapes.ENDPOINTS, short_names=("ep",), columns=columns.ENDPOINTS),
    Kind("", "v1", "Secret", "secrets", shapes.SECRET, admit=admission.admit_secret, columns=columns.SECRET),
    Kind(
        "", "v1", "ConfigMap", "configmaps", shapes.CONFIG_MAP,
        short_names=("cm",), admit=admission.admit_config_map, columns=columns.CONFIG_MAP,
    ),
    Kind("", "v1", "Event", "events", shapes.EVENT, short_names=("ev",), whole_table=columns.EVENT),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts", shapes.SERVICE_ACCOUNT,
        short_names=("sa",), columns=columns.SERVICE_ACCOUNT, returns_deleted=True,
        subresources=(Subresource("token", "TokenRequest", ("create",), "authentication.k8s.io", "v1"),),
    ),
    Kind(
        "", "v1", "Pod", "pods", shapes.POD,
        short_names=("po",), categories=("all",), columns=columns.POD + columns.POD_WIDE, admit=admission.admit_pod,
        has_status=True, returns_deleted=True,
        subresources=(Subresource("portforward", "PodPortForwardOptions", ("create", "get"), "", "v1"),),
    ),
    Kind(
        "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", shapes.ENDPOINT_SLICE,
        admit=admission.admit_endpoint_slice, columns=columns.ENDPOINT_SLICE, counts_generation=True,
    ),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", shapes.LEASE, columns=columns.LEASE),
    Kind(
        "networking.k8s.io", "v1", "Ingress", "ingresses", shapes.INGRESS,
        short_names=("ing",), columns=columns.INGRESS, has_status=True, counts_generation=True,
    ),
    Kind(
        "apps", "v1", "Deployment", "deployments", shapes.DEPLOYMENT,
        short_names=("deploy",), categories=("all",), columns=columns.DEPLOYMENT, has_status=True,
        counts_generation=True,
    ),
    Kind(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", shapes.DEFINITION,
        namespaced=False, short_names=("crd", "crds"), categories=("api-extensions",), admit=admit_definition,
        columns=columns.DEFINITION, has_status=True, counts_generation=True,
    ),
    Kind(
        roles.GROUP, "v1", "Role", "roles", shapes.ROLE,
        name_rule=NameRule.PATH, admit=roles.admit_role, whole_table=columns.ROLE,
    ),
    Kind(
        roles.GROUP, "v1", "ClusterRole", "clusterroles", shapes.CLUSTER_ROLE,
        namespaced=False, name_rule=NameRule.PATH, admit=roles.admit_cluster_role, whole_table=columns.ROLE,
    ),
    Kind(
        roles.GROUP, "v1", "RoleBinding", "rolebindings", shapes.BINDING,
        name_rule=NameRule.PATH, admit=roles.admit_role_binding, columns=columns.BINDING,
    ),
    Kind(
        roles.GROUP, "v1", "ClusterRoleBinding", "clusterrolebindings", shapes.BINDING,
        namespaced=False, name_rule=NameRule.PATH, admit=roles.admit_cluster_role_binding, columns=columns.BINDING,
    ),
    Kind(
        "authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", shapes.SELF_REVIEW,
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authentication.k8s.io", "v1", "TokenReview", "tokenreviews", shapes.TOKEN_REVIEW,
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", shapes.ACCESS_REVIEW,
        verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
        shapes.SELF_ACCESS_REVIEW, namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", shapes.RULES_REVIEW,
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", shapes.ACCESS_REVIEW,
        namespaced=False, verbs=ASKED,
    ),
)  # fmt: skip

#: What is asked of a ServiceAccount for a token; it is no resource of its own.
TOKEN_REQUEST: Final = Kind(
    "authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", shapes.TOKEN_REQUEST, verbs=ASKED
)
