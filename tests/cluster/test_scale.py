"""Scale: how many replicas an object asks for, read and changed apart from the rest."""

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Object, RawApi
from tests.cluster.test_workloads import deployment

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "scale.example.com"


def definition() -> Object:
    """A definition of things that are scaled."""
    integer = {"type": "integer"}
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "properties": {"size": integer, "colour": {"type": "string"}}},
            "status": {"type": "object", "properties": {"size": integer, "selector": {"type": "string"}}},
        },
    }
    paths = {
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.size",
        "labelSelectorPath": ".status.selector",
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": paths},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"pools.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Pool", "plural": "pools"},
            "versions": [version],
        },
    }


@pytest.fixture
def web(api: RawApi, namespace: str) -> str:
    """Return the path of a Deployment of two replicas."""
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert api.create(deployments, deployment("web", replicas=2)).code == 201
    return f"{deployments}/web"


@pytest.fixture
def pools(api: RawApi, namespace: str) -> Iterator[str]:
    """Return the path of the namespace's Pools, of which there is none yet."""
    api.create(DEFINITIONS, definition())
    yield f"/apis/{GROUP}/v1/namespaces/{namespace}/pools"
    api.delete(f"{DEFINITIONS}/pools.{GROUP}")


def pool(**spec: object) -> Object:
    """A Pool."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "Pool", "metadata": {"name": "p"}, "spec": spec}


def test_a_scale_tells_what_is_asked_for(api: RawApi, web: str) -> None:
    whole = api.get(web).object["metadata"]
    scale = api.get(f"{web}/scale").object
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"]["selector"] == "app=web"
    assert isinstance(scale["status"]["replicas"], int)
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    assert scale["metadata"] == {field: whole[field] for field in shown}


def test_a_scale_is_replaced(api: RawApi, web: str) -> None:
    scale = api.get(f"{web}/scale").object
    answer = api.replace(f"{web}/scale", scale | {"spec": {"replicas": 5}}, fieldManager="scaler")
    assert (answer.code, answer.object["kind"], answer.object["spec"]) == (200, "Scale", {"replicas": 5})
    stored = api.get(web).object
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (5, 2)
    owners = {entry["manager"]: entry for entry in stored["metadata"]["managedFields"]}
    assert (owners["scaler"]["subresource"], owners["scaler"]["apiVersion"]) == ("scale", "apps/v1")
    assert owners["scaler"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


def test_a_scale_that_changed_meanwhile_is_not_replaced(api: RawApi, web: str) -> None:
    scale = api.get(f"{web}/scale").object
    api.patch(web, {"metadata": {"labels": {"a": "b"}}})
    answer = api.replace(f"{web}/scale", scale | {"spec": {"replicas": 5}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message.startswith('Operation cannot be fulfilled on deployments.apps "web": the object has been')
    assert api.get(web).object["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("media", "change"),
    [
        (MERGE_PATCH, {"spec": {"replicas": 3}}),
        (STRATEGIC_PATCH, {"spec": {"replicas": 3}}),
        (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 3}]),
    ],
)
def test_a_scale_is_patched(api: RawApi, web: str, media: str, change: object) -> None:
    answer = api.patch(f"{web}/scale", change, media)
    assert (answer.code, answer.object["spec"]["replicas"]) == (200, 3)
    assert api.get(web).object["spec"]["replicas"] == 3


def test_a_scale_is_applied_and_owned(api: RawApi, web: str) -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    refused = api.apply(f"{web}/scale", scale, "me")
    assert (refused.code, refused.reason) == (409, "Conflict")
    answer = api.apply(f"{web}/scale", scale, "me", force="true")
    assert (answer.code, answer.object["spec"]["replicas"]) == (200, 3)
    owners = {entry["manager"]: entry for entry in api.get(web).object["metadata"]["managedFields"]}
    assert owners["me"]["subresource"] == "scale"


def test_nothing_is_scaled_by_a_dry_run(api: RawApi, web: str) -> None:
    answer = api.patch(f"{web}/scale", {"spec": {"replicas": 3}}, dryRun="All")
    assert answer.object["spec"]["replicas"] == 3
    assert api.get(web).object["spec"]["replicas"] == 2


def test_nothing_but_the_replicas_is_changed(api: RawApi, web: str) -> None:
    api.patch(f"{web}/scale", {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 7}, "spec": {"replicas": 3}})
    stored = api.get(web).object
    assert "labels" not in stored["metadata"]
    assert stored["status"].get("replicas", 0) == 0


def test_a_scale_below_nought_is_refused(api: RawApi, web: str) -> None:
    answer = api.patch(f"{web}/scale", {"spec": {"replicas": -1}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}, 400),
        ({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "other"}}, 400),
        (
            {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": "2"}},
            400,
        ),
    ],
)
def test_what_is_no_scale_of_it_is_refused(api: RawApi, web: str, body: Object, code: int) -> None:
    assert api.replace(f"{web}/scale", body).code == code


def test_what_is_not_there_has_no_scale(api: RawApi, web: str) -> None:
    answer = api.get(web.replace("/web", "/absent/scale"))
    assert (answer.code, answer.message) == (404, 'deployments.apps "absent" not found')
    assert api.delete(f"{web}/scale").code == 405
    assert api.get(web.replace("/apis/apps/v1", "/api/v1").replace("deployments", "configmaps") + "/scale").code == 404


def test_discovery_tells_of_scales(api: RawApi) -> None:
    listed = {each["name"]: each for each in api.get("/apis/apps/v1").object["resources"]}
    scale = listed["deployments/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert scale["verbs"] == ["get", "patch", "update"]


def test_a_custom_resource_is_scaled_where_its_definition_says(api: RawApi, pools: str) -> None:
    api.create(pools, pool(size=2, colour="red"))
    api.patch(f"{pools}/p/status", {"status": {"size": 1, "selector": "app=p"}})
    scale = api.get(f"{pools}/p/scale").object
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 1, "selector": "app=p"})
    answer = api.replace(f"{pools}/p/scale", scale | {"spec": {"replicas": 4}}, fieldManager="scaler")
    assert answer.object["spec"] == {"replicas": 4}
    stored = api.get(f"{pools}/p").object
    assert (stored["spec"], stored["metadata"]["generation"]) == ({"size": 4, "colour": "red"}, 2)
    owners = {entry["manager"]: entry for entry in stored["metadata"]["managedFields"]}
    assert owners["scaler"]["fieldsV1"] == {"f:spec": {"f:size": {}}}
    assert api.patch(f"{pools}/p/scale", {"spec": {"replicas": 1}}, STRATEGIC_PATCH).code == 415


def test_a_custom_resource_that_asks_for_no_number_has_no_scale(api: RawApi, pools: str) -> None:
    api.create(pools, pool(colour="red"))
    answer = api.get(f"{pools}/p/scale")
    assert answer.code == 500
    assert 'the spec replicas field ".spec.size" does not exist' in answer.message
    refused = api.patch(f"{pools}/p/scale", {"status": {}})
    assert (refused.code, refused.message) == (400, 'the spec replicas field ".spec.size" cannot be empty')
    assert api.patch(f"{pools}/p/scale", {"spec": {"replicas": 1}}).code == 200
    assert api.get(f"{pools}/p").object["spec"] == {"colour": "red", "size": 1}


def test_kubectl_scales(kubectl: Kubectl, web: str) -> None:
    assert kubectl("scale", "deployment/web", "--replicas=4") == "deployment.apps/web scaled\n"
    assert kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "4"
    error = kubectl("scale", "deployment/web", "--replicas=5", "--current-replicas=2", fails=True)
    assert "Expected replicas to be 2, was 4" in error
    kubectl("scale", "deployment/web", "--replicas=5", "--current-replicas=4")
    shown = kubectl("get", "deployment", "web", "--subresource=scale", "-o", "jsonpath={.kind} {.spec.replicas}")
    assert shown == "Scale 5"


def test_kubectl_scales_a_custom_resource(api: RawApi, kubectl: Kubectl, pools: str) -> None:
    api.create(pools, pool(size=2))
    assert kubectl("scale", f"pools.{GROUP}/p", "--replicas=4") == f"pool.{GROUP}/p scaled\n"
    assert api.get(f"{pools}/p").object["spec"] == {"size": 4}
