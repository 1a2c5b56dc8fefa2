"""Publications in the embedded Kubernetes API: put there, changed, taken away; nobody else's is touched."""

import json
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kfambassador.errors import ConfigurationError, Conflict, MappingRejected, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import ObjectKey
from kfambassador.sdk.publishing.objects import (
    apply_plan,
    change_publication,
    delete_publication,
    list_leftovers,
    list_publications,
    preview,
)
from kfambassador.sdk.publishing.planning import Plan, Wish, build_plan
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.publishing.sources import Source
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.traffic.splitting import promote, put_variant, roll_back

Change = Callable[[Publication], Publication]

THEIRS = "---\napiVersion: ambassador/v0\nkind: Mapping\nname: theirs  # by hand\nprefix: /theirs/\nservice: theirs\n"


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def client(server: KubeServer) -> Iterator[KubeClient]:
    with KubeClient.connect(server.url, token=server.token, authority=server.authority) as client:
        yield client


def plan(name: str = "mnist", service: str | int | None = 8501, source: Source | None = None) -> Plan:
    kind = TFServing() if source is None else HTTPServer()
    return build_plan(
        Wish(name=name, service=service, server=kind, namespace="default", reaches_here=True, source=source)
    )


def annotating(name: str = "theirs", *, exposure: str = "mnist") -> Plan:
    return plan(exposure, source=Source(f"{name}.default:80", carrier=ObjectKey("Service", "default", name)))


def names(client: KubeClient) -> set[str]:
    names = {manifest["metadata"]["name"] for manifest in client.list(SERVICE, namespace="default").items}
    return names - {"kubernetes"}  # every cluster has that one by itself


def make_service(client: KubeClient, name: str, **metadata: object) -> None:
    spec = {"ports": [{"port": 80}]}
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, **metadata}, "spec": spec})


def read(client: KubeClient, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = client.get(SERVICE, name)["metadata"]
    return metadata


def planned(change: Change) -> Callable[[Publication], Plan]:
    return lambda known: Plan(change(known))


def test_applied_twice_is_applied_once(client: KubeClient) -> None:
    first = apply_plan(client, plan())
    assert apply_plan(client, plan()) == first
    assert names(client) == {"mnist"}


def test_many_who_publish_the_same_at_once_all_do(client: KubeClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: apply_plan(client, plan()), range(32)))
    assert len(versions) == 32
    assert names(client) == {"mnist"}


def test_what_an_earlier_plan_needed_is_taken_away(client: KubeClient) -> None:
    make_service(client, "mnist")
    apply_plan(client, plan(service="mnist:8501"))
    assert names(client) == {"mnist", "mnist-route"}
    client.delete(SERVICE, "mnist")
    apply_plan(client, plan())
    assert names(client) == {"mnist"}


def test_published_again_without_saying_where_the_model_is_takes_nothing_away(client: KubeClient) -> None:
    apply_plan(client, plan())
    with pytest.raises(MappingRejected, match="only carries the mappings of 'mnist'; say where the model is"):
        apply_plan(client, plan(service=None))
    assert names(client) == {"mnist"}


def test_published_things_are_found_again(client: KubeClient) -> None:
    planned = {name: plan(name) for name in ("mnist", "iris")}
    versions = {name: apply_plan(client, each) for name, each in planned.items()}
    make_service(client, "other")
    found = {publication.name: (publication, version) for publication, version in list_publications(client, "default")}
    assert found == {name: (planned[name].publication, versions[name]) for name in planned}
    assert [each.name for each, _ in list_publications(client, None, name="iris")] == ["iris"]


def test_deletes_its_own_and_nothing_else(client: KubeClient) -> None:
    for name in ("mnist", "mnist2"):
        apply_plan(client, plan(name))
    assert delete_publication(client, "default", "mnist")
    assert not delete_publication(client, "default", "mnist")
    assert names(client) == {"mnist2"}


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
    with pytest.raises(MappingRejected, match=f"{owner}.*service='service/mnist'"):
        apply_plan(client, plan())
    assert CONFIG_ANNOTATION not in read(client, "mnist").get("annotations", {})


def test_one_exposure_does_not_take_anothers_carrier(client: KubeClient) -> None:
    make_service(client, "mnist")
    apply_plan(client, plan("mnist", service="mnist:8501"))
    with pytest.raises(MappingRejected, match="it belongs to 'mnist'"):
        apply_plan(client, plan("mnist-route"))


def test_a_field_somebody_else_wrote_is_not_taken_over(server: KubeServer, client: KubeClient) -> None:
    apply_plan(client, plan())
    edit_as("kubectl-edit", server, {"metadata": {"annotations": {CONFIG_ANNOTATION: "# by hand"}}})
    with pytest.raises(Conflict, match=r"(?s)kubectl-edit.*take_over=True"):
        apply_plan(client, plan())
    apply_plan(client, plan(), force=True)
    ((publication, _),) = list_publications(client, "default")
    assert len(publication.mappings) == len(plan().publication.mappings)


def edit_as(manager: str, server: KubeServer, patch: dict[str, object]) -> None:
    # Our own client is always our own field manager.
    request = Request(
        f"{server.url}/api/v1/namespaces/default/services/mnist?fieldManager={manager}",
        data=json.dumps(patch).encode(),
        method="PATCH",
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/merge-patch+json"},
    )
    with urlopen(request, context=ssl.create_default_context(cadata=server.authority)):
        pass


def test_a_change_made_meanwhile_is_built_upon(server: KubeServer, client: KubeClient) -> None:
    apply_plan(client, plan())
    tries = []

    def change(known: Any) -> Plan:
        tries.append(known)
        if len(tries) == 1:  # somebody else's canary comes before ours
            other = put_variant(known, {"name": "theirs", "service": "x:1", "weight": 5})
            apply_plan(client, Plan(other))
        return Plan(put_variant(known, {"name": "canary", "service": "m2:1", "weight": 10}))

    publication, version = change_publication(client, "default", "mnist", change)
    assert [(each.name, each.weight) for each in publication.variants] == [
        ("stable", None),
        ("theirs", 5),
        ("canary", 10),
    ]
    assert (len(tries), version) == (2, read(client, "mnist")["resourceVersion"])


def test_each_change_of_traffic_is_one_version_of_one_object(client: KubeClient) -> None:
    apply_plan(client, plan())
    start = int(read(client, "mnist")["resourceVersion"])
    put: dict[str, object] = {"name": "canary", "service": "m2:1", "weight": 10}
    changes: list[Change] = [lambda known: put_variant(known, put), lambda known: promote(known, "canary"), roll_back]
    for count, change in enumerate(changes, start=1):
        change_publication(client, "default", "mnist", planned(change))
        assert int(read(client, "mnist")["resourceVersion"]) == start + count
    assert names(client) == {"mnist"}


def test_what_is_not_published_cannot_be_changed(client: KubeClient) -> None:
    with pytest.raises(NotFound, match="'mnist' in namespace 'default' any more; publish it again"):
        change_publication(client, "default", "mnist", Plan)


def test_a_service_that_was_made_stays_while_anybody_may_go_back_to_it(client: KubeClient) -> None:
    made: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mnist-to-v2"},
        "spec": {"selector": {"app": "v2"}, "ports": [{"port": 80}]},
    }
    apply_plan(client, plan())
    fields: dict[str, object] = {"name": "canary", "service": "mnist-to-v2.default:80", "weight": 10}
    change_publication(client, "default", "mnist", lambda known: Plan(put_variant(known, fields), (made,)))
    change_publication(client, "default", "mnist", planned(lambda known: promote(known, "canary")))
    assert names(client) == {"mnist", "mnist-to-v2"}
    change_publication(client, "default", "mnist", planned(roll_back))
    assert names(client) == {"mnist"}


# Somebody else's Service


@pytest.mark.parametrize("text", ["", THEIRS])
def test_an_existing_service_is_annotated_and_left_as_it_was(client: KubeClient, text: str) -> None:
    annotations = {"team": "a", **({CONFIG_ANNOTATION: text} if text else {})}
    make_service(client, "theirs", annotations=annotations, labels={"app": "theirs"})
    before = client.get(SERVICE, "theirs")
    apply_plan(client, annotating())
    ((publication, _),) = list_publications(client, "default")
    assert (publication.name, publication.annotates) == ("mnist", True)
    assert [mapping.prefix for mapping in publication.mappings] == ["/mnist/"]
    assert read(client, "theirs")["annotations"][CONFIG_ANNOTATION].startswith(text)
    assert apply_plan(client, annotating()) == read(client, "theirs")["resourceVersion"]
    (removed,) = delete_publication(client, "default", "mnist")
    after = client.get(SERVICE, "theirs")
    # The gateway goes on with the version that carries their configuration, if there is any.
    assert (removed.key.name, removed.left) == ("theirs", after["metadata"]["resourceVersion"] if text else "")
    for each in (before, after):
        for noise in ("managedFields", "resourceVersion"):
            each["metadata"].pop(noise, None)
    assert after == before


def test_an_annotated_service_may_have_canaries(client: KubeClient) -> None:
    make_service(client, "theirs", annotations={CONFIG_ANNOTATION: THEIRS})
    apply_plan(client, annotating())
    fields: dict[str, object] = {"name": "canary", "service": "m2:1", "weight": 10}
    changed, _ = change_publication(client, "default", "mnist", lambda known: Plan(put_variant(known, fields)))
    ((found, _),) = list_publications(client, "default")
    assert found == changed
    assert len(found.mappings) == 4
    assert read(client, "theirs")["annotations"][CONFIG_ANNOTATION].startswith(THEIRS)


def test_moving_away_from_an_annotated_service_cleans_it(client: KubeClient) -> None:
    make_service(client, "theirs", annotations={CONFIG_ANNOTATION: THEIRS})
    apply_plan(client, annotating())
    apply_plan(client, plan())
    metadata = read(client, "theirs")
    assert (metadata["annotations"], metadata.get("labels", {})) == ({CONFIG_ANNOTATION: THEIRS}, {})
    assert names(client) == {"mnist", "theirs"}


def test_an_annotated_service_that_went_is_said(client: KubeClient) -> None:
    with pytest.raises(NotFound, match="theirs"):
        apply_plan(client, annotating())


# Looking first, and what is left


def test_a_preview_changes_nothing(client: KubeClient) -> None:
    before, after = preview(client, plan().publication)
    assert before is None
    assert CONFIG_ANNOTATION in after["metadata"]["annotations"]  # type: ignore[index]  # JSON
    assert names(client) == set()
    make_service(client, "theirs", annotations={CONFIG_ANNOTATION: THEIRS})
    before, after = preview(client, annotating().publication)
    assert before == client.get(SERVICE, "theirs")
    assert after["metadata"]["annotations"][CONFIG_ANNOTATION].startswith(THEIRS)  # type: ignore[index]  # JSON


def test_what_an_interrupted_call_left_is_listed_and_nothing_else(client: KubeClient) -> None:
    labels = {"app.kubernetes.io/managed-by": "kfambassador", "kfambassador/exposure": "gone"}
    make_service(client, "gone-to-x", labels=labels)
    make_service(client, "other")
    made: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mnist-to-v1"},
        "spec": {"ports": [{"port": 80}]},
    }
    apply_plan(client, replace(plan(service="mnist-to-v1:80"), services=(made,)))
    ((left, reason),) = list_leftovers(client, "default")
    assert (left["metadata"]["name"], reason) == (  # type: ignore[index]  # JSON
        "gone-to-x",
        "it was made for 'gone', which nothing publishes any more",
    )


@pytest.mark.parametrize("name", ["", "mnist,app.kubernetes.io/name", "mnist\n", "mnist!=x"])
def test_what_cannot_be_a_name_is_the_name_of_nothing(client: KubeClient, name: str) -> None:
    apply_plan(client, plan("mnist"))
    assert list(list_publications(client, "default", name=name)) == []
    assert delete_publication(client, "default", name) == ()
    assert names(client) == {"mnist"}


def test_no_name_deletes_nothing(client: KubeClient) -> None:
    apply_plan(client, plan("mnist"))
    with pytest.raises(ConfigurationError, match="expected the name that a model is published by, got None"):
        delete_publication(client, "default", None)  # type: ignore[arg-type]
    assert names(client) == {"mnist"}


def test_a_refused_change_says_that_all_stays_as_it_is(client: KubeClient) -> None:
    apply_plan(client, plan("mnist"))
    with pytest.raises(MappingRejected, match="mnist stays as it is in namespace default:"):
        change_publication(client, "default", "mnist", planned(lambda known: promote(known, "canary")))
