"""Deletion: what goes at once, what goes along, what stays behind and what waits.

A cluster's garbage collector does its part at its leisure, so what it does is waited for.
"""

import os
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from tests.cluster.raw_api import Answer, Object, RawApi, config_map, service

pytestmark = pytest.mark.controllers

HOLD = "example.com/hold"


def eventually(see: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 60
    while not see():
        assert time.monotonic() < until, "it did not come to be so within a minute"
        time.sleep(0.05)


def owned(name: str, *owners: Object, blocks: bool = False, **metadata: object) -> Object:
    """A ConfigMap with owners."""
    references = [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": blocks,
        }
        for owner in owners
    ]
    return config_map(name, ownerReferences=references, **metadata)


def is_gone(api: RawApi, path: str) -> bool:
    return api.get(path).code == 404


def let_go(api: RawApi, path: str) -> Answer:
    return api.patch(path, {"metadata": {"finalizers": None}})


@pytest.mark.parametrize("path", ["/api/v1/configmaps", "/api/v1/services", "/apis/apps/v1/deployments"])
def test_nothing_is_deleted_across_namespaces(api: RawApi, config_maps: str, path: str) -> None:
    api.create(config_maps, config_map("stays"))
    answer = api.delete(path)
    assert (answer.code, answer.reason) == (405, "MethodNotAllowed")
    assert api.get(f"{config_maps}/stays").code == 200


def test_namespaces_are_deleted_one_by_one(api: RawApi, namespace: str) -> None:
    assert api.delete("/api/v1/namespaces").code == 405
    assert api.get(f"/api/v1/namespaces/{namespace}").object["status"]["phase"] == "Active"
    verbs = {entry["name"]: entry["verbs"] for entry in api.get("/api/v1").object["resources"]}
    assert "deletecollection" not in verbs["namespaces"]
    assert "deletecollection" in verbs["configmaps"]


def test_a_dry_run_of_a_collection_deletes_nothing(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    answer = api.delete(config_maps, dryRun="All", labelSelector="!never")
    assert answer.code == 200
    assert api.get(f"{config_maps}/a").code == 200


def test_the_options_of_a_delete_stand_in_its_body(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    assert api.delete(f"{config_maps}/a", {"dryRun": ["All"]}).code == 200
    assert api.get(f"{config_maps}/a").code == 200


def test_in_the_foreground_the_owner_goes_last(api: RawApi, config_maps: str) -> None:
    owner = api.create(config_maps, config_map("owner")).object
    api.create(config_maps, owned("held", owner, blocks=True, finalizers=[HOLD]))
    api.create(config_maps, owned("free", owner, blocks=True))
    with api.watch(config_maps, resourceVersion=api.get(config_maps).version, labelSelector="") as events:
        answer = api.delete(f"{config_maps}/owner", {"propagationPolicy": "Foreground"})
        assert answer.code == 200
        assert answer.object["metadata"]["finalizers"] == ["foregroundDeletion"]
        assert answer.object["metadata"]["deletionTimestamp"]
        eventually(lambda: is_gone(api, f"{config_maps}/free"))
        eventually(lambda: "deletionTimestamp" in api.get(f"{config_maps}/held").object["metadata"])
        assert api.get(f"{config_maps}/owner").code == 200
        let_go(api, f"{config_maps}/held")
        eventually(lambda: is_gone(api, f"{config_maps}/owner"))
        api.create(config_maps, config_map("last"))
        seen = []
        for event in events:
            if event["object"]["metadata"]["name"] == "owner":
                seen.append(event["type"])
            if event["object"]["metadata"]["name"] == "last":
                break
    assert seen == ["MODIFIED", "DELETED"]


def test_who_does_not_block_holds_no_owner(api: RawApi, config_maps: str) -> None:
    owner = api.create(config_maps, config_map("owner")).object
    api.create(config_maps, owned("held", owner, finalizers=[HOLD]))
    api.delete(f"{config_maps}/owner", {"propagationPolicy": "Foreground"})
    eventually(lambda: is_gone(api, f"{config_maps}/owner"))
    eventually(lambda: "deletionTimestamp" in api.get(f"{config_maps}/held").object["metadata"])
    let_go(api, f"{config_maps}/held")


def test_a_foreground_deletion_goes_down_all_floors(api: RawApi, config_maps: str) -> None:
    owner = api.create(config_maps, config_map("owner")).object
    middle = api.create(config_maps, owned("middle", owner, blocks=True)).object
    api.create(config_maps, owned("last", middle, blocks=True, finalizers=[HOLD]))
    api.delete(f"{config_maps}/owner", {"propagationPolicy": "Foreground"})
    eventually(lambda: "deletionTimestamp" in api.get(f"{config_maps}/last").object["metadata"])
    assert api.get(f"{config_maps}/middle").object["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert api.get(f"{config_maps}/owner").code == 200
    let_go(api, f"{config_maps}/last")
    eventually(lambda: is_gone(api, f"{config_maps}/owner"))


def test_two_that_own_each_other_go(api: RawApi, config_maps: str) -> None:
    first = api.create(config_maps, config_map("first")).object
    second = api.create(config_maps, owned("second", first, blocks=True)).object
    references = owned("first", second, blocks=True)["metadata"]["ownerReferences"]
    api.patch(f"{config_maps}/first", {"metadata": {"ownerReferences": references}})
    api.delete(f"{config_maps}/first", {"propagationPolicy": "Foreground"})
    eventually(lambda: is_gone(api, f"{config_maps}/first") and is_gone(api, f"{config_maps}/second"))


def test_a_long_chain_of_owners_goes(api: RawApi, config_maps: str) -> None:
    first = above = api.create(config_maps, config_map("owner-0")).object
    for number in range(1, 400):
        above = api.create(config_maps, owned(f"owner-{number}", above)).object
    assert api.delete(f"{config_maps}/{first['metadata']['name']}").code == 200
    eventually(
        lambda: not any(item["metadata"]["name"].startswith("owner-") for item in api.get(config_maps).object["items"])
    )


@pytest.mark.parametrize(
    "options", [{"propagationPolicy": "Orphan"}, {"orphanDependents": True}], ids=["policy", "old option"]
)
def test_what_is_orphaned_stays(api: RawApi, config_maps: str, options: Object) -> None:
    owner = api.create(config_maps, config_map("owner")).object
    api.create(config_maps, owned("stays", owner))
    assert api.delete(f"{config_maps}/owner", options).code == 200
    eventually(lambda: is_gone(api, f"{config_maps}/owner"))
    assert "ownerReferences" not in api.get(f"{config_maps}/stays").object["metadata"]


def test_what_is_not_orphaned_goes(api: RawApi, config_maps: str) -> None:
    owner = api.create(config_maps, config_map("owner")).object
    api.create(config_maps, owned("goes", owner))
    api.delete(f"{config_maps}/owner", {"orphanDependents": False})
    eventually(lambda: is_gone(api, f"{config_maps}/goes"))


def test_an_object_says_itself_that_it_orphans(api: RawApi, config_maps: str) -> None:
    owner = api.create(config_maps, config_map("owner", finalizers=["orphan"])).object
    api.create(config_maps, owned("stays", owner))
    api.delete(f"{config_maps}/owner")
    eventually(lambda: is_gone(api, f"{config_maps}/owner"))
    assert "ownerReferences" not in api.get(f"{config_maps}/stays").object["metadata"]


def test_an_owner_that_never_was_takes_its_objects_along(api: RawApi, config_maps: str) -> None:
    ghost = config_map("ghost", uid="11111111-2222-3333-4444-555555555555")
    assert api.create(config_maps, owned("goes", ghost)).code == 201
    eventually(lambda: is_gone(api, f"{config_maps}/goes"))


def test_an_owner_in_another_namespace_is_none(api: RawApi, config_maps: str) -> None:
    elsewhere = api.create("/api/v1/namespaces/default/configmaps", config_map("elsewhere")).object
    api.create(config_maps, owned("goes", elsewhere))
    eventually(lambda: is_gone(api, f"{config_maps}/goes"))
    api.delete("/api/v1/namespaces/default/configmaps/elsewhere")


def test_an_owner_that_cannot_be_known_holds_nothing_and_takes_nothing(api: RawApi, config_maps: str) -> None:
    ghost = {"apiVersion": "example.com/v1", "kind": "Ghost", "metadata": {"name": "ghost", "uid": "1-2-3"}}
    owner = api.create(config_maps, config_map("owner")).object
    api.create(config_maps, owned("stays", ghost))
    api.create(config_maps, owned("goes", owner))
    api.delete(f"{config_maps}/owner")
    eventually(lambda: is_gone(api, f"{config_maps}/goes"))
    assert api.get(f"{config_maps}/stays").code == 200


def test_one_owner_of_two_is_enough(api: RawApi, config_maps: str) -> None:
    owners = [api.create(config_maps, config_map(name)).object for name in ("first", "second")]
    api.create(config_maps, owned("stays", *owners))
    api.delete(f"{config_maps}/first")

    def left() -> list[str]:
        metadata = api.get(f"{config_maps}/stays").object["metadata"]
        return [reference["name"] for reference in metadata["ownerReferences"]]

    eventually(lambda: left() == ["second"])
    api.delete(f"{config_maps}/second")
    eventually(lambda: is_gone(api, f"{config_maps}/stays"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            "orphanDependents and deletionPropagation cannot be both set",
        ),
        (
            {"propagationPolicy": "Sideways"},
            'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan"',
        ),
        ({"dryRun": ["Some"]}, 'supported values: "All"'),
    ],
)
def test_options_that_make_no_sense_delete_nothing(
    api: RawApi, config_maps: str, options: Object, message: str
) -> None:
    api.create(config_maps, config_map("a"))
    answer = api.delete(f"{config_maps}/a", options)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith('DeleteOptions.meta.k8s.io "" is invalid: ')
    assert message in answer.message
    assert api.get(f"{config_maps}/a").code == 200


def test_preconditions_say_what_was_met(api: RawApi, config_maps: str) -> None:
    created = api.create(config_maps, config_map("a"))
    answer = api.delete(f"{config_maps}/a", {"preconditions": {"uid": "other"}})
    assert answer.code == 409
    assert created.object["metadata"]["uid"] in answer.message
    answer = api.delete(f"{config_maps}/a", {"preconditions": {"resourceVersion": "1"}})
    assert answer.code == 409
    assert created.version in answer.message


def test_no_finalizer_is_added_to_what_is_going(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", finalizers=["a.b/c"]))
    api.delete(f"{config_maps}/a")
    answer = api.patch(f"{config_maps}/a", {"metadata": {"finalizers": ["a.b/c", "c.d/e"]}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    expected = (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new"
        ' finalizers []string{"c.d/e"}'
    )
    assert expected in answer.message
    assert let_go(api, f"{config_maps}/a").code == 200
    assert is_gone(api, f"{config_maps}/a")


def test_the_last_finalizer_shows_no_change_before_the_end(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", finalizers=[HOLD]))
    with api.watch(config_maps, resourceVersion=api.get(config_maps).version) as events:
        api.delete(f"{config_maps}/a")
        let_go(api, f"{config_maps}/a")
        assert [event["type"] for event in islice(events, 2)] == ["MODIFIED", "DELETED"]


def test_what_is_going_counts_a_generation_more(api: RawApi, namespace: str) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "finalizers": [HOLD]},
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    }
    assert api.create(path, ingress).object["metadata"]["generation"] == 1
    assert api.delete(f"{path}/web").object["metadata"]["generation"] == 2
    let_go(api, f"{path}/web")


def test_a_service_that_waits_is_answered_whole(api: RawApi, services: str) -> None:
    api.create(services, service("web", finalizers=[HOLD]))
    answer = api.delete(f"{services}/web")
    assert (answer.code, answer.object["kind"]) == (200, "Service")
    assert api.delete(f"{services}/web").object["metadata"]["deletionTimestamp"]
    let_go(api, f"{services}/web")


@pytest.fixture
def held(api: RawApi, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return a namespace that is going, and held by a ConfigMap with a finalizer."""
    name = f"held-{os.getpid()}-{abs(hash(request.node.name)) % 10_000}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    api.create(f"/api/v1/namespaces/{name}/configmaps", config_map("held", finalizers=[HOLD]))
    api.delete(f"/api/v1/namespaces/{name}")
    yield name
    let_go(api, f"/api/v1/namespaces/{name}/configmaps/held")


def test_a_namespace_says_what_holds_it(api: RawApi, held: str) -> None:
    def conditions() -> dict[str, Object]:
        status = api.get(f"/api/v1/namespaces/{held}").object["status"]
        return {each["type"]: each for each in status.get("conditions") or ()}

    eventually(lambda: "NamespaceFinalizersRemaining" in conditions())
    rest, finalizers = (conditions()[f"Namespace{name}Remaining"] for name in ("Content", "Finalizers"))
    assert (rest["status"], rest["reason"]) == ("True", "SomeResourcesRemain")
    assert "configmaps. has 1 resource instances" in rest["message"]
    assert (finalizers["status"], finalizers["reason"]) == ("True", "SomeFinalizersRemain")
    assert f"{HOLD} in 1 resource instances" in finalizers["message"]
    assert conditions()["NamespaceDeletionContentFailure"]["status"] == "False"
    let_go(api, f"/api/v1/namespaces/{held}/configmaps/held")
    eventually(lambda: is_gone(api, f"/api/v1/namespaces/{held}"))


def test_a_namespace_can_be_let_go(api: RawApi, held: str) -> None:
    path = f"/api/v1/namespaces/{held}"
    found = api.get(path).object
    kept = api.replace(path, found | {"spec": {"finalizers": []}}).object
    assert kept["spec"]["finalizers"] == ["kubernetes"]
    answer = api.replace(f"{path}/finalize", kept | {"spec": {"finalizers": []}})
    assert answer.code == 200
    eventually(lambda: is_gone(api, path))


def test_a_namespace_is_finalized_by_replacing_only(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/finalize"
    assert api.get(path).code == 405
    assert api.patch(path, {"spec": {"finalizers": []}}).code == 405
    names = {entry["name"]: entry["verbs"] for entry in api.get("/api/v1").object["resources"]}
    assert names["namespaces/finalize"] == ["update"]
