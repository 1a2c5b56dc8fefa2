"""What is no request, comes too slowly, breaks off or never ends: a clear answer, and everybody else is served."""

import contextlib
import http.client
import io
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import cast
from urllib.parse import urlsplit

import pytest

from kfambassador.local.kube import server
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kube.serving import listening
from kfambassador.local.kube.serving.connections import MAX_HEAD
from tests.cluster.raw_api import MADE, Object, RawApi, config_map, connect, trust

pytestmark = pytest.mark.embedded

LINE = "GET /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\n"


def authorize(cluster: KubeServer) -> str:
    return f"Authorization: Bearer {cluster.token}\r\n"


def read_answer(raw: ssl.SSLSocket) -> tuple[int, Object]:
    """Read one answer: its code and its Status."""
    with contextlib.closing(http.client.HTTPResponse(raw)) as answer:
        answer.begin()
        return answer.status, json.loads(answer.read())


def is_closed(raw: ssl.SSLSocket) -> bool:
    """Whether the server has ended a connection; waits for it."""
    try:
        return raw.recv(1) == b""
    except (ConnectionResetError, ssl.SSLError):
        return True


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Return what is logged; at the end there may be nothing in it."""
    caplog.set_level(logging.DEBUG, "aiohttp")
    caplog.set_level(logging.INFO)
    yield caplog
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"FOO /api HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"get /api HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"\x00\x01\x02\x03\r\n\r\n", 405),
        (b"GET /api HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 401),
        (b"GET /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_answered_by_a_status(
    cluster: KubeServer, quiet: pytest.LogCaptureFixture, said: bytes, code: int
) -> None:
    with connect(cluster) as raw:
        raw.sendall(said)
        found, status = read_answer(raw)
    assert (found, status["code"], status["kind"]) == (code, code, "Status")


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "OPTIONS", "PROPFIND"])
def test_other_methods_are_answered_by_a_status(cluster: KubeServer, method: str) -> None:
    with connect(cluster) as raw:
        path = "localhost:443" if method == "CONNECT" else "/api/v1/namespaces"
        raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorize(cluster)}\r\n".encode())
        found, status = read_answer(raw)
    assert found in {404, 405}
    assert status["kind"] == "Status"


def test_lines_may_be_as_long_as_in_a_cluster(api: RawApi, config_maps: str) -> None:
    api.create(config_maps, config_map("a", labels={"n": "v7"}))
    values = ",".join(f"v{number}" for number in range(100_000))
    assert len(values) > MAX_HEAD / 2
    found = api.get(config_maps, labelSelector=f"n in ({values})")
    assert [item["metadata"]["name"] for item in found.object["items"]] == ["a"]


@pytest.mark.parametrize("place", ["line", "header", "headers"])
def test_what_is_longer_is_refused_and_not_repeated(
    cluster: KubeServer, quiet: pytest.LogCaptureFixture, place: str
) -> None:
    long = "secret" * (MAX_HEAD // 4)
    said = {
        "line": f"GET /api?{long} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "header": f"{LINE}Authorization: Bearer {long}\r\n\r\n",
        "headers": LINE + "".join(f"X-{number}: {'secret' * 5000}\r\n" for number in range(110)),
    }
    with connect(cluster) as raw:
        with contextlib.suppress(OSError):
            raw.sendall(said[place].encode())
        found, status = read_answer(raw)
    assert (found, status["kind"]) == (431, "Status")
    assert "secret" not in json.dumps(status) + quiet.text


@pytest.mark.parametrize(
    "half",
    [
        "GET /api/v1/na",
        LINE,
        "POST {line}{token}Content-Length: 100\r\n\r\n{{",
        "POST {line}{token}Transfer-Encoding: chunked\r\n\r\n5\r\n{{",
    ],
)
def test_a_request_that_breaks_off_is_told(cluster: KubeServer, quiet: pytest.LogCaptureFixture, half: str) -> None:
    said = half.format(line=LINE.removeprefix("GET "), token=authorize(cluster))
    found, status = say_and_end(cluster, said.encode())
    assert (found, status["kind"]) == (400, "Status")
    assert "ends before it is whole" in status["message"]


def say_and_end(cluster: KubeServer, said: bytes) -> tuple[int, Object]:
    """Say something and TLS' word for the end, and then read; a socket of Python's would not read after that."""
    address = urlsplit(cluster.url)
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust(cluster.authority).wrap_bio(came, goes, server_hostname=address.hostname)
    with socket.create_connection((address.hostname, address.port), timeout=30) as raw:

        def until_done(act: Callable[[], bytes | None]) -> bytes:
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    try:
                        return act() or b""
                    finally:
                        raw.sendall(goes.read())
                came.write(raw.recv(1 << 16))

        def read() -> bytes:
            with contextlib.suppress(ssl.SSLZeroReturnError):
                return tls.read()
            return b""

        until_done(tls.do_handshake)
        tls.write(said)
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.unwrap()
        raw.sendall(goes.read())
        heard = b"".join(iter(lambda: until_done(read), b""))
    return read_answer(cast("ssl.SSLSocket", Heard(heard)))


class Heard(io.BytesIO):
    """What was heard, to be read as from a connection."""

    def makefile(self, *_how: object) -> "Heard":
        return self


def test_nothing_is_written_of_what_broke_off(cluster: KubeServer, api: RawApi, config_maps: str) -> None:
    body = json.dumps(config_map("half")).encode()
    with connect(cluster) as raw:
        head = (
            f"POST {config_maps} HTTP/1.1\r\nHost: localhost\r\n{authorize(cluster)}Content-Length: {len(body)}\r\n\r\n"
        )
        raw.sendall(head.encode() + body[:-1])
    assert api.get(f"{config_maps}/half").code == 404


def test_a_head_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.2)
    with KubeServer() as short, connect(short) as silent, connect(short) as slow:
        slow.sendall(LINE.encode())
        assert is_closed(silent)
        assert is_closed(slow)


def test_the_head_of_a_later_request_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.5)
    with KubeServer() as short, connect(short) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")
        raw.sendall(LINE.encode())
        assert is_closed(raw)


def test_a_connection_without_another_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_IDLE", 0.2)
    with KubeServer() as short, connect(short) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert is_closed(raw)


def test_a_long_answer_is_not_cut_by_the_patience_for_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.2)
    with KubeServer() as short, contextlib.closing(RawApi(short.url, short.token, short.authority)) as client:
        path = "/api/v1/namespaces/default/secrets"
        with client.watch(path, timeoutSeconds=1, allowWatchBookmarks="true") as events:
            assert [event["type"] for event in events] == ["BOOKMARK"]  # that of its end


def test_a_client_that_does_not_agree_on_tls_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_PATIENCE", 0.2)
    with KubeServer() as short:
        address = urlsplit(short.url)
        for said in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
            with socket.create_connection((address.hostname, address.port), timeout=30) as raw:
                raw.sendall(said)
                assert raw.recv(1) == b""


def test_connections_over_the_limit_wait_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "count_room", lambda: 3)
    with KubeServer() as small, contextlib.ExitStack() as held:
        connections = [held.enter_context(connect(small)) for _ in range(3)]
        waiting = threading.Thread(target=lambda: held.enter_context(connect(small)))
        waiting.start()
        waiting.join(timeout=0.2)
        assert waiting.is_alive()
        connections[0].close()
        waiting.join(timeout=30)
        assert not waiting.is_alive()


def test_500_slow_clients_keep_nobody_waiting(cluster: KubeServer, api: RawApi, config_maps: str) -> None:
    address = urlsplit(cluster.url)
    head = f"POST {config_maps} HTTP/1.1\r\nHost: localhost\r\n{authorize(cluster)}Content-Length: 100\r\n\r\n{{"
    with contextlib.ExitStack() as held:
        for number in range(400):  # that have begun TLS, or nothing at all
            raw = held.enter_context(socket.create_connection((address.hostname, address.port)))
            raw.sendall(b"\x16\x03\x01" if number % 2 else b"")
        trusted = trust(cluster.authority)
        for number in range(100):  # in the middle of a head, or of a body
            raw = held.enter_context(socket.create_connection((address.hostname, address.port)))
            slow = held.enter_context(trusted.wrap_socket(raw, server_hostname=address.hostname))
            slow.sendall(LINE.encode() if number % 2 else head.encode())
        for number in range(20):
            assert api.create(config_maps, config_map(f"c{number}")).code == 201
    assert len(api.get(config_maps, fieldSelector=MADE).object["items"]) == 20


def test_a_client_may_ask_before_it_sends_much(cluster: KubeServer, config_maps: str) -> None:
    body = json.dumps(config_map("much")).encode()
    head = f"POST {config_maps} HTTP/1.1\r\nHost: localhost\r\n{authorize(cluster)}Expect: 100-continue\r\n"
    with connect(cluster) as raw:
        raw.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert raw.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(body)
        found, made = read_answer(raw)
    assert (found, made["metadata"]["name"]) == (201, "much")
