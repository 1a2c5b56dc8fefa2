"""Small readers: bodies, queries, paths, ages."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.local.kube import bodies, jsonpath, queries
from kfambassador.local.kube.catalog import Catalog
from kfambassador.local.kube.documents import Document, Json
from kfambassador.local.kube.options import DeleteOptions
from kfambassador.local.kube.protobuf import BadProtobuf, read_protobuf
from kfambassador.local.kube.routes import find_route
from kfambassador.local.kube.status import StatusError
from kfambassador.local.kube.tables import show_age

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
        (".spec..hosts", []),
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
    ("query", "body"),
    [
        ({}, {"preconditions": 1}),
        ({}, {"preconditions": {"uid": 5}}),
        ({}, {"dryRun": 5}),
        ({}, {"dryRun": ["Some"]}),
        ({}, {"propagationPolicy": "Odd"}),
        ({"propagationPolicy": "Odd"}, {}),
    ],
)
def test_a_delete_that_is_not_understood(query: dict[str, str], body: Document) -> None:
    with pytest.raises(StatusError) as error:
        queries.read_delete_options(query, body)
    assert error.value.code == 400


def test_a_delete_takes_options_from_both_places() -> None:
    body: Document = {"preconditions": {"uid": "x", "resourceVersion": None}, "gracePeriodSeconds": 0}
    options = queries.read_delete_options({"propagationPolicy": "Orphan", "dryRun": "All"}, body)
    assert options == DeleteOptions(uid="x", policy="Orphan", dry_run=True)
    assert queries.read_delete_options({}, {}) == DeleteOptions()


def test_the_manager_is_named_or_taken_from_the_client() -> None:
    assert queries.read_write_options({"fieldManager": "me"}, "kubectl/v1").manager == "me"
    assert queries.read_write_options({}, "kubectl/v1 (linux)").manager == "kubectl"
    assert queries.read_write_options({}, "").manager == "unknown"


@pytest.mark.parametrize("text", ["-1", "x", "1.0", "٣"])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(StatusError, match="must be a number"):
        queries.read_number({"limit": text}, "limit")


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


@pytest.mark.parametrize(
    ("body", "because"),
    [
        (b"{}", "does not begin"),
        (envelope(b"Pod", b""), "'Pod' are read as JSON or YAML only"),
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
