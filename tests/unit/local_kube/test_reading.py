"""Small readers: bodies, queries, paths, ages."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.durations import show_age
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.registry.catalog import Catalog
from kfambassador.local.kube.registry.routes import find_route
from kfambassador.local.kube.requests import bodies, queries
from kfambassador.local.kube.requests.options import DeleteOptions
from kfambassador.local.kube.schemas import jsonpath
from kfambassador.local.kube.schemas.protobuf import BadProtobuf, read_protobuf

CATALOG = Catalog()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/services", ("services", "", "", "")),
        ("/api/v1/namespaces/a/services", ("services", "a", "", "")),
        ("/api/v1/namespaces/a/services/b", ("services", "a", "b", "")),
        ("/api/v1/namespaces/a/services/b/status", ("services", "a", "b", "status")),
        ("/api/v1/namespaces", ("namespaces", "", "", "")),
        ("/api/v1/namespaces/a", ("namespaces", "", "a", "")),
        ("/api/v1/namespaces/a/status", ("namespaces", "", "a", "status")),
        ("/api/v1/namespaces/services/services", ("services", "services", "", "")),
        ("/apis/discovery.k8s.io/v1/namespaces/a/endpointslices", ("endpointslices", "a", "", "")),
    ],
)
def test_paths_that_mean_something(path: str, expected: tuple[str, ...]) -> None:
    route = find_route(CATALOG, path)
    assert route is not None
    assert (route.kind.plural, route.namespace, route.name, route.subresource) == expected


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/v1", "/api/v2/services", "/apis/v1/services", "/api/v1/services/x", "/api/v1/nothing"),
        *("/api/v1/namespaces/a/services/b/scale", "/api/v1/namespaces/a/secrets/b/status", "/api/v1//services"),
        *(
            "/api/v1/namespaces/a/namespaces",
            "/api/v1/namespaces/a/services/b/status/c",
            "/api/v1/namespaces//services",
        ),
    ],
)
def test_paths_that_mean_nothing(path: str) -> None:
    assert find_route(CATALOG, path) is None


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        *((0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"), (600, "10m"), (10_799, "179m")),
        *((10_800, "3h"), (25_500, "7h5m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (280_000, "3d5h")),
        *((691_200, "8d"), (63_072_000, "2y"), (-5, "0s")),
    ],
)
def test_ages(seconds: int, age: str) -> None:
    now = datetime.fromtimestamp(2_000_000_000, UTC)
    assert show_age(datetime.fromtimestamp(2_000_000_000 - seconds, UTC).isoformat(), now=now) == age


def test_an_age_that_is_none() -> None:
    assert show_age("yesterday", now=datetime.now(UTC)) == "<invalid>"


OBJECT: Json = {
    "spec": {"hosts": ["a", "b"], "a.b": 1, "ports": [{"n": 1}, {"n": 2}]},
    "conditions": [{"type": "Ready", "status": "True"}, {"type": "Old", "status": "False"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.hosts[0]", ["a"]),
        (".spec.hosts[-1]", ["b"]),
        (".spec.hosts[*]", ["a", "b"]),
        (".spec.ports[*].n", [1, 2]),
        (".spec['a.b']", [1]),
        (r".spec.a\.b", [1]),
        ('.conditions[?(@.type=="Ready")].status', ["True"]),
        (".conditions[?(@.type=='Old')].status", ["False"]),
        (".spec.nothing", []),
        (".spec.hosts[7]", []),
        ("spec", []),
        (".spec..hosts", [["a", "b"]]),
    ],
)
def test_json_paths(path: str, found: list[Json]) -> None:
    assert jsonpath.find(OBJECT, path) == found


@pytest.mark.parametrize("body", [b"NaN", b"-1e999", b"Infinity", b"", b"\xff", b"[" * 5000 + b"]" * 5000, b"9" * 5000])
def test_json_that_is_none(body: bytes) -> None:
    with pytest.raises(StatusError) as error:
        bodies.read_json(body)
    assert error.value.code == 400


def test_yaml_has_the_types_of_json() -> None:
    text = b"1: [2024-01-01, yes, 0x10, null, 1.5]\nb: '010'"
    assert bodies.read_yaml(text) == {"1": ["2024-01-01", True, 16, None, 1.5], "b": "010"}


@pytest.mark.parametrize(
    "text", [b"a: !!binary aGk=", b"a: !!python/object:os.system x", b"a: .inf", b"a: b: c", b"? [1]\n: 2"]
)
def test_yaml_that_json_cannot_say(text: bytes) -> None:
    with pytest.raises(StatusError) as error:
        bodies.read_yaml(text)
    assert error.value.code == 400


@pytest.mark.parametrize("query", [{"dryRun": "Some"}, {"fieldValidation": "strict"}])
def test_options_that_do_not_exist(query: dict[str, str]) -> None:
    with pytest.raises(StatusError, match="Unsupported value"):
        queries.read_write_options(query, "")


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ({}, {"preconditions": 1}, 400),
        ({}, {"preconditions": {"uid": 5}}, 400),
        ({}, {"dryRun": 5}, 400),
        ({}, {"dryRun": ["Some"]}, 422),
        ({}, {"propagationPolicy": "Odd"}, 422),
        ({"propagationPolicy": "Odd"}, None, 422),
    ],
)
def test_a_delete_that_is_not_understood(query: dict[str, str], body: Document | None, code: int) -> None:
    with pytest.raises(StatusError) as error:
        queries.read_delete_options(query, body)
    assert error.value.code == code


def test_a_delete_takes_options_from_its_body_or_its_query() -> None:
    body: Document = {"preconditions": {"uid": "x", "resourceVersion": None}, "gracePeriodSeconds": 0}
    query = {"propagationPolicy": "Orphan", "dryRun": "All"}
    assert queries.read_delete_options(query, body) == DeleteOptions(uid="x")
    assert queries.read_delete_options(query, None) == DeleteOptions(policy="Orphan", dry_run=True)
    assert queries.read_delete_options({}, {}) == DeleteOptions()


def test_the_manager_is_named_or_taken_from_the_client() -> None:
    assert queries.read_write_options({"fieldManager": "me"}, "kubectl/v1").manager == "me"
    assert queries.read_write_options({}, "kubectl/v1 (linux)").manager == "kubectl"
    assert queries.read_write_options({}, "").manager == "unknown"


@pytest.mark.parametrize("text", ["x", "1.0", "٣", "--1"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(StatusError, match="must be a whole number"):
        queries.read_number({"limit": text}, "limit")


@pytest.mark.parametrize("text", ["-1", "x", "1.0", "٣"])
def test_versions_that_are_none(text: str) -> None:
    with pytest.raises(StatusError, match="must be a number and not negative"):
        queries.read_version({"resourceVersion": text})


def varint(value: int) -> bytes:
    head = bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
    return head + varint(value >> 7) if value > 0x7F else head


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """Write a protobuf message."""
    return b"".join(
        varint(number << 3) + varint(value)
        if isinstance(value, int)
        else varint(number << 3 | 2) + varint(len(value)) + value
        for number, value in fields
    )


def envelope(kind: bytes, body: bytes) -> bytes:
    return b"k8s\0" + message((1, message((1, b"v1"), (2, kind))), (2, body))


def test_protobuf_is_read_by_field_numbers() -> None:
    metadata = message((1, b"web"), (3, b""), (11, message((1, b"a"), (2, b"b"))), (11, message((1, b"c"))), (999, 1))
    ports = [
        message((1, b"http"), (3, 80), (4, message((1, 1), (3, b"named")))),
        message((3, 81), (4, message((2, 9)))),
    ]
    spec = message(*[(1, port) for port in ports], (13, 1), (5, b"1.2.3.4"))
    assert read_protobuf(envelope(b"Service", message((1, metadata), (2, spec)))) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "labels": {"a": "b", "c": ""}},
        "spec": {
            "ports": [{"name": "http", "port": 80, "targetPort": "named"}, {"port": 81, "targetPort": 9}],
            "publishNotReadyAddresses": True,
            "externalIPs": ["1.2.3.4"],
        },
    }


def test_protobuf_tells_nothing_from_zero_where_kubernetes_does() -> None:
    port = message((3, 80), (4, message((1, 0))))  # of a port nobody set, its zero is sent
    assert read_protobuf(envelope(b"Service", message((2, message((1, port))))))["spec"] == {"ports": [{"port": 80}]}
    pod = message((2, message((4, 0), (11, 0), (1, message((1, b"v"), (2, message((2, b""))))))))
    volumes = [{"name": "v", "emptyDir": {}}]
    spec = read_protobuf(envelope(b"Pod", pod))["spec"]
    assert spec == {"terminationGracePeriodSeconds": 0, "volumes": volumes}


def test_protobuf_holds_times_quantities_and_json() -> None:
    event = message((6, message((1, 1_700_000_000), (2, 5))), (7, message()), (10, message((1, 1), (2, 2000))))
    found = read_protobuf(envelope(b"Event", event))
    assert found["firstTimestamp"] == "2023-11-14T22:13:20Z"
    assert "lastTimestamp" not in found
    assert found["eventTime"] == "1970-01-01T00:00:01.000002Z"
    quota = message((2, message((1, message((1, b"cpu"), (2, message((1, b"500m"))))))))
    assert read_protobuf(envelope(b"ResourceQuota", quota))["spec"] == {"hard": {"cpu": "500m"}}
    entry = message((1, b"me"), (7, message((1, b'{"f:a":{}}'))))
    managed = read_protobuf(envelope(b"Pod", message((1, message((17, entry))))))["metadata"]["managedFields"]
    assert managed == [{"manager": "me", "fieldsV1": {"f:a": {}}}]


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (b"{}", "does not begin"),
        (envelope(b"Gadget", b""), "'Gadget' in 'v1' are read as JSON or YAML only"),
        (envelope(b"Event", message((6, message((1, 1 << 60))))), "out of range"),
        (envelope(b"Pod", message((1, message((17, message((7, message((1, b"{"))))))))), "part in JSON"),
        (b"k8s\0\x0a", "a number does not end"),
        (b"k8s\0\x0a\x05ab", "in the middle of a field"),
        (b"k8s\0\x0b", "wire type 3 does not exist"),
        (b"k8s\0" + b"\xff" * 11, "a number does not end"),
        (envelope(b"Namespace", b"\x08\x01"), "a number stands where a text belongs"),
        (envelope(b"Service", message((2, message((13, b"x"))))), "a text stands where a number belongs"),
    ],
)
def test_protobuf_that_cannot_be_read(body: bytes, because: str) -> None:
    with pytest.raises(BadProtobuf, match=because):
        read_protobuf(body)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_protobuf(envelope(b"Service", body))
    with pytest.raises(BadProtobuf):
        read_protobuf(body)
