"""Lists: of which objects, of which moment, and in what pages."""

import base64
import json
from pathlib import Path

import pytest

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import Answer, Object, RawApi, config_map, service


def names(answer: Answer) -> list[str]:
    assert answer.code == 200, answer.message
    return [item["metadata"]["name"] for item in answer.object["items"] if item["metadata"]["name"] in "abcdefg"]


def test_labels_are_compared_as_numbers(api: RawApi, config_maps: str) -> None:
    for name, size in (("a", "2"), ("b", "3"), ("c", "30"), ("d", "x")):
        api.create(config_maps, config_map(name, labels={"size": size}))
    api.create(config_maps, config_map("e"))
    assert names(api.get(config_maps, labelSelector="size>2")) == ["b", "c"]
    assert names(api.get(config_maps, labelSelector="size<30")) == ["a", "b"]
    assert names(api.get(config_maps, labelSelector="size>1,size<4")) == ["a", "b"]


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a=b%%", 'values[0][a]: Invalid value: "b%%": a valid label must be'),
        ("-a=b", 'key: Invalid value: "-a": name part must consist of'),
        ("a>b", "the value must be an integer"),
        ("a in ()", "values set can't be empty"),
        ("a b", "found 'b', expected: "),
        ("a,", "expected: identifier after ','"),
    ],
)
def test_a_label_selector_that_makes_no_sense_is_refused(
    api: RawApi, config_maps: str, selector: str, message: str
) -> None:
    answer = api.get(config_maps, labelSelector=selector)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert message in answer.message


@pytest.mark.parametrize(
    ("kind", "selector", "found"),
    [
        ("secrets", "type=kubernetes.io/basic-auth", ["a"]),
        ("secrets", "type!=kubernetes.io/basic-auth", ["b"]),
        ("services", "spec.type=NodePort", ["a"]),
        ("services", "spec.clusterIP=None", ["b"]),
        ("services", "spec.type!=NodePort,metadata.name!=b", []),
        ("pods", "spec.nodeName=one,spec.hostNetwork=false", ["a"]),
        ("pods", "status.phase=Pending,spec.nodeName=", ["b"]),
    ],
)
def test_objects_are_selected_by_the_fields_of_their_kind(
    api: RawApi, namespace: str, kind: str, selector: str, found: list[str]
) -> None:
    basic = {"type": "kubernetes.io/basic-auth", "stringData": {"username": "u", "password": "p"}}
    secret: Object = {"apiVersion": "v1", "kind": "Secret"}
    containers = [{"name": "c", "image": "x"}]
    pod: Object = {"apiVersion": "v1", "kind": "Pod"}
    made: dict[str, list[Object]] = {
        "secrets": [secret | basic, secret],
        "services": [
            {"apiVersion": "v1", "kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80}]}},
            {"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
        ],
        "pods": [
            pod | {"spec": {"nodeName": "one", "containers": containers}},
            pod | {"spec": {"containers": containers}},
        ],
    }
    path = f"/api/v1/namespaces/{namespace}/{kind}"
    for name, body in zip("ab", made[kind], strict=True):
        answer = api.create(path, body | {"metadata": {"name": name}})
        assert answer.code == 201, answer.message
    assert names(api.get(path, fieldSelector=selector)) == found


@pytest.mark.parametrize(
    ("kind", "field"), [("configmaps", "data.key"), ("services", "spec.sessionAffinity"), ("pods", "spec.priority")]
)
def test_no_other_field_selects(api: RawApi, namespace: str, kind: str, field: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/{kind}"
    for query in ({"fieldSelector": f"{field}=x"}, {"fieldSelector": f"{field}!=x", "watch": "1"}):
        answer = api.get(path, **query)
        assert (answer.code, answer.reason) == (400, "BadRequest")
        assert field in answer.message


def test_events_are_selected_under_both_names(api: RawApi, namespace: str) -> None:
    involved = {"kind": "Pod", "name": "web", "namespace": namespace}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a"},
        "involvedObject": involved,
        "reason": "Tested",
        "source": {"component": "tester"},
    }
    core = f"/api/v1/namespaces/{namespace}/events"
    assert api.create(core, event).code == 201
    assert names(api.get(core, fieldSelector="involvedObject.name=web,reason=Tested,source=tester")) == ["a"]
    assert names(api.get(core, fieldSelector="involvedObject.name=other")) == []
    new = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    assert names(api.get(new, fieldSelector="regarding.name=web,reason=Tested")) == ["a"]


REFUSED = [
    ({"resourceVersionMatch": "Exact"}, "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless"),
    (
        {"resourceVersionMatch": "Foo", "resourceVersion": "1"},
        'resourceVersionMatch: Unsupported value: "Foo": supported values: "Exact", "NotOlderThan"',
    ),
    (
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ),
    ({"sendInitialEvents": "true"}, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
    (
        {"watch": "1", "sendInitialEvents": "true"},
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ),
    (
        {"watch": "1", "resourceVersionMatch": "NotOlderThan", "resourceVersion": "1"},
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    ),
]


@pytest.mark.parametrize(("query", "message"), REFUSED)
def test_options_that_contradict_each_other_are_refused(
    api: RawApi, config_maps: str, query: dict[str, str], message: str
) -> None:
    answer = api.get(config_maps, **query)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith('ListOptions.meta.k8s.io "" is invalid: ')
    assert message in answer.message


def test_a_page_says_its_version_itself(api: RawApi, config_maps: str) -> None:
    for name in "abc":
        api.create(config_maps, config_map(name))
    page = api.get(config_maps, limit=1)
    rest = page.object["metadata"]["continue"]
    answer = api.get(config_maps, resourceVersion=page.version, **{"continue": rest})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "specifying resource version is not allowed when using continue" in answer.message


def test_a_limit_below_one_is_none(api: RawApi, config_maps: str) -> None:
    for name in "abc":
        api.create(config_maps, config_map(name))
    assert names(api.get(config_maps, limit=-1)) == ["a", "b", "c"]
    assert names(api.get(config_maps, limit=0)) == ["a", "b", "c"]
    assert api.get(config_maps, limit="x").code == 400


def test_a_list_is_of_exactly_the_version_asked_for(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    then = api.create(config_maps, config_map("b")).version
    api.delete(f"{config_maps}/a")
    api.create(config_maps, config_map("c"))
    exact = api.get(config_maps, resourceVersion=then, resourceVersionMatch="Exact")
    assert (names(exact), exact.version) == (["a", "b"], then)
    assert names(api.get(config_maps, resourceVersion=then, limit=10)) == ["a", "b"]
    newer = api.get(config_maps, resourceVersion=then, resourceVersionMatch="NotOlderThan")
    assert names(newer) == ["b", "c"]
    assert int(newer.version) >= int(then)
    assert names(api.get(config_maps, resourceVersion="0", resourceVersionMatch="NotOlderThan")) == ["b", "c"]


@pytest.mark.parametrize("query", [{}, {"resourceVersionMatch": "Exact"}, {"resourceVersionMatch": "NotOlderThan"}])
def test_a_list_of_a_version_to_come_times_out(api: RawApi, config_maps: str, query: dict[str, str]) -> None:
    answer = api.get(config_maps, resourceVersion=10**9, **query)
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert "Too large resource version" in answer.message


def test_an_object_of_a_version_to_come_times_out(api: RawApi, config_maps: str) -> None:
    created = api.create(config_maps, config_map("a"))
    assert api.get(f"{config_maps}/a", resourceVersion=created.version).code == 200
    answer = api.get(f"{config_maps}/a", resourceVersion=10**9)
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert "Too large resource version" in answer.message


def test_pages_go_on_after_their_version_is_forgotten(tmp_path: Path) -> None:
    # A server that was restarted knows its objects, and none of the versions from before.
    path = "/api/v1/namespaces/default/configmaps"
    with KubeServer(state=tmp_path) as server:
        before = RawApi(server.url, server.token, server.authority)
        for name in "abc":
            before.create(path, config_map(name))
        first = before.get(path, limit=1)
        before.create(path, config_map("d"))
        before.close()
    with KubeServer(state=tmp_path) as server:
        after = RawApi(server.url, server.token, server.authority)
        gone = after.get(path, limit=1, **{"continue": first.object["metadata"]["continue"]})
        assert (gone.code, gone.reason) == (410, "Expired")
        assert "The provided continue parameter is too old to display a consistent list result." in gone.message
        rest = after.get(path, **{"continue": gone.object["metadata"]["continue"]})
        assert names(rest) == ["b", "c", "d"]
        exact = after.get(path, resourceVersion=first.version, resourceVersionMatch="Exact")
        assert (exact.code, exact.reason) == (410, "Expired")
        assert exact.message == "The resourceVersion for the provided list is too old."
        after.close()


def test_a_dry_run_of_a_service_takes_no_address(api: RawApi, services: str) -> None:
    wanted = api.create(services, service("a"), dryRun="All").object["spec"]["clusterIP"]
    taken = service("b")
    taken["spec"]["clusterIP"] = wanted
    assert api.create(services, taken).code == 201


def test_a_long_list_is_whole_in_every_form(api: RawApi, config_maps: str) -> None:
    wanted = [f"n{number:03}" for number in range(600)]
    for name in wanted:
        assert api.create(config_maps, config_map(name, labels={"long": "yes"})).code == 201
    found = api.get(config_maps, labelSelector="long").object["items"]
    table = api.accept(config_maps, "application/json;as=Table;v=v1;g=meta.k8s.io", labelSelector="long")
    partial = api.accept(
        config_maps, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", labelSelector="long"
    )
    assert [item["metadata"]["name"] for item in found] == wanted
    assert [row["cells"][0] for row in table.object["rows"]] == wanted
    assert [item["metadata"]["name"] for item in partial.object["items"]] == wanted


def test_a_continue_token_says_how_far_a_list_has_come(api: RawApi, services: str, config_maps: str) -> None:
    """Nothing of the list itself is in it: another one goes on from there, as on a cluster."""
    for name in "abcd":
        api.create(services, service(name))
        api.create(config_maps, config_map(name, labels={"kept": "yes" if name == "d" else "no"}))
    rest = api.get(services, limit=2).object["metadata"]["continue"]
    assert names(api.get(services, **{"continue": rest})) == ["c", "d"]
    assert names(api.get(config_maps, **{"continue": rest})) == ["c", "d"]
    assert names(api.get(config_maps, labelSelector="kept=yes", **{"continue": rest})) == ["d"]


def test_a_continue_token_goes_on_in_another_namespace(api: RawApi, namespace: str, services: str) -> None:
    for name in "abc":
        api.create(services, service(name))
    other = f"{namespace}-2"
    api.create("/api/v1/namespaces", {"metadata": {"name": other}})
    theirs = f"/api/v1/namespaces/{other}/services"
    for name in "abc":
        api.create(theirs, service(name))
    rest = api.get(services, limit=1).object["metadata"]["continue"]
    assert names(api.get(theirs, **{"continue": rest})) == ["b", "c"]
    whole = api.get("/api/v1/services", limit=1)
    everything = list(whole.object["items"])
    while token := whole.object["metadata"].get("continue"):
        whole = api.get("/api/v1/services", limit=1, **{"continue": token})
        everything += whole.object["items"]
    found = [item["metadata"]["name"] for item in everything if item["metadata"]["namespace"] in {namespace, other}]
    assert found == [*"abc", *"abc"]
    api.delete(f"/api/v1/namespaces/{other}")


def write_token(**said: object) -> str:
    """A continue token of one's own making."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("%%%", "continue key is not valid"),
        ("bm9uc2Vuc2U", "continue key is not valid"),
        (write_token(v="meta.k8s.io/v2", rv=1, start="a"), "server does not recognize this encoded version"),
        (write_token(v="meta.k8s.io/v1", rv=0, start="a"), "incorrect encoded start resourceVersion"),
        (write_token(v="meta.k8s.io/v1", rv=1), "continue key is not valid"),
    ],
)
def test_a_continue_token_that_makes_no_sense_is_refused(api: RawApi, config_maps: str, token: str, why: str) -> None:
    answer = api.get(config_maps, **{"continue": token})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message.startswith("invalid continue token: ")
    assert why in answer.message
