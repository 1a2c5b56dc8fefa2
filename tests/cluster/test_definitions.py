"""CustomResourceDefinitions: what they define is served at once."""

import copy
from collections.abc import Iterator

import pytest

from tests.cluster.raw_api import APPLY_PATCH, JSON_PATCH, STRATEGIC_PATCH, Object, RawApi

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

SCHEMA: Object = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["prefix"],
            "properties": {
                "prefix": {"type": "string", "pattern": "^/", "maxLength": 20},
                "weight": {"type": "integer", "minimum": 0, "maximum": 100},
                "method": {"type": "string", "enum": ["GET", "POST"], "default": "POST"},
                "timeout": {"x-kubernetes-int-or-string": True},
                "note": {"type": "string", "nullable": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "backends": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
                    },
                },
            },
        },
        "status": {"type": "object", "properties": {"state": {"type": "string"}}},
    },
}


def version(name: str, *, storage: bool = False) -> Object:
    columns = [
        {"name": "Prefix", "type": "string", "jsonPath": ".spec.prefix"},
        {"name": "State", "type": "string", "jsonPath": ".status.state", "priority": 1},
    ]
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
    }


def definition(group: str) -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"routes.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "routes", "kind": "Route", "shortNames": ["rt"], "categories": ["gateways"]},
            "versions": [version("v1beta1"), version("v1", storage=True)],
        },
    }


@pytest.fixture
def group(api: RawApi, namespace: str) -> Iterator[str]:
    """Return a group whose kind ``Route`` is served."""
    name = f"{namespace}.example.com"
    assert api.create(DEFINITIONS, definition(name)).code == 201
    yield name
    api.delete(f"{DEFINITIONS}/routes.{name}")


@pytest.fixture
def routes(group: str, namespace: str) -> str:
    """Return the path of the namespace's Routes."""
    return f"/apis/{group}/v1/namespaces/{namespace}/routes"


def route(group: str, version: str = "v1", name: str = "mnist", **spec: object) -> Object:
    spec = {"prefix": "/mnist/"} | spec
    return {"apiVersion": f"{group}/{version}", "kind": "Route", "metadata": {"name": name}, "spec": spec}


def test_a_definition_is_established_at_once(api: RawApi, group: str) -> None:
    found = api.get(f"{DEFINITIONS}/routes.{group}").object
    conditions = {each["type"]: each["status"] for each in found["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert found["status"]["storedVersions"] == ["v1"]
    assert found["spec"]["names"] | {"singular": "route", "listKind": "RouteList"} == found["spec"]["names"]


def test_defaults_are_filled_in_and_unknown_fields_pruned(api: RawApi, group: str, routes: str) -> None:
    answer = api.create(routes, route(group, colour="red", free={"any": [1, {"thing": None}]}, note=None, timeout="3s"))
    assert answer.object["spec"] == {
        "prefix": "/mnist/",
        "method": "POST",
        "free": {"any": [1, {"thing": None}]},
        "note": None,
        "timeout": "3s",
    }
    assert "unknown field" in answer.headers["Warning"]
    assert api.create(routes, route(group, name="b", colour="red"), fieldValidation="Strict").code == 400


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"prefix": None}, "spec.prefix"),
        ({"prefix": "mnist"}, "spec.prefix: Invalid value: \"mnist\": spec.prefix in body should match '^/'"),
        ({"prefix": "/" + "x" * 20}, "spec.prefix in body should be at most 20 chars long"),
        ({"weight": 101}, "spec.weight: Invalid value: 101: spec.weight in body should be less than or equal to 100"),
        (
            {"weight": "10"},
            'spec.weight: Invalid value: "string": spec.weight in body must be of type integer: "string"',
        ),
        ({"method": "PUT"}, 'spec.method: Unsupported value: "PUT": supported values: "GET", "POST"'),
        ({"headers": {"a": 1}}, "spec.headers.a in body must be of type string"),
        ({"backends": [{"port": 1}]}, "spec.backends[0].name: Required value"),
        ({"backends": [{"name": "a"}, {"name": "a"}]}, "spec.backends[1]: Duplicate value"),
        ({"timeout": [1]}, "spec.timeout in body must be of type integer or string"),
    ],
)
def test_the_schema_is_the_rule(api: RawApi, group: str, routes: str, spec: Object, message: str) -> None:
    answer = api.create(routes, route(group, **spec))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith(f'Route.{group} "mnist" is invalid: ')
    assert message in answer.message


def test_a_deprecated_version_warns_of_itself(api: RawApi, namespace: str) -> None:
    name = f"{namespace}.example.com"
    old, older = version("v1beta1"), version("v1alpha1")
    words = {"deprecated": True, "deprecationWarning": 'a "Route" has no effect'}
    defined = definition(name)
    defined["spec"]["versions"] = [old | {"deprecated": True}, older | words, version("v1", storage=True)]
    assert api.create(DEFINITIONS, defined).code == 201
    for served, warning in (
        ("v1beta1", f'299 - "{name}/v1beta1 Route is deprecated"'),
        ("v1alpha1", '299 - "a \\"Route\\" has no effect"'),
        ("v1", None),
    ):
        path = f"/apis/{name}/{served}/namespaces/{namespace}/routes"
        written = api.create(path, route(name, served, name=f"in-{served}"))
        assert written.code == 201
        for answer in (written, api.get(path), api.get(f"{path}/in-{served}")):
            assert answer.headers.get("Warning") == warning
    api.delete(f"{DEFINITIONS}/routes.{name}")


def test_every_version_shows_the_same_objects(api: RawApi, group: str, routes: str) -> None:
    beta = routes.replace("/v1/", "/v1beta1/")
    first = api.create(beta, route(group, "v1beta1"))
    assert first.object["apiVersion"] == f"{group}/v1beta1"
    assert api.get(f"{routes}/mnist").object["apiVersion"] == f"{group}/v1"
    (listed,) = api.get(beta).object["items"]
    assert listed["apiVersion"] == f"{group}/v1beta1"
    assert api.patch(f"{beta}/mnist", {"spec": {"weight": 5}}).object["spec"]["weight"] == 5
    with api.watch(beta) as events:
        assert next(events)["object"]["apiVersion"] == f"{group}/v1beta1"


def test_status_is_written_apart_and_generation_counts(api: RawApi, group: str, routes: str) -> None:
    created = api.create(routes, route(group) | {"status": {"state": "Running"}}).object
    assert "status" not in created
    assert created["metadata"]["generation"] == 1
    stated = api.patch(f"{routes}/mnist/status", {"status": {"state": "Running"}, "spec": {"weight": 1}}).object
    assert stated["status"] == {"state": "Running"}
    assert "weight" not in stated["spec"]
    assert stated["metadata"]["generation"] == 1
    assert api.patch(f"{routes}/mnist", {"spec": {"weight": 1}}).object["metadata"]["generation"] == 2


def test_apply_merges_keyed_lists(api: RawApi, group: str, routes: str) -> None:
    mine = route(group, backends=[{"name": "a", "port": 1}])
    yours = {**mine, "spec": {"backends": [{"name": "b", "port": 2}]}}
    api.apply(f"{routes}/mnist", mine, "me")
    assert api.apply(f"{routes}/mnist", yours, "you").object["spec"]["backends"] == [
        {"name": "a", "port": 1},
        {"name": "b", "port": 2},
    ]
    answer = api.apply(f"{routes}/mnist", {**yours, "spec": {"backends": [{"name": "a", "port": 3}]}}, "you")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "me": .spec.backends[name="a"].port'


def test_a_strategic_patch_is_not_for_custom_resources(api: RawApi, group: str, routes: str) -> None:
    api.create(routes, route(group))
    answer = api.patch(f"{routes}/mnist", {}, STRATEGIC_PATCH)
    assert answer.code == 415
    assert JSON_PATCH in answer.message
    assert APPLY_PATCH in answer.message


def test_objects_go_with_their_definition(api: RawApi, group: str, routes: str) -> None:
    api.create(routes, route(group))
    api.delete(f"{DEFINITIONS}/routes.{group}")
    assert api.get(routes).code == 404
    api.create(DEFINITIONS, definition(group))
    assert api.get(routes).object["items"] == []


def test_a_definition_can_change(api: RawApi, group: str, routes: str) -> None:
    changed = api.get(f"{DEFINITIONS}/routes.{group}").object
    changed["spec"]["versions"].pop(0)
    changed = copy.deepcopy(changed)
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["more"] = {}
    assert api.replace(f"{DEFINITIONS}/routes.{group}", changed).code == 200
    assert api.get(routes.replace("/v1/", "/v1beta1/")).code == 404
    assert api.create(routes, route(group, more=[1])).object["spec"]["more"] == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metadata": {"name": "other"}}, 'must be spec.names.plural+"."+spec.group'),
        ({"spec": {"group": "a.b"}}, "spec.versions: Required value"),
        ({"spec": {"scope": "Moon"}}, 'spec.scope: Unsupported value: "Moon"'),
        ({"spec": {"versions": [version("v1")]}}, "must have exactly one version marked as storage version"),
        (
            {"spec": {"versions": [{"name": "v1", "served": True, "storage": True}]}},
            "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
        ),
    ],
)
def test_a_bad_definition_is_refused(api: RawApi, change: Object, message: str) -> None:
    whole = definition("bad.example.com")
    spec = whole["spec"] | change.get("spec", {}) if change.get("spec", {}).keys() != {"group"} else change["spec"]
    answer = api.create(DEFINITIONS, whole | change | {"spec": spec})
    assert answer.code == 422
    assert message in answer.message
