"""Owners of fields: what ``managedFields`` says after updates and applies."""

from collections.abc import Iterator

import pytest

from tests.cluster.raw_api import Object, RawApi, config_map, service

pytestmark = pytest.mark.controllers

WIDGETS = "widgets.owners.example.com"


def owned(document: Object, manager: str) -> Object:
    """The fields of a manager."""
    (entry,) = (each for each in document["metadata"]["managedFields"] if each["manager"] == manager)
    fields: Object = entry["fieldsV1"]
    return fields


@pytest.fixture
def widgets(api: RawApi, namespace: str) -> Iterator[str]:
    """Return the path of objects of a kind that a definition makes."""
    spec = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": WIDGETS},
        "spec": {"group": "owners.example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert api.create(definitions, definition).code == 201
    path = f"/apis/owners.example.com/v1/namespaces/{namespace}/widgets"
    while api.get(path).code != 200:
        pass
    yield path
    api.delete(f"{definitions}/{WIDGETS}")


def widget(name: str, **spec: object) -> Object:
    return {"apiVersion": "owners.example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def test_who_creates_owns_the_maps_as_well(api: RawApi, config_maps: str) -> None:
    created = api.create(config_maps, config_map("a", labels={"b": "c"}), fieldManager="me").object
    labels: Object = {"f:labels": {".": {}, "f:b": {}}}
    assert owned(created, "me") == {"f:data": {".": {}, "f:key": {}}, "f:metadata": labels}


def test_who_adds_to_a_map_owns_what_was_added(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"), fieldManager="me")
    patched = api.patch(f"{config_maps}/a", {"data": {"other": "x"}}, fieldManager="you").object
    assert owned(patched, "you") == {"f:data": {"f:other": {}}}
    assert owned(patched, "me") == {"f:data": {".": {}, "f:key": {}}}


def test_nobody_owns_what_the_server_allots(api: RawApi, services: str) -> None:
    created = api.create(services, service("web"), fieldManager="me").object
    port: Object = {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}}
    assert owned(created, "me") == {
        "f:spec": {
            "f:internalTrafficPolicy": {},
            "f:ports": {".": {}, 'k:{"port":80,"protocol":"TCP"}': port},
            "f:selector": {},
            "f:sessionAffinity": {},
            "f:type": {},
        }
    }


def test_who_asks_for_an_address_owns_it(api: RawApi, services: str) -> None:
    headless = service("web")
    headless["spec"]["clusterIP"] = "None"
    created = api.create(services, headless, fieldManager="me").object
    assert "f:clusterIP" in owned(created, "me")["f:spec"]


def test_a_status_is_owned_by_who_writes_it(api: RawApi, services: str) -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    created = api.create(services, service("web") | {"status": status}, fieldManager="me").object
    assert "f:status" not in owned(created, "me")
    written = api.patch(f"{services}/web/status", {"status": status}, fieldManager="you").object
    assert "f:status" in owned(written, "you")
    entries = {entry["manager"]: entry.get("subresource") for entry in written["metadata"]["managedFields"]}
    assert entries == {"me": None, "you": "status"}


def test_a_custom_resource_has_an_owner_of_its_spec(api: RawApi, widgets: str) -> None:
    created = api.create(widgets, widget("a", size=1), fieldManager="me").object
    assert owned(created, "me") == {"f:spec": {".": {}, "f:size": {}}}


def test_a_custom_resource_is_replaced_by_who_knows_its_version(api: RawApi, widgets: str) -> None:
    created = api.create(widgets, widget("a", size=1)).object
    answer = api.replace(f"{widgets}/a", widget("a", size=2))
    assert answer.code == 422
    assert answer.message.endswith(": must be specified for an update")
    assert api.replace(f"{widgets}/a", created | {"spec": {"size": 2}}).object["spec"] == {"size": 2}


@pytest.mark.parametrize("validation", ["Strict", "Warn", "Ignore"])
def test_nobody_can_apply_what_the_kind_does_not_know(api: RawApi, widgets: str, validation: str) -> None:
    answer = api.apply(f"{widgets}/a", widget("a", zz=1), "me", fieldValidation=validation)
    assert answer.code >= 400
    assert answer.message.startswith("failed to create typed patch object (")
    assert answer.message.endswith("/a; owners.example.com/v1, Kind=Widget): .spec.zz: field not declared in schema")
    assert api.get(f"{widgets}/a").code == 404


@pytest.mark.parametrize("missing", ["kind", "apiVersion"])
def test_a_custom_resource_says_what_it_is(api: RawApi, widgets: str, missing: str) -> None:
    body = {field: value for field, value in widget("a").items() if field != missing}
    answer = api.create(widgets, body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert f"Object '{missing[0].upper()}{missing[1:]}' is missing in '" in answer.message


def test_all_owners_can_be_forgotten(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"), fieldManager="me")
    answer = api.patch(f"{config_maps}/a", {"metadata": {"managedFields": [{}]}}, fieldManager="you")
    assert answer.code == 200
    assert "managedFields" not in answer.object["metadata"]


def test_owners_that_are_left_out_stay(api: RawApi, config_maps: str) -> None:
    created = api.create(config_maps, config_map("a"), fieldManager="me").object
    answer = api.replace(f"{config_maps}/a", config_map("a", managedFields=[]), fieldManager="you")
    assert answer.object["metadata"]["managedFields"] == created["metadata"]["managedFields"]


def test_owners_can_be_written(api: RawApi, config_maps: str) -> None:
    created = api.create(config_maps, config_map("a"), fieldManager="me").object
    (entry,) = created["metadata"]["managedFields"]
    patch = {"metadata": {"managedFields": [entry | {"manager": "you"}]}}
    answer = api.patch(f"{config_maps}/a", patch, fieldManager="me")
    assert [each["manager"] for each in answer.object["metadata"]["managedFields"]] == ["you"]


def test_what_is_applied_anew_claims_to_be_nothing(api: RawApi, config_maps: str) -> None:
    ghost = "11111111-2222-3333-4444-555555555555"
    answer = api.apply(f"{config_maps}/a", config_map("a", uid=ghost), "me")
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert (
        f"uid mismatch: the provided object specified uid {ghost}, and no existing object was found" in answer.message
    )
    assert api.apply(f"{config_maps}/a", config_map("a", resourceVersion="5"), "me").code == 201


def test_a_set_is_shared(api: RawApi, config_maps: str) -> None:
    path = f"{config_maps}/a"
    api.apply(path, config_map("a", finalizers=["a.b/mine"]), "me")
    both = api.apply(path, config_map("a", finalizers=["a.b/yours"]), "you").object
    assert sorted(both["metadata"]["finalizers"]) == ["a.b/mine", "a.b/yours"]
    assert owned(both, "you")["f:metadata"] == {"f:finalizers": {'v:"a.b/yours"': {}}}
    left = api.apply(path, config_map("a"), "me").object
    assert left["metadata"]["finalizers"] == ["a.b/yours"]
    assert "finalizers" not in api.apply(path, config_map("a"), "you").object["metadata"]


def test_a_dry_run_of_an_apply_leaves_no_trace(api: RawApi, config_maps: str) -> None:
    assert api.apply(f"{config_maps}/a", config_map("a"), "me", dryRun="All").code == 201
    assert api.get(f"{config_maps}/a").code == 404
    before = api.apply(f"{config_maps}/a", config_map("a"), "me")
    changed = api.apply(f"{config_maps}/a", config_map("a") | {"data": {"key": "x"}}, "me", dryRun="All")
    assert changed.object["data"] == {"key": "x"}
    assert api.get(f"{config_maps}/a").object == before.object


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/namespaces/{}/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount"}),
        ("/apis/apps/v1/namespaces/{}/controllerrevisions", {"kind": "ControllerRevision", "revision": 1}),
    ],
)
def test_most_built_in_kinds_are_replaced_without_a_version(
    api: RawApi, namespace: str, path: str, body: Object
) -> None:
    path, body = path.format(namespace), {"apiVersion": "apps/v1", **body, "metadata": {"name": "a"}}
    assert api.create(path, body).code == 201
    assert api.replace(f"{path}/a", body).code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
        ),
        (
            "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
            {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": 1}},
        ),
        ("/apis/storage.k8s.io/v1/csidrivers", {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "spec": {}}),
    ],
)
def test_some_built_in_kinds_are_replaced_by_who_knows_the_version(
    api: RawApi, namespace: str, path: str, body: Object
) -> None:
    path, name = path.format(namespace), f"{namespace}.example.com"
    body = body | {"metadata": {"name": name}}
    assert api.create(path, body).code == 201
    answer = api.replace(f"{path}/{name}", body)
    assert answer.message.endswith(": must be specified for an update")
    api.delete(f"{path}/{name}")
