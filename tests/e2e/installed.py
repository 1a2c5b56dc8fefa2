"""A gateway as it is installed in a cluster: its Service and its pods, before a gateway that runs on this machine."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import NAMESPACE, POD, SERVICE
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.names import GATEWAY_LABELS

HOME = "kfambassador"
SELECTOR = {"app": "kfambassador-gateway"}


def make_namespace(client: KubeClient, name: str) -> None:
    """Make a namespace unless it is there."""
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def install(
    client: KubeClient,
    endpoint: GatewayEndpoint,
    *,
    namespace: str = HOME,
    name: str = "gateway",
    read_api: bool = True,
    ingress: Iterable[dict[str, Any]] = (),
) -> Manifest:
    """Make the gateway's Service; its ports lead to a gateway of this machine."""
    make_namespace(client, namespace)
    ports: list[dict[str, Any]] = [{"name": "http", "port": 80, "targetPort": urlsplit(endpoint.url).port}]
    if read_api:
        port = urlsplit(endpoint.diagnostics_url).port
        ports.append({"name": "diagnostics", "port": 8877, "targetPort": port})
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {**GATEWAY_LABELS}},
        "spec": {"type": "LoadBalancer", "selector": SELECTOR, "ports": ports},
    }
    client.apply(manifest, force=True)
    status = {"status": {"loadBalancer": {"ingress": [*ingress]}}}
    return client.patch_status(SERVICE, name, status, namespace=namespace)


def start_pod(client: KubeClient, name: str, *, namespace: str = HOME, address: str = "127.0.0.1") -> Manifest:
    """Make a pod of the gateway that is ready."""
    make_namespace(client, namespace)
    container = {"name": "gateway", "image": "kfambassador"}
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": SELECTOR},
            "spec": {"containers": [container]},
        }
    )
    return set_ready(client, name, namespace=namespace, address=address, ready=True)


def set_ready(
    client: KubeClient, name: str, *, namespace: str = HOME, address: str = "127.0.0.1", ready: bool
) -> Manifest:
    """Say, as a kubelet does, whether a pod is ready."""
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    status = {"phase": "Running", "podIP": address, "conditions": [condition]}
    return client.patch_status(POD, name, {"status": status}, namespace=namespace)


def remove(client: KubeClient, *, namespace: str = HOME) -> None:
    """Take everything of it away."""
    for kind in (SERVICE, POD):
        for item in client.list(kind, namespace=namespace).items:
            client.delete(kind, item["metadata"]["name"], namespace=namespace)
    client.delete(NAMESPACE, namespace)
