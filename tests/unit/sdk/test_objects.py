"""Publications in the embedded Kubernetes API: put there, changed, taken away; nobody else's is touched."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.request import Request, urlopen

import pytest

from kfambassador.errors import Conflict, MappingRejected
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, SERVICE, Kind
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.sdk.objects import apply_plan, delete_publication, list_publications
from kfambassador.sdk.publication import Plan, build_plan
from kfambassador.sdk.servers import TFServing


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def client(server: KubeServer) -> Iterator[KubeClient]:
    with KubeClient.connect(server.url, token=server.token) as client:
        yield client


def plan(name: str = "mnist", service: str | int | None = 8501) -> Plan:
    return build_plan(
        name, service=service, server=TFServing(), namespace="default", attributes={}, labels={}, reaches_here=True
    )


def names(client: KubeClient, kind: Kind) -> set[str]:
    return {manifest["metadata"]["name"] for manifest in client.list(kind, namespace="default").items}


def make_service(client: KubeClient, name: str, **metadata: object) -> None:
    spec = {"ports": [{"port": 80}]}
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **metadata}, "spec": spec})


def test_applied_twice_is_applied_once(client: KubeClient) -> None:
    first = apply_plan(client, plan())
    assert apply_plan(client, plan()) == first
    assert (names(client, SERVICE), names(client, ENDPOINT_SLICE)) == ({"mnist"}, {"mnist"})


def test_many_who_publish_the_same_at_once_all_do(client: KubeClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: apply_plan(client, plan()), range(32)))
    assert len(versions) == 32
    assert (names(client, SERVICE), names(client, ENDPOINT_SLICE)) == ({"mnist"}, {"mnist"})


def test_what_an_earlier_plan_needed_is_taken_away(client: KubeClient) -> None:
    apply_plan(client, plan())
    apply_plan(client, plan(service="mnist.team:8501"))
    assert (names(client, SERVICE), names(client, ENDPOINT_SLICE)) == ({"mnist"}, set())


def test_published_again_without_saying_where_the_model_is_takes_nothing_away(client: KubeClient) -> None:
    apply_plan(client, plan())
    with pytest.raises(MappingRejected, match="only carries the mappings of 'mnist'; say where the model is"):
        apply_plan(client, plan(service=None))
    assert (names(client, SERVICE), names(client, ENDPOINT_SLICE)) == ({"mnist"}, {"mnist"})


def test_published_things_are_found_again(client: KubeClient) -> None:
    planned = {name: plan(name) for name in ("mnist", "iris")}
    versions = {name: apply_plan(client, each) for name, each in planned.items()}
    make_service(client, "other")
    found = {publication.name: (publication, version) for publication, version in list_publications(client, "default")}
    assert found == {name: (planned[name].publication, versions[name]) for name in planned}
    assert [each.name for each, _ in list_publications(client, "default", name="iris")] == ["iris"]


def test_deletes_its_own_and_nothing_else(client: KubeClient) -> None:
    for name in ("mnist", "mnist2"):
        apply_plan(client, plan(name))
    assert delete_publication(client, "default", "mnist")
    assert not delete_publication(client, "default", "mnist")
    assert (names(client, SERVICE), names(client, ENDPOINT_SLICE)) == ({"mnist2"}, {"mnist2"})


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "it is managed by Helm"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "InferenceService", "name": "iris", "uid": "1"}]},
            "it belongs to InferenceService iris",
        ),
        ({}, "kfambassador wrote it"),
    ],
)
def test_a_name_somebody_else_holds_is_refused_naming_the_owner(
    client: KubeClient, metadata: dict[str, object], owner: str
) -> None:
    make_service(client, "mnist", **metadata)
    with pytest.raises(MappingRejected, match=owner):
        apply_plan(client, plan())
    stored = client.get(SERVICE, "mnist")["metadata"]
    assert CONFIG_ANNOTATION not in stored.get("annotations", {})
    assert names(client, ENDPOINT_SLICE) == set()


def test_one_exposure_does_not_take_anothers_carrier(client: KubeClient) -> None:
    apply_plan(client, plan("mnist", service="mnist:8501"))
    with pytest.raises(MappingRejected, match="it belongs to 'mnist', published from"):
        apply_plan(client, plan("mnist-route"))


def test_a_field_somebody_else_wrote_is_not_taken_over(server: KubeServer, client: KubeClient) -> None:
    apply_plan(client, plan())
    # Our own client is always our own field manager.
    request = Request(
        f"{server.url}/api/v1/namespaces/default/services/mnist?fieldManager=kubectl-edit",
        data=json.dumps({"metadata": {"annotations": {CONFIG_ANNOTATION: "# by hand"}}}).encode(),
        method="PATCH",
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/merge-patch+json"},
    )
    with urlopen(request):
        pass
    with pytest.raises(Conflict, match="kubectl-edit"):
        apply_plan(client, plan())
