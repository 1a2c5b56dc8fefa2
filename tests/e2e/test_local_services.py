"""A Service without pods leads to a process of this machine: its EndpointSlice says so, and Envoy goes there."""

from collections.abc import Iterator

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, MAPPING
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION
from tests.e2e.gateway import fetch, until
from tests.e2e.local_gateway import client_of

pytestmark = pytest.mark.e2e

ANNOTATION = """
apiVersion: getambassador.io/v2
kind: Mapping
name: model
prefix: /model/
rewrite: /v1/models/half_plus_two
service: model:8501
"""


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    """Return a gateway of the test's own."""
    with LocalStack() as running:
        yield running


@pytest.fixture
def client(stack: LocalStack) -> Iterator[KubeClient]:
    """Return a client of its Kubernetes API."""
    with client_of(stack.endpoint) as connected:
        yield connected


def make_service(client: KubeClient, **annotations: str) -> None:
    """Make a Service that selects nothing."""
    metadata = {"name": "model", "annotations": annotations}
    ports = [{"name": "rest", "port": 8501}]
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})


def lead(client: KubeClient, *ports: int) -> None:
    """Have the Service lead to ports of this machine."""
    manifest = {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": "EndpointSlice",
        "metadata": {"name": "model-here", "labels": {"kubernetes.io/service-name": "model"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}] if ports else [],
        "ports": [{"name": "rest", "port": port} for port in ports],
    }
    client.apply(manifest)


def ask(stack: LocalStack) -> int:
    """Ask the model through Envoy; give the HTTP status."""
    return fetch(f"{stack.endpoint.url}/model/").status


def test_an_annotated_service_leads_to_a_process(stack: LocalStack, client: KubeClient, model: ModelServer) -> None:
    make_service(client, **{CONFIG_ANNOTATION: ANNOTATION})
    until(lambda: ask(stack) == 503)
    lead(client, model.port)
    until(lambda: ask(stack) == 200)
    lead(client)
    until(lambda: ask(stack) == 503)


def test_a_mapping_leads_to_a_process_through_a_service(
    stack: LocalStack, client: KubeClient, model: ModelServer
) -> None:
    make_service(client)
    lead(client, model.port)
    spec = {
        "hostname": "*",
        "prefix": "/model/",
        "rewrite": "/v1/models/half_plus_two",
        "service": "model:8501",
    }
    client.create({"apiVersion": MAPPING.api_version, "kind": "Mapping", "metadata": {"name": "model"}, "spec": spec})
    until(lambda: ask(stack) == 200)


def test_another_process_takes_over(stack: LocalStack, client: KubeClient, model: ModelServer) -> None:
    with ModelServer("half_plus_two") as other:
        make_service(client, **{CONFIG_ANNOTATION: ANNOTATION})
        lead(client, other.port)
        until(lambda: ask(stack) == 200)
        lead(client, model.port)
        until(lambda: is_known(stack, model.port))
    assert ask(stack) == 200


def is_known(stack: LocalStack, port: int) -> bool:
    """Whether requests go to a port, by what the read API tells of the route's endpoints."""
    endpoint = stack.endpoint
    told = fetch(f"{endpoint.diagnostics_url}/ambassador/v0/diag/", token=endpoint.diagnostics_token)
    return f"127.0.0.1:{port}" in told.body
