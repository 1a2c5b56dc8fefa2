"""Tunnels through the API server: real bytes to a real server, pods that come and go, and nothing that stays behind."""

import hashlib
import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kfambassador.errors import NoGateway
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import POD
from kfambassador.kube.tunnel import Tunnel
from kfambassador.local.kube.server import KubeServer
from tests.e2e.gateway import until
from tests.e2e.installed import SELECTOR, make_namespace, set_ready, start_pod

pytestmark = pytest.mark.e2e

HOME = "kfambassador"


class Echo(BaseHTTPRequestHandler):
    """Answers with the digest of what it was sent, or with as many bytes as it is asked for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(hashlib.sha256(body).hexdigest().encode())

    def do_GET(self) -> None:
        self._answer(b"x" * int(self.path.strip("/") or 0))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A server as a pod has it; gives its port."""
    server = ThreadingHTTPServer((address, port), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def client() -> Iterator[KubeClient]:
    with KubeServer() as api, KubeClient.connect(api.url, token=api.token, authority=api.authority) as client:
        make_namespace(client, HOME)
        yield client


@contextmanager
def tunnel_to(client: KubeClient, port: int, said: list[str] | None = None) -> Iterator[Tunnel]:
    service: Manifest = {"metadata": {"name": "gateway", "namespace": HOME}, "spec": {"selector": SELECTOR}}
    told = [] if said is None else said
    with Tunnel(client, service, {"port": 80, "targetPort": port}, tell=told.append) as tunnel:
        yield tunnel


def get(tunnel: Tunnel, length: int = 3) -> bytes:
    with urllib.request.urlopen(f"http://{tunnel.address}/{length}", timeout=10) as answer:
        return bytes(answer.read())


def post(tunnel: Tunnel, body: bytes) -> str:
    request = urllib.request.Request(f"http://{tunnel.address}/", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def test_bytes_arrive_as_they_were_sent_in_both_directions(client: KubeClient) -> None:
    start_pod(client, "gateway-0")
    with listening() as port, tunnel_to(client, port) as tunnel:
        assert get(tunnel, 5_000_000) == b"x" * 5_000_000
        body = os.urandom(5_000_000)
        assert post(tunnel, body) == hashlib.sha256(body).hexdigest()


def test_connections_are_apart(client: KubeClient) -> None:
    start_pod(client, "gateway-0")
    with listening() as port, tunnel_to(client, port) as tunnel:
        bodies = [os.urandom(200_000) for _ in range(8)]
        digests: dict[int, str] = {}
        threads = [
            threading.Thread(target=lambda i=i, body=body: digests.update({i: post(tunnel, body)}))
            for i, body in enumerate(bodies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert digests == {i: hashlib.sha256(body).hexdigest() for i, body in enumerate(bodies)}


def test_a_pod_that_goes_is_followed_by_the_next(client: KubeClient) -> None:
    said: list[str] = []
    start_pod(client, "gateway-0")
    start_pod(client, "gateway-1")
    with listening() as port, tunnel_to(client, port, said) as tunnel:
        assert (tunnel.pod, get(tunnel)) == ("gateway-0", b"xxx")
        client.delete(POD, "gateway-0", namespace=HOME)
        assert (get(tunnel), tunnel.pod) == (b"xxx", "gateway-1")
    assert said == ["the tunnel now leads to pod gateway-1, since gateway-0 does not answer"]


def test_a_pod_that_is_not_ready_is_left_alone(client: KubeClient) -> None:
    start_pod(client, "gateway-0")
    start_pod(client, "gateway-1")
    set_ready(client, "gateway-0", ready=False)
    with listening() as port, tunnel_to(client, port) as tunnel:
        assert tunnel.pod == "gateway-1"


def test_a_pod_that_refuses_is_told_of_and_comes_last_from_then_on(client: KubeClient) -> None:
    said: list[str] = []
    start_pod(client, "gateway-0", address="127.0.0.1")
    start_pod(client, "gateway-1", address="127.0.0.2")
    with listening("127.0.0.2") as port, tunnel_to(client, port, said) as tunnel:
        with pytest.raises(OSError, match=r"."):
            get(tunnel)
        assert get(tunnel) == b"xxx"
        assert tunnel.pod == "gateway-1"
    assert said[0].startswith("pod gateway-0 does not answer through the tunnel: ")
    assert len(said) == 2


def test_without_a_ready_pod_there_is_no_tunnel(client: KubeClient) -> None:
    with (
        pytest.raises(NoGateway, match="Service gateway in namespace kfambassador has no ready pod"),
        tunnel_to(client, 80),
    ):
        pass


def test_when_it_is_closed_whoever_waits_hears_the_end(client: KubeClient) -> None:
    start_pod(client, "gateway-0")
    with listening() as port, tunnel_to(client, port) as tunnel:
        host, _, number = tunnel.address.partition(":")
        with socket.create_connection((host, int(number)), timeout=10) as waiting:
            waiting.sendall(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert waiting.recv(1000).startswith(b"HTTP/1.1 200")
            tunnel.close()
            while waiting.recv(1000):
                pass
        with pytest.raises(OSError, match=r"."):
            socket.create_connection((host, int(number)), timeout=10)
        tunnel.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
def test_nothing_stays_behind(client: KubeClient) -> None:
    start_pod(client, "gateway-0")

    def held() -> tuple[int, int]:
        tunnels = [thread for thread in threading.enumerate() if thread.name.startswith("kfa-tunnel")]
        return len(tunnels), len(list(Path("/proc/self/fd").iterdir()))

    with listening() as port:
        with tunnel_to(client, port) as tunnel:
            get(tunnel)
        until(lambda: held()[0] == 0)
        before = held()
        for _ in range(5):
            with tunnel_to(client, port) as tunnel:
                for _ in range(5):
                    get(tunnel)
        until(lambda: held() <= before)
