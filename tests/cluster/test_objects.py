"""Objects: created, read, listed, replaced and deleted."""

import pytest

from tests.cluster.raw_api import MADE, Object, RawApi, config_map, service


def test_a_created_object_is_complete(api: RawApi, services: str, namespace: str) -> None:
    answer = api.create(services, service("web"))
    metadata, spec = answer.object["metadata"], answer.object["spec"]
    assert answer.code == 201
    assert metadata["namespace"] == namespace
    assert metadata["uid"]
    assert metadata["creationTimestamp"].endswith("Z")
    assert spec["type"] == "ClusterIP"
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["ports"] == [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["sessionAffinity"] == "None"
    assert answer.object["status"] == {"loadBalancer": {}}
    assert api.get(f"{services}/web").object == answer.object


def test_every_service_has_an_address_of_its_own(api: RawApi, services: str) -> None:
    addresses = {api.create(services, service(f"web-{i}")).object["spec"]["clusterIP"] for i in range(20)}
    assert len(addresses) == 20


def test_an_address_stays_when_a_replacement_names_none(api: RawApi, services: str) -> None:
    first = api.create(services, service("web")).object
    second = api.replace(f"{services}/web", service("web", port=81)).object
    assert second["spec"]["clusterIP"] == first["spec"]["clusterIP"]
    assert second["spec"]["ports"][0]["port"] == 81


def test_a_headless_service_gets_no_address(api: RawApi, services: str) -> None:
    headless = service("web") | {"spec": {"clusterIP": "None", "selector": {"app": "web"}}}
    assert api.create(services, headless).object["spec"]["clusterIP"] == "None"


def test_an_external_name_gets_no_address(api: RawApi, services: str) -> None:
    external = service("web") | {"spec": {"type": "ExternalName", "externalName": "httpbin.org"}}
    assert "clusterIP" not in api.create(services, external).object["spec"]


def test_a_node_port_is_given(api: RawApi, services: str) -> None:
    wanted = service("web") | {"spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    assert 30000 <= api.create(services, wanted).object["spec"]["ports"][0]["nodePort"] < 32768


def test_a_name_can_be_generated(api: RawApi, config_maps: str) -> None:
    nameless = config_map("", generateName="run-")
    names = {api.create(config_maps, nameless).object["metadata"]["name"] for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith("run-") and len(name) == 9 for name in names)


@pytest.mark.parametrize("kind", ["services", "configmaps"])
def test_a_long_beginning_of_a_name_is_cut(api: RawApi, namespace: str, kind: str) -> None:
    body = service("") if kind == "services" else config_map("")
    nameless = body | {"metadata": {"generateName": "x" * 70}}
    answer = api.create(f"/api/v1/namespaces/{namespace}/{kind}", nameless)
    assert answer.code == 201
    assert answer.object["metadata"]["name"].startswith("x" * 58)
    assert len(answer.object["metadata"]["name"]) == 63


def test_a_name_is_taken_once(api: RawApi, services: str) -> None:
    api.create(services, service("web"))
    answer = api.create(services, service("web"))
    assert (answer.code, answer.reason) == (409, "AlreadyExists")
    assert answer.message == 'services "web" already exists'
    assert answer.object["details"] == {"name": "web", "kind": "services"}


def test_what_is_not_there_is_not_found(api: RawApi, services: str) -> None:
    answer = api.get(f"{services}/web")
    assert (answer.code, answer.reason, answer.message) == (404, "NotFound", 'services "web" not found')
    assert answer.object["kind"] == "Status"


def test_nothing_is_put_into_a_missing_namespace(api: RawApi) -> None:
    answer = api.create("/api/v1/namespaces/nowhere/services", service("web"))
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec": {"ports": []}}, "spec.ports: Required value"),
        ({"spec": {"ports": [{"port": 0}]}}, "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535"),
        ({"spec": {"ports": [{"port": 1, "targetPort": 70000}]}}, "spec.ports[0].targetPort: Invalid value: 70000"),
        ({"spec": {"ports": [{"port": 1}, {"port": 2}]}}, "spec.ports[0].name: Required value"),
        (
            {"spec": {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}},
            'spec.ports[1].name: Duplicate value: "a"',
        ),
        (
            {"spec": {"ports": [{"port": 1, "protocol": "ICMP"}]}},
            'spec.ports[0].protocol: Unsupported value: "ICMP": supported values',
        ),
        ({"spec": {"type": "Magic", "ports": [{"port": 1}]}}, 'spec.type: Unsupported value: "Magic"'),
        ({"spec": {"type": "ExternalName"}}, "spec.externalName: Required value"),
        (
            {"spec": {"clusterIP": "x", "ports": [{"port": 1}]}},
            'spec.clusterIPs[0]: Invalid value: "x": must be a valid',
        ),
        ({"metadata": {"name": "1web"}}, 'metadata.name: Invalid value: "1web": a DNS-1035 label must consist of'),
        ({"metadata": {"name": "web", "labels": {"a": "b c"}}}, 'metadata.labels: Invalid value: "b c"'),
        ({"metadata": {"name": "web", "annotations": {"a": "x" * 300_000}}}, "metadata.annotations: Too long"),
    ],
)
def test_a_service_that_breaks_the_rules_is_refused(api: RawApi, services: str, change: Object, message: str) -> None:
    answer = api.create(services, service("web") | change)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message
    assert answer.message.startswith('Service "')
    assert answer.object["details"]["causes"][0]["field"] in message


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"{", 400, "JSON"),
        (b"[1]", 400, "not an object but an array"),
        (b"[" * 100_000, 400, "nests too deep"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, 400, "nests deeper than"),
        (b'{"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":1e999}]}}', 400, "1e999"),
        (b'{"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":"80"}]}}', 400, "integer"),
        (b'{"apiVersion":"v1","kind":"Service","metadata":[]}', 400, "metadata must be an object"),
        (b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}', 400, "does not match"),
        (b'{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":"b"}}', 400, "namespace"),
        (b"x" * (3 * 1024 * 1024 + 1), 413, "too large"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(
    api: RawApi, services: str, body: bytes, code: int, message: str
) -> None:
    answer = api.ask("POST", services, body)
    assert answer.code == code
    assert answer.object["kind"] == "Status"
    assert message in answer.message


def test_an_unknown_language_is_refused(api: RawApi, services: str) -> None:
    answer = api.ask("POST", services, b"<x/>", media="text/xml")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


def test_a_body_that_is_not_what_its_headers_say_is_refused(api: RawApi, services: str) -> None:
    answer = api.ask("POST", services, b"{}", encoding="gzip")
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_unknown_fields_are_refused_told_or_dropped(api: RawApi, services: str) -> None:
    wrong = service("web") | {"spec": {"prots": [], "ports": [{"port": 80}]}}
    strict = api.create(services, wrong, fieldValidation="Strict")
    assert (strict.code, strict.message) == (400, 'strict decoding error: unknown field "spec.prots"')
    warned = api.create(services, wrong, dryRun="All")
    assert warned.headers["Warning"] == r'299 - "unknown field \"spec.prots\""'
    silent = api.create(services, wrong, fieldValidation="Ignore")
    assert silent.code == 201
    assert "Warning" not in silent.headers
    assert "prots" not in silent.object["spec"]


def test_what_is_empty_in_the_metadata_is_not_there(api: RawApi, config_maps: str) -> None:
    empty = config_map("a", labels={}, annotations={}, finalizers=[], ownerReferences=[])
    fields = api.create(config_maps, empty).object["metadata"].keys()
    assert not fields & {"labels", "annotations", "finalizers", "ownerReferences"}
    api.patch(f"{config_maps}/a", {"metadata": {"labels": {"a": "b"}}})
    left = api.patch(f"{config_maps}/a", {"metadata": {"labels": {"a": None}}}).object["metadata"]
    assert "labels" not in left


def lease(name: str, **metadata: object) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, **metadata},
        "spec": {"holderIdentity": "me"},
    }


@pytest.fixture
def leases(namespace: str) -> str:
    """Return the path of the namespace's Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def test_a_lease_is_replaced_by_who_knows_its_version(api: RawApi, leases: str) -> None:
    created = api.create(leases, lease("a"))
    for version in ({}, {"resourceVersion": "0"}):
        answer = api.replace(f"{leases}/a", lease("a", **version))
        assert (answer.code, answer.reason) == (422, "Invalid")
        assert "metadata.resourceVersion: Invalid value: " in answer.message
        assert answer.message.endswith(": must be specified for an update")
    other = {"spec": {"holderIdentity": "other"}}
    assert api.replace(f"{leases}/a", lease("a", resourceVersion=created.version) | other).code == 200
    assert api.replace(f"{leases}/a", lease("a", resourceVersion=created.version)).code == 409


def test_a_config_map_is_replaced_by_anybody(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    assert api.replace(f"{config_maps}/a", config_map("a")).code == 200
    assert api.replace(f"{config_maps}/a", config_map("a", resourceVersion="0")).code == 200


def test_a_replace_makes_some_kinds_and_not_others(api: RawApi, leases: str, config_maps: str, services: str) -> None:
    made = api.replace(f"{leases}/a", lease("a"))
    assert (made.code, made.object["spec"]) == (201, {"holderIdentity": "me"})
    assert api.get(f"{leases}/a").version == made.version
    assert api.replace(f"{services}/a", service("a")).code == 201
    assert api.replace(f"{config_maps}/a", config_map("a")).code == 404
    claimed = api.replace(f"{leases}/b", lease("b", uid="11111111-2222-3333-4444-555555555555"))
    assert (claimed.code, claimed.reason) == (409, "Conflict")


def test_a_replacement_of_another_object_is_refused(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a"))
    answer = api.replace(f"{config_maps}/a", config_map("a", uid="11111111-2222-3333-4444-555555555555"))
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "Precondition failed: UID in precondition: " in answer.message


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"finalizers": ["Bad Name"]}, 'metadata.finalizers: Invalid value: "Bad Name"'),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "", "uid": "x"}]},
            "metadata.ownerReferences[0].name: Invalid value: ",
        ),
        (
            {
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": name, "controller": True}
                    for name in "xy"
                ]
            },
            "Only one reference can have Controller set to true",
        ),
    ],
)
def test_metadata_that_breaks_the_rules_is_refused(
    api: RawApi, config_maps: str, metadata: Object, message: str
) -> None:
    answer = api.create(config_maps, config_map("a", **metadata))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message


def test_a_replacement_of_an_older_state_is_refused(api: RawApi, services: str) -> None:
    old = api.create(services, service("web")).object
    api.patch(f"{services}/web", {"metadata": {"labels": {"a": "b"}}})
    answer = api.replace(f"{services}/web", old)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the object has been modified" in answer.message


def test_a_write_that_changes_nothing_writes_nothing(api: RawApi, services: str) -> None:
    first = api.create(services, service("web"))
    assert api.replace(f"{services}/web", first.object).version == first.version


def test_a_dry_run_leaves_no_trace(api: RawApi, services: str) -> None:
    assert api.create(services, service("web"), dryRun="All").code == 201
    assert api.get(f"{services}/web").code == 404
    api.create(services, service("web"))
    assert api.delete(f"{services}/web", dryRun="All").code == 200
    assert api.patch(f"{services}/web", {"metadata": {"labels": {"a": "b"}}}, dryRun="All").object["metadata"]["labels"]
    assert "labels" not in api.get(f"{services}/web").object["metadata"]


def test_lists_take_selectors(api: RawApi, services: str, namespace: str) -> None:
    for name, tier in [("a", "front"), ("b", "back"), ("c", "back")]:
        api.create(services, service(name, labels={"tier": tier}))

    def names(**query: str) -> list[str]:
        return [item["metadata"]["name"] for item in api.get(services, **query).object["items"]]

    assert names() == ["a", "b", "c"]
    assert names(labelSelector="tier=back") == ["b", "c"]
    assert names(labelSelector="tier in (front,side)") == ["a"]
    assert names(labelSelector="!tier") == []
    assert names(fieldSelector="metadata.name!=b") == ["a", "c"]
    assert api.get("/api/v1/services", fieldSelector=f"metadata.namespace={namespace}").object["items"][2]
    assert api.get(services, labelSelector="a b").code == 400


def test_pages_are_of_one_moment(api: RawApi, services: str) -> None:
    for name in "abcde":
        api.create(services, service(name))
    first = api.get(services, limit=2).object
    api.delete(f"{services}/d")
    api.create(services, service("aa"))
    second = api.get(services, limit=2, **{"continue": first["metadata"]["continue"]}).object
    third = api.get(services, limit=2, **{"continue": second["metadata"]["continue"]}).object
    pages = [[item["metadata"]["name"] for item in page["items"]] for page in (first, second, third)]
    assert pages == [["a", "b"], ["c", "d"], ["e"]]
    assert first["metadata"]["remainingItemCount"] == 3
    assert {page["metadata"]["resourceVersion"] for page in (first, second, third)} == {
        first["metadata"]["resourceVersion"]
    }
    assert "continue" not in third["metadata"]
    assert api.get(services, **{"continue": "nonsense"}).code == 400


def test_a_deleted_service_is_returned_and_others_are_not(api: RawApi, services: str, config_maps: str) -> None:
    api.create(services, service("web"))
    api.create(config_maps, config_map("web"))
    assert api.delete(f"{services}/web").object["kind"] == "Service"
    answer = api.delete(f"{config_maps}/web").object
    assert (answer["kind"], answer["status"], answer["details"]["name"]) == ("Status", "Success", "web")


def test_a_delete_has_preconditions(api: RawApi, services: str) -> None:
    uid = api.create(services, service("web")).object["metadata"]["uid"]
    answer = api.delete(f"{services}/web", {"preconditions": {"uid": "other"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert api.delete(f"{services}/web", {"preconditions": {"uid": uid}}).code == 200


def test_finalizers_hold_an_object(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("held", finalizers=["example.com/hold"]))
    assert api.delete(f"{config_maps}/held").object["metadata"]["deletionTimestamp"]
    assert api.get(f"{config_maps}/held").code == 200
    assert api.patch(f"{config_maps}/held", {"metadata": {"finalizers": None}}).code == 200
    assert api.get(f"{config_maps}/held").code == 404


def test_owned_objects_go_with_their_owner(api: RawApi, config_maps: str) -> None:
    uid = api.create(config_maps, config_map("owner")).object["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    api.create(config_maps, config_map("owned", ownerReferences=[owner]))
    api.delete(f"{config_maps}/owner")
    assert api.get(f"{config_maps}/owned").code == 404


def test_owned_objects_can_be_orphaned(api: RawApi, config_maps: str) -> None:
    uid = api.create(config_maps, config_map("owner")).object["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    api.create(config_maps, config_map("owned", ownerReferences=[owner]))
    api.delete(f"{config_maps}/owner", propagationPolicy="Orphan")
    assert "ownerReferences" not in api.get(f"{config_maps}/owned").object["metadata"]


def test_a_collection_is_deleted_by_selector(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", labels={"old": "yes"}))
    api.create(config_maps, config_map("b"))
    assert api.delete(config_maps, labelSelector="old=yes").code == 200
    assert [item["metadata"]["name"] for item in api.get(config_maps, fieldSelector=MADE).object["items"]] == ["b"]


def test_a_namespace_takes_its_objects_along(api: RawApi) -> None:
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "going"}})
    inside = "/api/v1/namespaces/going/configmaps"
    api.create(inside, config_map("held", finalizers=["example.com/hold"]))
    api.create(inside, config_map("free"))
    answer = api.delete("/api/v1/namespaces/going")
    assert answer.object["status"]["phase"] == "Terminating"
    assert api.get(f"{inside}/free").code == 404
    refused = api.create(inside, config_map("late"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert "because it is being terminated" in refused.message
    api.patch(f"{inside}/held", {"metadata": {"finalizers": None}})
    assert api.get("/api/v1/namespaces/going").code == 404


def test_the_first_namespaces_stay(api: RawApi) -> None:
    names = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces").object["items"]}
    assert {"default", "kube-public", "kube-system"} <= names
    assert api.delete("/api/v1/namespaces/default").code == 403


def test_a_secret_encodes_plain_text_and_never_repeats_a_bad_one(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}}
    answer = api.create(path, secret | {"stringData": {"password": "canary"}})
    assert answer.object["data"] == {"password": "Y2FuYXJ5"}
    assert "stringData" not in answer.object
    refused = api.create(path, secret | {"metadata": {"name": "bad"}, "data": {"password": "canary!"}})
    assert refused.code == 422
    assert "canary" not in refused.message


def test_status_is_written_apart(api: RawApi, services: str) -> None:
    api.create(services, service("web") | {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}})
    assert api.get(f"{services}/web").object["status"] == {"loadBalancer": {}}
    change = {"metadata": {"labels": {"a": "b"}}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    answer = api.patch(f"{services}/web/status", change)
    assert answer.object["status"]["loadBalancer"]["ingress"] == [{"ip": "1.2.3.4"}]
    assert "labels" not in answer.object["metadata"]
    kept = api.patch(f"{services}/web", {"status": {"loadBalancer": None}, "metadata": {"labels": {"a": "b"}}})
    assert kept.object["status"] == answer.object["status"]


def test_generation_counts_changes_of_the_specification(api: RawApi, namespace: str) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}}
    ingress |= {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}}
    assert api.create(path, ingress).object["metadata"]["generation"] == 1
    assert api.patch(f"{path}/web", {"metadata": {"labels": {"a": "b"}}}).object["metadata"]["generation"] == 1
    assert api.patch(f"{path}/web", {"spec": {"ingressClassName": "x"}}).object["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/things", "/apis/x/v1/things", "/api/v1/namespaces/default/services/a/b"]
)
def test_an_unknown_path_is_not_found(api: RawApi, path: str) -> None:
    answer = api.get(path)
    assert (answer.code, answer.message) == (404, "the server could not find the requested resource")


def test_a_method_that_means_nothing_is_refused(api: RawApi, services: str) -> None:
    assert api.ask("PUT", services, service("web")).code == 405
    assert api.create("/api/v1/services", service("web")).code == 405
