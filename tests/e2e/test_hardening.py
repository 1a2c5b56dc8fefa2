"""What the listener makes of requests that mean harm, on a real Envoy, byte for byte.

Two backends stand behind it: "models" under /models/, which everybody may reach, and "admin" under /admin/ and at the
host only.example. A spelling is dangerous when Envoy routes it by one meaning and a backend could read it by another,
so every answer is either a refusal, or comes from the backend that the path *as the backend sees it* belongs to.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from tests.backends import Echo, EchoServer
from tests.static_envoy import get, route_to, send_raw, static_bootstrap

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("hardening")]

Address = tuple[str, int]

HOSTS: list[dict[str, object]] = [
    {"name": "only", "domains": ["only.example"], "routes": [route_to("admin")]},
    {
        "name": "any",
        "domains": ["*"],
        "routes": [route_to("models", prefix="/models/"), route_to("admin", prefix="/admin/")],
    },
]

SETTINGS = ListenerSettings(port=0, headers_timeout=timedelta(seconds=0.5))


@pytest.fixture(scope="module")
def gateway() -> Iterator[Address]:
    with (
        private_directory() as directory,
        EchoServer("models") as models,
        EchoServer("admin") as admin,
        EnvoyProcess(directory, concurrency=1) as envoy,
    ):
        backends = {"models": models, "admin": admin}
        bootstrap = BootstrapSettings(directory)
        envoy.start(static_bootstrap(bootstrap, virtual_hosts=HOSTS, backends=backends, listener=SETTINGS))
        yield envoy.address()


def echo(gateway: Address, request: bytes) -> Echo:
    answer = send_raw(gateway, request)
    assert answer.status == 200, answer
    return Echo.read(answer.body)


@pytest.mark.parametrize(
    ("spelling", "backend", "path"),
    [
        ("/models/x", "models", "/models/x"),
        ("/models/../admin/x", "admin", "/admin/x"),
        ("/models/%2e%2e/admin/x", "admin", "/admin/x"),
        ("/models/%2E%2e/admin/x", "admin", "/admin/x"),
        ("/models/..;/admin/x", "admin", "/admin/x"),
        ("/models/..\\admin/x", "admin", "/admin/x"),
        ("/models/\\..\\admin/x", "models", "/models/admin/x"),
        ("/../../admin/x", "admin", "/admin/x"),
        ("/./admin/x", "admin", "/admin/x"),
        ("//admin/x", "admin", "/admin/x"),
        ("/models//x", "models", "/models/x"),
        ("/%6dodels/%78", "models", "/models/x"),
        ("/models/%252e%252e/admin/x", "models", "/models/%252e%252e/admin/x"),
        ("/models/x?then=/../%2f%5c//", "models", "/models/x?then=/../%2f%5c//"),
    ],
)
def test_a_path_reaches_the_backend_it_belongs_to_as_it_was_routed(
    gateway: Address, spelling: str, backend: str, path: str
) -> None:
    seen = echo(gateway, get(spelling))
    assert (seen.backend, seen.path) == (backend, path)


@pytest.mark.parametrize(
    "spelling",
    [
        "/models/..%2fadmin/x",
        "/models/..%2Fadmin/x",
        "/models/..%5cadmin/x",
        "/models/%2e%2e%2fadmin/x",
        "/models/x%00",
        "/models/x#/../admin/x",
        "/models/x\x01",
        "/models/\xff",
        "models/x",
        "*",
    ],
)
def test_a_path_with_two_meanings_is_refused(gateway: Address, spelling: str) -> None:
    assert send_raw(gateway, get(spelling)).status == 400


def test_an_absolute_target_is_one_host_to_all(gateway: Address) -> None:
    seen = echo(gateway, get("http://only.example/x", host="gateway.example"))
    assert (seen.backend, seen.path, seen.header("host")) == ("admin", "/x", "only.example")


@pytest.mark.parametrize("header", ["kubeflow_userid: mallory", "X_Forwarded_Host: evil.example", "a_b: c"])
def test_a_header_that_only_looks_like_another_is_refused(gateway: Address, header: str) -> None:
    assert send_raw(gateway, get("/models/x", header)).status == 400


@pytest.mark.parametrize(
    "header",
    [
        "kubeflow-userid: mallory@example.com",
        "KubeFlow-UserID: mallory@example.com",
        "kubeflow-groups: admins",
        "forwarded: for=192.0.2.60;host=evil.example",
        "x-forwarded-host: evil.example",
        "x-forwarded-port: 1",
        "x-forwarded-prefix: /evil",
        "x-real-ip: 192.0.2.60",
        "x-original-url: /admin/",
        "x-original-method: DELETE",
        "x-original-forwarded-for: 192.0.2.60",
        "x-envoy-original-path: /admin/",
        "x-envoy-upstream-rq-timeout-ms: 1",
        "x-envoy-retry-on: 5xx",
        "x-envoy-force-trace: true",
        "x-envoy-internal: true",
    ],
)
def test_hearsay_never_reaches_a_backend(gateway: Address, header: str) -> None:
    name = header.partition(":")[0]
    assert echo(gateway, get("/models/x", header, header)).header(name) is None


def test_other_headers_do_reach_it(gateway: Address) -> None:
    seen = echo(gateway, get("/models/x", "authorization: Bearer t", "x-original: yes", "kubeflow: yes"))
    assert [seen.header(name) for name in ("authorization", "x-original", "kubeflow")] == ["Bearer t", "yes", "yes"]


def test_how_a_request_came_is_envoys_word(gateway: Address) -> None:
    mine = ("x-forwarded-for: 203.0.113.9", "x-forwarded-proto: https", "x-request-id: mine")
    seen = echo(gateway, get("/models/x", *mine))
    forwarded = (seen.header("x-forwarded-for") or "").split(",")
    assert len(forwarded) == 2, "the real address is added behind what the client says"
    assert seen.header("x-forwarded-proto") == "http"
    assert seen.header("x-request-id") not in {None, "mine"}


def test_an_answer_tells_nothing_of_the_inside(gateway: Address) -> None:
    headers = send_raw(gateway, get("/models/x")).headers
    assert headers["server"] == "envoy"
    assert not [name for name in headers if name.startswith("x-envoy")]


@pytest.mark.parametrize(
    "host", ["only.example", "ONLY.Example", "only.example:8080", "only.example.", "only.example.:80"]
)
def test_spellings_of_a_host_are_one_host(gateway: Address, host: str) -> None:
    assert echo(gateway, get("/models/x", host=host)).backend == "admin"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("only.example/", 400),
        ("only.example, gateway.example", 400),
        ("only.example\r\nHost: gateway.example", 403),
        ("gateway.example\r\nHost: only.example", 403),
        ("gateway.example@only.example", 403),
    ],
)
def test_two_hosts_are_none(gateway: Address, host: str, status: int) -> None:
    assert send_raw(gateway, get("/models/x", host=host)).status == status


def request(line: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([line, "Host: gateway.example", *headers, "", body]).encode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("TRACE /models/x HTTP/1.1"), 403),
        (request("CONNECT only.example:80 HTTP/1.1"), 404),
        (request("BREW /models/x HTTP/1.1"), 400),
        (request("GET /models/x HTTP/1.0"), 426),
        (b"GET /models/x HTTP/1.1\r\n\r\n", 400),
        (request("GET /models/x HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"), 403),
    ],
    ids=["TRACE", "CONNECT", "no such method", "HTTP/1.0", "no Host", "websocket"],
)
def test_what_is_not_offered_is_refused(gateway: Address, sent: bytes, status: int) -> None:
    assert send_raw(gateway, sent).status == status


def test_an_upgrade_to_http2_is_not_passed_on(gateway: Address) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    seen = echo(gateway, request("GET /models/x HTTP/1.1", *upgrade))
    assert [seen.header(name) for name in ("upgrade", "http2-settings", "connection")] == [None, None, None]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (("Content-Length: 3", "Transfer-Encoding: chunked"), "0\r\n\r\n", 400),
        (("Transfer-Encoding: xchunked",), "0\r\n\r\n", 501),
        (("Content-Length: 3", "Content-Length: 4"), "abcd", 400),
        (("Content-Length: -1",), "", 400),
        (("Transfer-Encoding : chunked",), "0\r\n\r\n", 400),
    ],
)
def test_smuggling_is_refused(gateway: Address, headers: tuple[str, ...], body: str, status: int) -> None:
    assert send_raw(gateway, request("POST /models/x HTTP/1.1", *headers, body=body)).status == status


@pytest.mark.parametrize(
    "headers", [("x: " + "a" * 70_000,), tuple(f"x-{n}: a" for n in range(101))], ids=["too long", "too many"]
)
def test_headers_have_limits(gateway: Address, headers: tuple[str, ...]) -> None:
    assert send_raw(gateway, request("GET /models/x HTTP/1.1", *headers)).status == 431


def test_a_client_that_dawdles_over_its_headers_is_sent_away(gateway: Address) -> None:
    assert send_raw(gateway, b"GET /models/x HTTP/1.1\r\nHost: gateway.example\r\nX-Slow").status == 408


def test_http2_clients_are_told_their_limits(gateway: Address) -> None:
    told = http2_settings(gateway)
    assert told[3] == 100, "concurrent streams"
    assert told[4] == 64 * 1024, "bytes in flight on a stream"
    assert told.get(8, 0) == 0, "extended CONNECT, for websockets, is not offered"


def http2_settings(gateway: Address) -> dict[int, int]:
    """Say hello in HTTP/2 and read the settings that the server answers with."""
    empty_settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    with socket.create_connection(gateway, timeout=10) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + empty_settings)
        head = answer.read(9)
        assert head[3] == 4, "the first frame is SETTINGS"
        return dict(struct.iter_unpack("!HI", answer.read(int.from_bytes(head[:3], "big"))))


@contextmanager
def limited(*, max_connections: int = 50_000, max_heap: int | None = None) -> Iterator[EnvoyProcess]:
    """A gateway of its own, with limits."""
    with private_directory() as directory, EchoServer() as backend, EnvoyProcess(directory, concurrency=1) as envoy:
        bootstrap = BootstrapSettings(directory, max_connections=max_connections, max_heap=max_heap)
        hosts: list[dict[str, object]] = [{"name": "any", "domains": ["*"], "routes": [route_to("echo")]}]
        envoy.start(static_bootstrap(bootstrap, virtual_hosts=hosts, backends={"echo": backend}))
        yield envoy


def test_a_connection_too_many_is_closed_and_the_admin_is_not_shut_out() -> None:
    with limited(max_connections=1) as envoy, socket.create_connection(envoy.address(), timeout=10) as first:
        with socket.create_connection(envoy.address(), timeout=10) as second:
            assert second.recv(1) == b""
        assert envoy.admin("/ready").startswith("LIVE")
        first.sendall(get("/x"))
        assert first.recv(12) == b"HTTP/1.1 200"


def test_an_envoy_short_of_memory_refuses_requests_and_lives() -> None:
    with limited(max_heap=2**20) as envoy:
        gave_up = time.monotonic() + 20
        while (status := send_raw(envoy.address(), get("/x")).status) != 503:
            assert (status, time.monotonic() < gave_up) == (200, True)
        assert envoy.running
