"""The built-in kinds, as a table: adding one is adding an entry."""

from typing import Final

from kfambassador.local.kube import admission, columns, shapes
from kfambassador.local.kube.definitions import admit_definition
from kfambassador.local.kube.kinds import Kind
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
)  # fmt: skip
