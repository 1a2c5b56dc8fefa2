"""A cluster with roles, for a page: a gateway installed in it, and people who publish models in one namespace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from kfambassador.controller.reviews import ReviewSettings
from kfambassador.kube.client import KubeClient
from kfambassador.local.stack import LocalStack
from tests.cluster.raw_api import RawApi
from tests.e2e.installed import install, make_namespace, start_pod
from tests.e2e.people import make_person

TEAM = "team"
ADMIN = "admin"
PEOPLE = ("ann", "bob")


@contextmanager
def running_cluster(config: Path, *, http_port: int, api_port: int, model_port: int) -> Iterator[None]:
    """Run it: context ``admin`` of the kubeconfig is the current one, and each person has one of that name.

    In the namespace are a Service ``server``, behind which the model at ``model_port`` is, and a Deployment ``digits``.
    """
    reviews = ReviewSettings(remembered=0.0)
    with LocalStack(rbac=True, reviews=reviews, http_port=http_port, api_port=api_port) as stack:
        endpoint = stack.endpoint
        with KubeClient.connect(endpoint.api_url, token=endpoint.api_token) as admin:
            make_namespace(admin, TEAM)
            install(admin, endpoint)
            start_pod(admin, "gateway-0")
        api = RawApi(endpoint.api_url, endpoint.api_token)
        try:
            for path, manifest in describe_models(model_port):
                assert api.create(path, manifest).code == 201
            tokens = {name: make_person(api, name, namespace=TEAM) for name in PEOPLE}
        finally:
            api.close()
        config.write_text(write_config(endpoint.api_url, {ADMIN: endpoint.api_token, **tokens}))
        yield


def describe_models(port: int) -> Iterator[tuple[str, dict[str, Any]]]:
    ports = [{"name": "rest", "port": 8501, "protocol": "TCP"}]
    yield (
        f"/api/v1/namespaces/{TEAM}/services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "server", "namespace": TEAM},
            "spec": {"ports": ports},
        },
    )
    yield (
        f"/apis/discovery.k8s.io/v1/namespaces/{TEAM}/endpointslices",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "server-x7k2p", "namespace": TEAM, "labels": {"kubernetes.io/service-name": "server"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "rest", "port": port}],
        },
    )
    container = {"name": "server", "image": "digits:1", "ports": [{"containerPort": 8501}]}
    labels = {"app": "digits"}
    yield (
        f"/apis/apps/v1/namespaces/{TEAM}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "digits", "namespace": TEAM},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
    )


def write_config(url: str, tokens: dict[str, str]) -> str:
    """Write the kubeconfig. The administrator uses kubectl, which sends tokens over TLS only, but passwords always."""
    servers = {name: url.replace("://", f"://{name}:{token}@") for name, token in tokens.items() if name == ADMIN}
    contexts = {
        name: {"cluster": name, "user": name, "namespace": "default" if name == ADMIN else TEAM} for name in tokens
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": servers.get(name, url)}} for name in tokens],
            "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
            "contexts": [{"name": name, "context": context} for name, context in contexts.items()],
            "current-context": ADMIN,
        }
    )
