"""The built-in kinds, as a table: adding one is adding an entry, and its message to the tables in ``api/``."""

from typing import Final

from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.kinds import columns, events
from kfambassador.local.kube.kinds.kind import ASKED, KEPT_SINGLY, Kind, Subresource
from kfambassador.local.kube.registry.builtin_cluster import CLUSTER
from kfambassador.local.kube.registry.builtin_control import CONTROL
from kfambassador.local.kube.registry.builtin_workloads import WORKLOADS
from kfambassador.local.kube.registry.definitions import admit_definition
from kfambassador.local.kube.validation import contents, endpoints, ingresses, namespaces, records, roles
from kfambassador.local.kube.validation.services import admit_service

BUILTIN: Final = (
    Kind(
        "", "v1", "Namespace", "namespaces",
        namespaced=False, short_names=("ns",), name_rule=NameRule.LABEL, admit=namespaces.admit_namespace,
        columns=columns.NAMESPACE, has_status=True, returns_deleted=True, verbs=KEPT_SINGLY,
        subresources=(Subresource("finalize", "Namespace", ("update",)),),
    ),
    Kind(
        "", "v1", "Service", "services",
        short_names=("svc",), categories=("all",), name_rule=NameRule.SERVICE, admit=admit_service,
        columns=columns.SERVICE, has_status=True, returns_deleted=True,
    ),
    Kind(
        "", "v1", "Endpoints", "endpoints",
        short_names=("ep",), admit=endpoints.admit_endpoints, columns=columns.ENDPOINTS,
    ),
    Kind("", "v1", "Secret", "secrets", admit=contents.admit_secret, columns=columns.SECRET),
    Kind(
        "", "v1", "ConfigMap", "configmaps",
        short_names=("cm",), admit=contents.admit_config_map, columns=columns.CONFIG_MAP,
    ),
    Kind("", "v1", "Event", "events", short_names=("ev",), admit=records.admit_event, whole_table=columns.EVENT),
    Kind(
        "", "v1", "ServiceAccount", "serviceaccounts",
        short_names=("sa",), columns=columns.SERVICE_ACCOUNT, returns_deleted=True,
        subresources=(Subresource("token", "TokenRequest", ("create",), "authentication.k8s.io", "v1"),),
    ),
    Kind(
        "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices",
        admit=endpoints.admit_endpoint_slice, columns=columns.ENDPOINT_SLICE, counts_generation=True,
    ),
    Kind(
        "events.k8s.io", "v1", "Event", "events",
        short_names=("ev",), whole_table=columns.EVENT, conversion=events.CONVERSION,
    ),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", admit=records.admit_lease, columns=columns.LEASE),
    Kind(
        "networking.k8s.io", "v1", "Ingress", "ingresses",
        short_names=("ing",), admit=ingresses.admit_ingress, columns=columns.INGRESS,
        has_status=True, counts_generation=True,
    ),
    Kind(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
        namespaced=False, short_names=("crd", "crds"), categories=("api-extensions",), admit=admit_definition,
        whole_table=columns.DEFINITION, has_status=True, counts_generation=True,
    ),
    Kind(
        roles.GROUP, "v1", "Role", "roles",
        name_rule=NameRule.PATH, admit=roles.admit_role, whole_table=columns.ROLE,
    ),
    Kind(
        roles.GROUP, "v1", "ClusterRole", "clusterroles",
        namespaced=False, name_rule=NameRule.PATH, admit=roles.admit_cluster_role, whole_table=columns.ROLE,
    ),
    Kind(
        roles.GROUP, "v1", "RoleBinding", "rolebindings",
        name_rule=NameRule.PATH, admit=roles.admit_role_binding, columns=columns.BINDING,
    ),
    Kind(
        roles.GROUP, "v1", "ClusterRoleBinding", "clusterrolebindings",
        namespaced=False, name_rule=NameRule.PATH, admit=roles.admit_cluster_role_binding, columns=columns.BINDING,
    ),
    *WORKLOADS,
    *CLUSTER,
    *CONTROL,
    Kind(
        "authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews",
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authentication.k8s.io", "v1", "TokenReview", "tokenreviews",
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews",
        verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews",
        namespaced=False, verbs=ASKED,
    ),
    Kind(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews",
        namespaced=False, verbs=ASKED,
    ),
)  # fmt: skip

#: What is asked of a ServiceAccount for a token; it is no resource of its own.
TOKEN_REQUEST: Final = Kind("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", verbs=ASKED)
