"""Finding the gateway of a cluster by its labels, in a real Kubernetes API's answers."""

from collections.abc import Iterator

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import GATEWAY_LABELS, READ_API_LABELS
from kfambassador.sdk.reaching.discovery import find_gateway, find_read_api
from tests.e2e.installed import make_namespace

pytestmark = pytest.mark.e2e

HTTP = {"name": "http", "port": 80}


@pytest.fixture
def client() -> Iterator[KubeClient]:
    with KubeServer() as api, KubeClient.connect(api.url, token=api.token, authority=api.authority) as client:
        yield client


def make(client: KubeClient, namespace: str, name: str, labels: dict[str, str], *ports: dict[str, object]) -> None:
    make_namespace(client, namespace)
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    client.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [*(ports or (HTTP,))]}}
    )


def test_the_usual_namespace_comes_before_all_others(client: KubeClient) -> None:
    make(client, "kfambassador", "gateway", {**GATEWAY_LABELS})
    make(client, "tenant", "decoy", {**GATEWAY_LABELS})
    found = find_gateway(client, {})
    assert (found.place, found.is_named) == ("Service gateway in namespace kfambassador", True)


def test_the_namespace_that_is_named_is_the_only_one(client: KubeClient) -> None:
    make(client, "kfambassador", "gateway", {**GATEWAY_LABELS})
    make(client, "platform", "gateway", {**GATEWAY_LABELS})
    found = find_gateway(client, {"KFAMBASSADOR_NAMESPACE": "platform"})
    assert (found.namespace, found.is_named) == ("platform", True)
    with pytest.raises(ConfigurationError, match=r"no Service with .*component=gateway in namespace 'empty'"):
        find_gateway(client, {"KFAMBASSADOR_NAMESPACE": "empty"})


def test_a_gateway_that_is_only_found_was_named_by_nobody(client: KubeClient) -> None:
    make(client, "tenant", "gateway", {**GATEWAY_LABELS})
    found = find_gateway(client, {})
    assert (found.namespace, found.is_named) == ("tenant", False)


def test_none_is_told_with_what_was_looked_for_and_what_to_set(client: KubeClient) -> None:
    make(client, "tenant", "mnist", {"app.kubernetes.io/name": "kfambassador"})
    with pytest.raises(ConfigurationError) as raised:
        find_gateway(client, {})
    said = str(raised.value)
    assert "app.kubernetes.io/name=kfambassador,app.kubernetes.io/component=gateway in any namespace" in said
    assert "KFAMBASSADOR_NAMESPACE" in said
    assert "KFAMBASSADOR_URL" in said


def test_several_are_told_by_name_and_none_is_chosen(client: KubeClient) -> None:
    for namespace in ("a", "b"):
        make(client, namespace, "gateway", {**GATEWAY_LABELS})
    with pytest.raises(ConfigurationError, match=r"There are 2 gateways: .* are a/gateway, b/gateway\. Set"):
        find_gateway(client, {})


@pytest.mark.parametrize(
    ("own", "beside", "url"),
    [
        ([HTTP, {"name": "diagnostics", "port": 8877}], [], "http://gateway.kfambassador:8877"),
        ([HTTP], [{"name": "diagnostics", "port": 8877}], "http://read-api.kfambassador:8877"),
        ([HTTP], [{"name": "web", "port": 80}], "http://read-api.kfambassador"),
        ([HTTP], [{"name": "web", "port": 80}, {"name": "diagnostics", "port": 81}], "http://read-api.kfambassador:81"),
        ([HTTP], [], None),
    ],
)
def test_the_read_api_is_a_port_or_a_service_of_its_own(
    client: KubeClient, own: list[dict[str, object]], beside: list[dict[str, object]], url: str | None
) -> None:
    make(client, "kfambassador", "gateway", {**GATEWAY_LABELS}, *own)
    if beside:
        make(client, "kfambassador", "read-api", {**READ_API_LABELS}, *beside)
    port = find_read_api(client, find_gateway(client, {}))
    assert (port.internal_url if port else None) == url
