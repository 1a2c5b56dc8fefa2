"""Patches in three languages, and server-side apply."""

import pytest

from tests.cluster.raw_api import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Object,
    RawApi,
    config_map,
    service,
)


def applied(name: str, **spec: object) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


PORT = {"name": "http", "port": 80}


def test_a_merge_patch_replaces_lists(api: RawApi, services: str) -> None:
    api.create(services, service("web"))
    patch = {"spec": {"ports": [{"port": 81}]}, "metadata": {"labels": {"a": "b"}}}
    spec = api.patch(f"{services}/web", patch, MERGE_PATCH).object["spec"]
    assert [port["port"] for port in spec["ports"]] == [81]


def test_a_strategic_patch_merges_lists_by_key(api: RawApi, services: str) -> None:
    api.create(services, service("web"))
    patch = {"spec": {"ports": [{"name": "extra", "port": 81}]}}
    ports = api.patch(f"{services}/web", patch, STRATEGIC_PATCH).object["spec"]["ports"]
    assert [port["port"] for port in ports] == [80, 81]
    patch = {"spec": {"ports": [{"$patch": "delete", "port": 80}]}}
    ports = api.patch(f"{services}/web", patch, STRATEGIC_PATCH).object["spec"]["ports"]
    assert [port["port"] for port in ports] == [81]


def test_a_json_patch_is_whole_or_nothing(api: RawApi, services: str) -> None:
    api.create(services, service("web"))
    good = {"op": "replace", "path": "/spec/ports/0/port", "value": 81}
    answer = api.patch(f"{services}/web", [good, {"op": "test", "path": "/spec/type", "value": "x"}], JSON_PATCH)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith("the server rejected our request due to an error in our request")
    assert api.get(f"{services}/web").object["spec"]["ports"][0]["port"] == 80
    assert api.patch(f"{services}/web", [good], JSON_PATCH).object["spec"]["ports"][0]["port"] == 81


def test_a_json_patch_copies_moves_and_tests(api: RawApi, config_maps: str) -> None:
    start = config_map("a", annotations={"a/b": "1", "c": "2"})
    api.create(config_maps, start)
    patch = [
        {"op": "test", "path": "/data/key", "value": "value"},
        {"op": "copy", "from": "/data/key", "path": "/data/copied"},
        {"op": "move", "from": "/data/key", "path": "/data/moved"},
        {"op": "test", "path": "/metadata/annotations/a~1b", "value": "1"},
        {"op": "remove", "path": "/metadata/annotations/a~1b"},
        {"op": "replace", "path": "/metadata/annotations/c", "value": "3"},
    ]
    answer = api.patch(f"{config_maps}/a", patch, JSON_PATCH)
    assert answer.object["data"] == {"copied": "value", "moved": "value"}
    assert answer.object["metadata"]["annotations"] == {"c": "3"}


def test_a_json_patch_that_doubles_and_doubles_is_refused(api: RawApi, config_maps: str) -> None:
    before = api.create(config_maps, config_map("a"))
    patch = [{"op": "copy", "from": "", "path": f"/data/x{number}"} for number in range(60)]
    assert 400 <= api.patch(f"{config_maps}/a", patch, JSON_PATCH).code < 500
    assert api.get(f"{config_maps}/a").version == before.version


def test_a_json_patch_finds_places_in_lists(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", finalizers=["a.b/1", "a.b/3"]))
    patch = [
        {"op": "add", "path": "/metadata/finalizers/1", "value": "a.b/2"},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "a.b/4"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
        {"op": "test", "path": "/metadata/finalizers/0", "value": "a.b/2"},
    ]
    metadata = api.patch(f"{config_maps}/a", patch, JSON_PATCH).object["metadata"]
    assert metadata["finalizers"] == ["a.b/2", "a.b/3", "a.b/4"]
    api.patch(f"{config_maps}/a", {"metadata": {"finalizers": None}})


def deployment(name: str, **template: object) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "x"}], **template},
            },
        },
    }


def test_a_strategic_patch_keeps_what_it_is_told_to(api: RawApi, deployments: str) -> None:
    api.create(deployments, deployment("web"))
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    answer = api.patch(f"{deployments}/web", patch, STRATEGIC_PATCH)
    assert answer.object["spec"]["strategy"] == {"type": "Recreate"}


def test_a_strategic_patch_replaces_the_source_of_a_volume(api: RawApi, deployments: str) -> None:
    api.create(deployments, deployment("web", volumes=[{"name": "v", "emptyDir": {}}]))
    volume = {"name": "v", "configMap": {"name": "c"}, "$retainKeys": ["name", "configMap"]}
    patch = {"spec": {"template": {"spec": {"volumes": [volume]}}}}
    (found,) = api.patch(f"{deployments}/web", patch, STRATEGIC_PATCH).object["spec"]["template"]["spec"]["volumes"]
    assert found["configMap"]["name"] == "c"
    assert "emptyDir" not in found


def test_a_strategic_patch_orders_a_list(api: RawApi, deployments: str) -> None:
    containers = [{"name": name, "image": "x"} for name in ("a", "b")]
    api.create(deployments, deployment("web", containers=containers))
    order = [{"name": name} for name in ("c", "b", "a")]
    spec = {"$setElementOrder/containers": order, "containers": [{"name": "c", "image": "y"}]}
    answer = api.patch(f"{deployments}/web", {"spec": {"template": {"spec": spec}}}, STRATEGIC_PATCH)
    found = answer.object["spec"]["template"]["spec"]["containers"]
    assert [(each["name"], each["image"]) for each in found] == [("c", "y"), ("b", "x"), ("a", "x")]


def test_a_strategic_patch_takes_words_from_a_list(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", finalizers=["a.b/1", "a.b/2"]))
    patch: Object = {"metadata": {"finalizers": ["a.b/3"]}}
    added = api.patch(f"{config_maps}/a", patch, STRATEGIC_PATCH).object
    assert added["metadata"]["finalizers"] == ["a.b/1", "a.b/2", "a.b/3"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/1", "a.b/3"]}}
    left = api.patch(f"{config_maps}/a", patch, STRATEGIC_PATCH).object
    assert left["metadata"]["finalizers"] == ["a.b/2"]
    api.patch(f"{config_maps}/a", {"metadata": {"finalizers": None}})


def test_a_strategic_patch_replaces_a_map_when_told_to(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    patch = {"data": {"$patch": "replace", "other": "x"}}
    assert api.patch(f"{config_maps}/a", patch, STRATEGIC_PATCH).object["data"] == {"other": "x"}
    patch = {"data": {"$patch": "delete"}}
    assert not api.patch(f"{config_maps}/a", patch, STRATEGIC_PATCH).object.get("data")


@pytest.mark.parametrize(
    ("patch", "media", "code"),
    [
        ({"spec": 1}, MERGE_PATCH, 400),
        ({"metadata": {"uid": [1]}}, MERGE_PATCH, 400),
        ({"metadata": {"resourceVersion": {}}}, MERGE_PATCH, 400),
        ({"metadata": {"labels": [1], "annotations": {"a": 1}}}, MERGE_PATCH, 400),
        ({"metadata": {"managedFields": [{"manager": 1}]}}, MERGE_PATCH, 400),
        ([], MERGE_PATCH, 400),
        ({"op": "add"}, JSON_PATCH, 400),
        ([{"op": "shake", "path": "/a"}], JSON_PATCH, 422),
        ([{"op": "add", "path": "/data/x"}], JSON_PATCH, 422),
        ([1], JSON_PATCH, 400),
        ([{"op": "test", "path": "/data/x", "value": "y"}] * 10_001, JSON_PATCH, 413),
        ([{"op": "remove", "path": "/spec/nothing"}], JSON_PATCH, 422),
        ({"spec": {"ports": [{"name": "x"}]}}, STRATEGIC_PATCH, 400),
        ({}, "application/json", 415),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(api: RawApi, services: str, patch: object, media: str, code: int) -> None:
    before = api.create(services, service("web"))
    assert api.patch(f"{services}/web", patch, media).code == code
    assert api.get(f"{services}/web").version == before.version


@pytest.mark.parametrize("field", ["name", "namespace", "uid"])
def test_an_object_keeps_its_identity(api: RawApi, services: str, field: str) -> None:
    api.create(services, service("web"))
    assert api.patch(f"{services}/web", {"metadata": {field: "other"}}).code in {400, 422}


def test_apply_creates_then_changes_nothing(api: RawApi, services: str) -> None:
    first = api.apply(f"{services}/web", applied("web", ports=[PORT]), "me")
    second = api.apply(f"{services}/web", applied("web", ports=[PORT]), "me")
    assert (first.code, second.code) == (201, 200)
    assert second.version == first.version
    (entry,) = second.object["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["fieldsType"]) == ("me", "Apply", "FieldsV1")
    assert entry["fieldsV1"] == {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}, "f:port": {}}}}
    }


def test_apply_removes_what_is_left_out(api: RawApi, services: str) -> None:
    two = [PORT, {"name": "extra", "port": 81}]
    api.apply(f"{services}/web", applied("web", ports=two, selector={"a": "b"}), "me")
    spec = api.apply(f"{services}/web", applied("web", ports=[PORT]), "me").object["spec"]
    assert [port["port"] for port in spec["ports"]] == [80]
    assert "selector" not in spec


def test_apply_leaves_what_others_own(api: RawApi, services: str) -> None:
    api.apply(f"{services}/web", applied("web", ports=[PORT]), "me")
    api.apply(f"{services}/web", applied("web", ports=[{"name": "extra", "port": 81}]), "you")
    spec = api.apply(f"{services}/web", applied("web", ports=[PORT]), "me").object["spec"]
    assert [port["port"] for port in spec["ports"]] == [80, 81]


def test_a_conflict_names_the_owner_and_the_field(api: RawApi, services: str) -> None:
    api.apply(f"{services}/web", applied("web", ports=[PORT]), "me")
    api.patch(f"{services}/web", {"metadata": {"labels": {"team": "a"}}}, fieldManager="kubectl-label")
    mine = applied("web", ports=[PORT]) | {"metadata": {"name": "web", "labels": {"team": "b"}}}
    answer = api.apply(f"{services}/web", mine, "me")
    assert (answer.code, answer.reason) == (409, "Conflict")
    expected = 'Apply failed with 1 conflict: conflict with "kubectl-label" using v1: .metadata.labels.team'
    assert answer.message == expected
    cause = {"field": ".metadata.labels.team", "message": 'conflict with "kubectl-label" using v1'}
    assert answer.object["details"]["causes"] == [cause | {"reason": "FieldManagerConflict"}]


def test_several_conflicts_are_listed_by_owner(api: RawApi, services: str) -> None:
    api.apply(f"{services}/web", applied("web", ports=[PORT], sessionAffinity="None", type="ClusterIP"), "me")
    answer = api.apply(f"{services}/web", applied("web", sessionAffinity="ClientIP", type="NodePort"), "you")
    expected = 'Apply failed with 2 conflicts: conflicts with "me":\n- .spec.sessionAffinity\n- .spec.type'
    assert answer.message == expected


def test_force_takes_a_field_over(api: RawApi, config_maps: str) -> None:
    mine = config_map("shared")
    api.apply(f"{config_maps}/shared", mine, "me")
    answer = api.apply(f"{config_maps}/shared", mine | {"data": {"key": "yours"}}, "you", force="true")
    assert answer.object["data"] == {"key": "yours"}
    assert [entry["manager"] for entry in answer.object["metadata"]["managedFields"]] == ["you"]


def test_the_same_value_is_shared(api: RawApi, config_maps: str) -> None:
    api.apply(f"{config_maps}/shared", config_map("shared"), "me")
    assert api.apply(f"{config_maps}/shared", config_map("shared"), "you").code == 200
    empty = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}}
    assert api.apply(f"{config_maps}/shared", empty, "me").object["data"] == {"key": "value"}
    assert "data" not in api.apply(f"{config_maps}/shared", empty, "you").object


def test_an_update_takes_fields_from_their_owner(api: RawApi, config_maps: str) -> None:
    api.apply(f"{config_maps}/shared", config_map("shared"), "me")
    api.patch(f"{config_maps}/shared", {"data": {"key": "edited"}}, fieldManager="editor")
    answer = api.apply(f"{config_maps}/shared", config_map("shared"), "me")
    assert answer.code == 409
    assert '"editor" using v1: .data.key' in answer.message


def test_apply_reads_yaml(api: RawApi, config_maps: str) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {when: 2024-01-01, on: 'yes'}\n"
    answer = api.patch(f"{config_maps}/a", text, APPLY_PATCH, fieldManager="me")
    assert answer.object["data"]["when"] == "2024-01-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: [", "error converting YAML to JSON"),
        (b"a: &x [1]\nb: *x\n", "aliases are not accepted"),
        (b"[" * 100_000, "nests deeper than"),
        (b"- 1", "not an object"),
        (b"a: " + b"x" * 300_000, "too large"),
    ],
)
def test_bad_yaml_is_refused(api: RawApi, config_maps: str, text: bytes, message: str) -> None:
    answer = api.patch(f"{config_maps}/a", text, APPLY_PATCH, fieldManager="me")
    assert answer.code in {400, 413}
    assert message in answer.message


def test_apply_needs_a_manager(api: RawApi, services: str) -> None:
    answer = api.patch(f"{services}/web", applied("web", ports=[PORT]), APPLY_PATCH)
    assert answer.code == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.message


def test_an_applied_status_goes_through_its_subresource(api: RawApi, services: str) -> None:
    api.apply(f"{services}/web", applied("web", ports=[PORT]), "me")
    status = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}} | status
    answer = api.apply(f"{services}/web/status", body, "controller")
    assert answer.object["status"]["conditions"] == status["status"]["conditions"]
    owners = {(entry["manager"], entry.get("subresource")) for entry in answer.object["metadata"]["managedFields"]}
    assert owners == {("me", None), ("controller", "status")}
