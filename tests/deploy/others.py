"""What others bring to a cluster: Istio's kinds, Kubeflow's namespaces, people's Mappings; and what a kubelet does."""

from typing import Any

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, EVENT, POD

HOME = "kfambassador"
MAPPINGS = "mappings.getambassador.io"


def make_namespace(client: KubeClient, *names: str) -> None:
    for name in names:
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def define(client: KubeClient, kind: str, plural: str, group: str) -> None:
    """Define a kind that somebody else has, without its schema."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    client.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
        }
    )


def bring_istio(client: KubeClient) -> None:
    define(client, "VirtualService", "virtualservices", "networking.istio.io")
    define(client, "AuthorizationPolicy", "authorizationpolicies", "security.istio.io")


def define_as_emissary(client: KubeClient) -> dict[str, Any]:
    """Define Mappings as Emissary does: with a webhook that converts them."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions: list[dict[str, Any]] = [
        {"name": name, "served": True, "storage": name == "v2", "schema": schema, "subresources": {"status": {}}}
        for name in ("v2", "v3alpha1")
    ]
    service = {"name": "emissary-apiext", "namespace": "emissary-system"}
    webhook = {"clientConfig": {"service": service}, "conversionReviewVersions": ["v1"]}
    names = {"kind": "Mapping", "plural": "mappings", "singular": "mapping", "listKind": "MappingList"}
    spec = {
        "group": "getambassador.io",
        "scope": "Namespaced",
        "names": names,
        "versions": versions,
        "conversion": {"strategy": "Webhook", "webhook": webhook},
        "preserveUnknownFields": False,
    }
    definition = {
        "apiVersion": CUSTOM_RESOURCE_DEFINITION.api_version,
        "kind": CUSTOM_RESOURCE_DEFINITION.kind,
        "metadata": {"name": MAPPINGS},
    }
    return client.apply({**definition, "spec": spec}, manager="emissary")


def make_mapping(client: KubeClient, name: str, *, namespace: str = "team") -> None:
    make_namespace(client, namespace)
    client.apply(
        {
            "apiVersion": "getambassador.io/v3alpha1",
            "kind": "Mapping",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"hostname": "*", "prefix": f"/{name}/", "service": name},
        }
    )


def set_pods(client: KubeClient, *, wanted: int, ready: int, **condition: str) -> None:
    """Say of the Deployment what its controller does once a kubelet has started so many pods."""
    generation = client.get(DEPLOYMENT, "kfambassador", namespace=HOME)["metadata"]["generation"]
    progressing = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "", **condition}
    available = {
        "type": "Available",
        "status": "True" if ready == wanted else "False",
        "reason": "MinimumReplicas",
        "message": "Deployment does not have minimum availability.",
    }
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "replicas": wanted,
        "updatedReplicas": wanted,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": wanted - ready,
        "conditions": [progressing, available],
    }
    client.patch_status(DEPLOYMENT, "kfambassador", {"status": status}, namespace=HOME)


def start_pod(client: KubeClient, name: str, status: dict[str, Any]) -> None:
    """Make a pod of the gateway, in whatever state."""
    labels = {"app.kubernetes.io/name": "kfambassador", "app.kubernetes.io/component": "gateway"}
    container = {"name": "envoy", "image": "kfambassador"}
    metadata = {"name": name, "namespace": HOME, "labels": labels}
    client.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}})
    client.patch_status(POD, name, {"status": status}, namespace=HOME)


def warn(client: KubeClient, about: str, reason: str, message: str) -> None:
    """Tell an Event, as a kubelet or a controller does."""
    client.apply(
        {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{about}.{reason.lower()}", "namespace": HOME},
            "involvedObject": {"kind": "Pod", "name": about, "namespace": HOME},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "lastTimestamp": "2026-11-26T12:00:00Z",
        }
    )
