"""The client against a Kubernetes API that really stores: what it promises must be what the API does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kfambassador.errors import BadRequest, Conflict, NotFound, Unauthorized
from kfambassador.kube.client import EventType, KubeClient, Manifest
from kfambassador.kube.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, SECRET, SERVICE
from kfambassador.local.kube.server import KubeServer
from tests.cluster.servers import write_kubeconfig

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def server() -> Iterator[KubeServer]:
    """Return a running API, empty but for its own objects."""
    with KubeServer() as server:
        yield server


@pytest.fixture(params=["address", "kubeconfig"])
def client(request: pytest.FixtureRequest, server: KubeServer, tmp_path: Path) -> Iterator[KubeClient]:
    """Return a client that works in the namespace of its test."""
    write_kubeconfig(server, tmp_path / "config")
    connected = (
        KubeClient.connect(server.url, token=server.token, authority=server.authority)
        if request.param == "address"
        else KubeClient.from_kubeconfig(path=tmp_path / "config")
    )
    with connected:
        yield connected
        for service in connected.list(SERVICE, label_selector="test=client").items:
            connected.delete(SERVICE, service["metadata"]["name"])


def service(name: str, *, port: int = 80, **labels: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {"test": "client", **labels}},
        "spec": {"ports": [{"port": port}]},
    }


def versioned(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])


def test_the_life_of_an_object(client: KubeClient) -> None:
    created = client.apply(service("mnist", tier="one"))
    assert client.get(SERVICE, "mnist") == created
    patched = client.patch(SERVICE, "mnist", {"metadata": {"labels": {"tier": None}, "annotations": {"a": "b"}}})
    assert patched["metadata"]["annotations"] == {"a": "b"}
    assert "tier" not in patched["metadata"]["labels"]
    assert versioned(patched) > versioned(created)
    replaced = client.replace(patched | {"spec": patched["spec"] | {"sessionAffinity": "ClientIP"}})
    assert replaced["spec"]["sessionAffinity"] == "ClientIP"
    assert client.delete(SERVICE, "mnist") is True
    assert client.delete(SERVICE, "mnist") is False
    with pytest.raises(NotFound, match="mnist"):
        client.get(SERVICE, "mnist")


def test_applying_the_same_again_changes_nothing(client: KubeClient) -> None:
    assert client.apply(service("mnist")) == client.apply(service("mnist"))


def test_applying_without_a_field_gives_it_up(client: KubeClient) -> None:
    client.apply(service("mnist", tier="one"))
    assert client.apply(service("mnist"))["metadata"]["labels"] == {"test": "client"}


def test_a_dry_run_stores_nothing(client: KubeClient) -> None:
    assert client.apply(service("dry"), dry_run=True)["metadata"]["name"] == "dry"
    with pytest.raises(NotFound):
        client.get(SERVICE, "dry")


def test_creating_twice_is_a_conflict(client: KubeClient) -> None:
    client.create(service("mnist"))
    with pytest.raises(Conflict) as raised:
        client.create(service("mnist"))
    assert raised.value.reason == "AlreadyExists"


def test_replacing_what_somebody_changed_meanwhile_is_a_conflict(client: KubeClient) -> None:
    first = client.create(service("mnist"))
    client.patch(SERVICE, "mnist", {"metadata": {"annotations": {"somebody": "else"}}})
    with pytest.raises(Conflict):
        client.replace(first)


def test_an_invalid_object_is_refused_in_the_servers_words(client: KubeClient) -> None:
    with pytest.raises(BadRequest, match="port"):
        client.apply(service("mnist", port=70_000))


def test_objects_are_listed_by_namespace_and_label(client: KubeClient) -> None:
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    client.apply(service("a", tier="one"))
    client.apply(service("b", tier="two"))
    labelled = client.list(SERVICE, label_selector="test=client,tier=two").items
    assert [(item["kind"], item["metadata"]["name"]) for item in labelled] == [("Service", "b")]
    assert client.list(SERVICE, namespace="other").items == ()
    assert len(client.list(SERVICE, namespace="default", label_selector="test=client").items) == 2
    assert {"default", "other"} <= {item["metadata"]["name"] for item in client.list(NAMESPACE).items}


def test_a_long_listing_comes_whole(client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfambassador.kube.client._PAGE", 3)
    for number in range(8):
        client.apply(service(f"s{number}"))
    listed = client.list(SERVICE, namespace="default", label_selector="test=client")
    assert [item["metadata"]["name"] for item in listed.items] == [f"s{number}" for number in range(8)]


def test_a_watch_goes_on_where_a_listing_stood(client: KubeClient) -> None:
    client.apply(service("before"))
    since = client.list(SERVICE).resource_version
    client.apply(service("mnist"))
    client.patch(SERVICE, "mnist", {"metadata": {"annotations": {"a": "b"}}})
    client.delete(SERVICE, "mnist")
    watch = (event for event in client.watch(SERVICE, since=since) if event.type is not EventType.BOOKMARK)
    events = [next(watch) for _ in range(3)]
    assert [(event.type, event.manifest["metadata"]["name"]) for event in events] == [
        (EventType.ADDED, "mnist"),
        (EventType.MODIFIED, "mnist"),
        (EventType.DELETED, "mnist"),
    ]
    versions = [int(event.resource_version) for event in events]
    assert versions == sorted({*versions, int(since)} - {int(since)})


def test_the_server_ends_a_watch_in_time(client: KubeClient) -> None:
    since = client.list(SECRET).resource_version
    assert {event.type for event in client.watch(SECRET, since=since, timeout=1)} <= {EventType.BOOKMARK}


def test_a_wrong_token_is_refused(server: KubeServer) -> None:
    with (
        KubeClient.connect(server.url, token="wrong", authority=server.authority) as client,
        pytest.raises(Unauthorized),
    ):
        client.list(SERVICE)


def test_definitions_live_outside_namespaces(client: KubeClient) -> None:
    assert client.list(CUSTOM_RESOURCE_DEFINITION).resource_version
