"""CustomResourceDefinitions: what they define is served at once."""

import copy
import re
import time
from collections.abc import Iterator

import pytest

from tests.cluster.raw_api import APPLY_PATCH, JSON_PATCH, STRATEGIC_PATCH, Object, RawApi
from tests.cluster.things import Things, changed

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
        ({"prefix": "/" + "x" * 20}, "spec.prefix: Too long: may not be more than 20 bytes"),
        ({"weight": 101}, "spec.weight: Invalid value: 101: spec.weight in body should be less than or equal to 100"),
        (
            {"weight": "10"},
            'spec.weight: Invalid value: "string": spec.weight in body must be of type integer: "string"',
        ),
        ({"method": "PUT"}, 'spec.method: Unsupported value: "PUT": supported values: "GET", "POST"'),
        ({"headers": {"a": 1}}, "spec.headers.a in body must be of type string"),
        ({"backends": [{"port": 1}]}, "spec.backends[0].name: Required value"),
        ({"backends": [{"name": "a"}, {"name": "a"}]}, "spec.backends[1]: Duplicate value"),
        ({"timeout": [1]}, "spec.timeout in body must be of type integer,string"),
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
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["more"] = {
        "x-kubernetes-preserve-unknown-fields": True
    }
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


def test_a_keyword_that_no_schema_has_is_told_and_dropped(api: RawApi, namespace: str) -> None:
    group = f"{namespace}.example.com"
    odd = changed(definition(group), {"spec.versions.0.schema.openAPIV3Schema": SCHEMA | {"colour": "red"}})
    refused = api.create(DEFINITIONS, odd, fieldValidation="Strict")
    assert refused.code == 400
    assert 'unknown field "spec.versions[0].schema.openAPIV3Schema.colour"' in refused.message
    answer = api.create(DEFINITIONS, odd)
    assert answer.code == 201
    assert "openAPIV3Schema.colour" in answer.headers["Warning"]
    assert answer.object["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == SCHEMA
    api.delete(f"{DEFINITIONS}/routes.{group}")


def condition(found: Object, sort: str) -> Object:
    (wanted,) = (each for each in found["status"]["conditions"] if each["type"] == sort)
    return {field: wanted[field] for field in ("status", "reason", "message")}


def test_a_group_of_the_community_wants_its_approval(api: RawApi, namespace: str) -> None:
    group = f"{namespace}.k8s.io"
    annotations = {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/79724"}
    approved = changed(definition(group), {"metadata.annotations": annotations})
    assert api.create(DEFINITIONS, approved).code == 201
    found = eventually(api, f"{DEFINITIONS}/routes.{group}", "KubernetesAPIApprovalPolicyConformant")
    assert condition(found, "KubernetesAPIApprovalPolicyConformant") == {
        "status": "True",
        "reason": "ApprovedAnnotation",
        "message": "approved in https://github.com/kubernetes/kubernetes/pull/79724",
    }
    api.delete(f"{DEFINITIONS}/routes.{group}")


def eventually(api: RawApi, path: str, sort: str, *, status: str = "True") -> Object:
    """A definition once a condition is so; here at once, elsewhere a moment later."""
    for _ in range(200):
        found = api.get(path).object
        conditions = (found.get("status") or {}).get("conditions") or ()
        if any(each["type"] == sort and each["status"] == status for each in conditions):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{sort} is not {status}: {found.get('status')}")


def test_a_name_belongs_to_who_came_first(api: RawApi, namespace: str, group: str) -> None:
    change = {
        "metadata.name": f"paths.{group}",
        "spec.names": {"plural": "paths", "kind": "Path", "shortNames": ["rt"]},
    }
    path = f"{DEFINITIONS}/paths.{group}"
    assert api.create(DEFINITIONS, changed(definition(group), change)).code == 201
    found = eventually(api, path, "NamesAccepted", status="False")
    assert condition(found, "NamesAccepted") == {
        "status": "False",
        "reason": "ShortNamesConflict",
        "message": '"rt" is already in use',
    }
    assert condition(found, "Established") == {
        "status": "False",
        "reason": "NotAccepted",
        "message": "not all names are accepted",
    }
    assert "shortNames" not in found["status"]["acceptedNames"]
    assert api.get(f"/apis/{group}/v1/namespaces/{namespace}/paths").code == 404
    # Once the name is free, who waits for it has it.
    api.delete(f"{DEFINITIONS}/routes.{group}")
    found = eventually(api, path, "Established")
    assert found["status"]["acceptedNames"]["shortNames"] == ["rt"]
    eventually(api, path, "NamesAccepted")
    assert api.get(f"/apis/{group}/v1/namespaces/{namespace}/paths").code == 200
    api.delete(path)


def test_a_version_stays_as_long_as_objects_may_be_stored_in_it(api: RawApi, group: str) -> None:
    path = f"{DEFINITIONS}/routes.{group}"
    stored = [{"op": "replace", "path": f"/spec/versions/{place}/storage", "value": place == 0} for place in (0, 1)]
    assert api.patch(path, stored, JSON_PATCH).object["status"]["storedVersions"] == ["v1", "v1beta1"]
    drop = [{"op": "remove", "path": "/spec/versions/1"}]
    refused = api.patch(path, drop, JSON_PATCH)
    assert refused.code == 422
    assert 'status.storedVersions[0]: Invalid value: "v1": ' in refused.message
    trimmed = api.patch(f"{path}/status", {"status": {"storedVersions": ["v1beta1"]}})
    assert trimmed.object["status"]["storedVersions"] == ["v1beta1"]
    assert api.patch(path, drop, JSON_PATCH).code == 200
    assert api.get(path).object["status"]["storedVersions"] == ["v1beta1"]


def test_scope_and_kind_stay(api: RawApi, group: str) -> None:
    for change in ({"scope": "Cluster"}, {"names": {"kind": "Way"}}):
        answer = api.patch(f"{DEFINITIONS}/routes.{group}", {"spec": change})
        assert answer.code == 422
        assert "field is immutable" in answer.message


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def test_a_table_has_the_columns_of_the_definition(api: RawApi, namespace: str) -> None:
    columns: list[Object] = [
        {"name": "Wide", "type": "string", "jsonPath": ".spec.text", "priority": 1, "description": "What it says."},
        {"name": "Whole", "type": "integer", "jsonPath": ".spec.whole", "format": "int32"},
        {"name": "Part", "type": "number", "jsonPath": ".spec.part"},
        {"name": "Flag", "type": "boolean", "jsonPath": ".spec.flag"},
        {"name": "Born", "type": "date", "jsonPath": ".spec.born"},
        {"name": "First", "type": "string", "jsonPath": ".spec.list[*].name"},
        {"name": "Chosen", "type": "string", "jsonPath": '.spec.list[?(@.name=="b")].name'},
        {"name": "Object", "type": "string", "jsonPath": ".spec.list[0]"},
        {"name": "Number", "type": "string", "jsonPath": ".spec.whole"},
        {"name": "Wrong", "type": "integer", "jsonPath": ".spec.text"},
        {"name": "Missing", "type": "string", "jsonPath": ".spec.nothing"},
        {"name": "Unborn", "type": "date", "jsonPath": ".spec.nothing"},
    ]
    with Things.lent(api, namespace) as things:
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        things.define(spec, additionalPrinterColumns=columns)
        born = "1990-01-01T00:00:00Z"
        made = things.create(
            text="t", whole=3, part=0.5, flag=True, born=born, list=[{"name": "a"}, {"name": "b", "more": "x"}]
        )
        assert made.code == 201
        table = api.accept(things.path, TABLE).object
    found = [(each["name"], each["type"], each["format"], each["priority"]) for each in table["columnDefinitions"]]
    assert found == [
        ("Name", "string", "name", 0),
        *((each["name"], each["type"], each.get("format", ""), each.get("priority", 0)) for each in columns),
    ]
    assert table["columnDefinitions"][1]["description"] == "What it says."
    described = "Custom resource definition column (in JSONPath format): .spec.whole"
    assert table["columnDefinitions"][2]["description"] == described
    (row,) = table["rows"]
    assert row["cells"][:5] == ["a", "t", 3, 0.5, True]
    assert row["cells"][5].endswith("y")
    assert row["cells"][6:] == ["a", "b", '{"name":"a"}', "3", None, None, None]


def test_a_table_without_columns_shows_ages(api: RawApi, namespace: str) -> None:
    with Things.lent(api, namespace) as things:
        things.define()
        things.create()
        table = api.accept(things.path, TABLE).object
    assert [(each["name"], each["type"]) for each in table["columnDefinitions"]] == [
        ("Name", "string"),
        ("Age", "date"),
    ]
    assert table["rows"][0]["cells"][0] == "a"
    assert re.fullmatch(r"\d+s", table["rows"][0]["cells"][1])


def test_true_is_not_one(api: RawApi, group: str, routes: str) -> None:
    api.create(routes, route(group, free={"on": 1}))
    written = api.patch(f"{routes}/mnist", {"spec": {"free": {"on": True}}})
    assert written.object["metadata"]["generation"] == 2
    assert api.get(f"{routes}/mnist").object["spec"]["free"]["on"] is True
    tested = [{"op": "test", "path": "/spec/free/on", "value": 1}]
    assert api.patch(f"{routes}/mnist", tested, JSON_PATCH).code == 422
