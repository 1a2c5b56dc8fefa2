"""The built-in kinds of what a whole cluster has and decides: nodes, limits, classes and policies."""

from typing import Final

from kfambassador.local.kube.kinds import cluster_columns, columns
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.schemas import filling
from kfambassador.local.kube.validation import network_policies

_UNASKED: Final = "This API server calls no webhooks: configurations of them are kept and have no effect."

CLUSTER: Final = (
    Kind(
        "", "v1", "Node", "nodes",
        namespaced=False, short_names=("no",), columns=cluster_columns.NODE, has_status=True,
    ),
    Kind(
        "", "v1", "ResourceQuota", "resourcequotas",
        short_names=("quota",), columns=cluster_columns.QUOTA, has_status=True, returns_deleted=True,
    ),
    Kind(
        "", "v1", "LimitRange", "limitranges", complete=filling.fill_limit_range,
        short_names=("limits",), whole_table=columns.LIMIT_RANGE,
    ),
    Kind(
        "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", complete=filling.fill_network_policy,
        short_names=("netpol",), columns=columns.NETWORK_POLICY, counts_generation=True,
        admit=network_policies.admit_network_policy,
    ),
    Kind(
        "networking.k8s.io", "v1", "IngressClass", "ingressclasses",
        namespaced=False, columns=columns.INGRESS_CLASS, counts_generation=True,
    ),
    Kind(
        "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses",
        namespaced=False, short_names=("pc",), columns=cluster_columns.PRIORITY_CLASS, counts_generation=True,
    ),
    Kind(
        "storage.k8s.io", "v1", "StorageClass", "storageclasses",
        namespaced=False, short_names=("sc",), whole_table=cluster_columns.STORAGE_CLASS,
    ),
    Kind(
        "storage.k8s.io", "v1", "CSIDriver", "csidrivers",
        namespaced=False, columns=cluster_columns.CSI_DRIVER,
    ),
    Kind(
        "node.k8s.io", "v1", "RuntimeClass", "runtimeclasses",
        namespaced=False, columns=cluster_columns.RUNTIME_CLASS,
    ),
    Kind(
        "admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
        namespaced=False, categories=("api-extensions",), columns=cluster_columns.WEBHOOKS, counts_generation=True,
        warning=_UNASKED,
    ),
    Kind(
        "admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
        namespaced=False, categories=("api-extensions",), columns=cluster_columns.WEBHOOKS, counts_generation=True,
        warning=_UNASKED,
    ),
)  # fmt: skip
