"""Port forwarding with the official client, unmodified."""

import contextlib
import queue
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import websocket
from kubernetes import client
from kubernetes.stream import portforward

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import RawApi, connect, trust
from tests.cluster.tenants import Tenant, rule
from tests.ports import free_port

pytestmark = pytest.mark.embedded

CONTAINER = {"name": "main", "image": "web"}
FORWARD = rule("pods/portforward", "get create")


class Echo(socketserver.BaseRequestHandler):
    """Says what is said to it, until it is told to end; keeps which ends it saw of what was said first."""

    ended: ClassVar[queue.SimpleQueue[bytes]] = queue.SimpleQueue()

    def handle(self) -> None:
        first = data = self.request.recv(65536)
        while data and data != b"end":
            self.request.sendall(data)
            data = self.request.recv(65536)
        self.ended.put(first)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Return the port of an echo."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Forwarder:
    """The official client, as a tenant."""

    core: Any
    namespace: str

    def open(self, *ports: int, pod: str = "web") -> Any:
        connect = self.core.connect_get_namespaced_pod_portforward
        return portforward(connect, pod, self.namespace, ports=",".join(map(str, ports)))


@pytest.fixture
def forwarder(tenant: Tenant, tmp_path: Path) -> Iterator[Forwarder]:
    """Return a client in a namespace with a pod at this machine."""
    pods = f"{tenant.path}/pods"
    for name, address in (("web", "127.0.0.1"), ("afar", "10.1.2.3"), ("pending", "")):
        tenant.admin.create(pods, {"metadata": {"name": name}, "spec": {"containers": [CONTAINER]}})
        if address:
            running = {"status": {"phase": "Running", "podIP": address}}
            assert tenant.admin.patch(f"{pods}/{name}/status", running).code == 200
    authority = tmp_path / "ca.crt"
    authority.write_text(tenant.server.authority)
    configuration = client.Configuration(host=tenant.server.url)
    configuration.ssl_ca_cert = str(authority)
    configuration.api_key = {"authorization": f"Bearer {tenant.token}"}
    with client.ApiClient(configuration) as connected:
        yield Forwarder(client.CoreV1Api(connected), tenant.namespace)
        connected.rest_client.pool_manager.clear()


def read(connection: Any, length: int) -> bytes:
    found = b""
    while len(found) < length and (data := connection.recv(65536)):
        found += data
    return found


@contextlib.contextmanager
def opened(forward: Any, port: int) -> Iterator[Any]:
    connection = forward.socket(port)
    connection.setblocking(True)
    yield connection
    forward.close()


def test_bytes_go_both_ways(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    tenant.allow(FORWARD)
    forward = forwarder.open(port)
    with opened(forward, port) as connection:
        for said in (b"hello", b"\x00\xff", b"again"):
            connection.sendall(said)
            assert read(connection, len(said)) == said
        assert forward.error(port) is None


def test_a_megabyte_goes_both_ways(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    tenant.allow(FORWARD)
    said = bytes(range(256)) * 4096
    with opened(forwarder.open(port), port) as connection, ThreadPoolExecutor() as pool:
        sending = pool.submit(connection.sendall, said)
        assert read(connection, len(said)) == said
        sending.result()


def test_connections_do_not_mix(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    tenant.allow(FORWARD)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(opened(forwarder.open(port), port)) for _ in range(5)]
        for number, connection in enumerate(connections):
            connection.sendall(b"%d" % number * 1000)
        assert [read(each, 1000) for each in connections] == [b"%d" % number * 1000 for number in range(5)]


def test_one_websocket_carries_several_ports(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    tenant.allow(FORWARD)
    closed = free_port()
    forward = forwarder.open(closed, port)
    with opened(forward, port) as connection:
        assert forward.socket(closed).recv(1) == b""
        connection.sendall(b"hello")
        assert read(connection, 5) == b"hello"
        assert forward.error(port) is None
        assert forward.error(closed).endswith("connect: connection refused")


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        ("web", "connect: connection refused"),
        ("afar", "its status.podIP 10.1.2.3 is not on this machine"),
        ("pending", "the pod has no status.podIP: nothing of it runs yet"),
    ],
)
def test_what_went_wrong_is_told(tenant: Tenant, forwarder: Forwarder, pod: str, words: str) -> None:
    tenant.allow(FORWARD)
    closed = free_port()
    forward = forwarder.open(closed, pod=pod)
    forward.socket(closed).setblocking(True)
    assert forward.socket(closed).recv(1) == b""
    assert f"error forwarding port {closed} to pod {pod}_{tenant.namespace}" in forward.error(closed)
    assert words in forward.error(closed)
    forward.close()


@pytest.mark.parametrize(("pod", "verbs"), [("web", ""), ("web", "get"), ("web", "create"), ("absent", "get create")])
def test_a_pod_must_be_there_and_both_verbs_be_held(
    tenant: Tenant, forwarder: Forwarder, pod: str, verbs: str, port: int
) -> None:
    if verbs:
        tenant.allow(rule("pods/portforward", verbs))
    with pytest.raises(client.ApiException) as error:
        forwarder.open(port, pod=pod)
    missing = "create" if verbs == "get" else "get"
    told = 'pods \\"absent\\" not found' if pod == "absent" else f'cannot {missing} resource \\"pods/portforward\\"'
    assert told in str(error.value)
    assert ("404 Not Found" if pod == "absent" else "403 Forbidden") in str(error.value)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({}, 'query parameter "ports" is required'),
        ({"ports": "x"}, 'ports: Invalid value: "x"'),
        ({"ports": "0"}, 'ports: Invalid value: "0"'),
        ({"ports": "80,65536"}, 'ports: Invalid value: "65536"'),
        ({"ports": "80"}, "you must specify Upgrade: websocket"),
    ],
)
def test_a_request_that_is_none_is_told(
    tenant: Tenant, forwarder: Forwarder, query: dict[str, str], complaint: str
) -> None:
    answer = tenant.admin.get(f"{tenant.path}/pods/web/portforward", **query)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert complaint in answer.message
    assert tenant.admin.delete(f"{tenant.path}/pods/web/portforward").code == 405


@contextlib.contextmanager
def open_websocket(url: str, token: str, authority: str, path: str) -> Iterator[websocket.WebSocket]:
    header = [f"Authorization: Bearer {token}"]
    raw = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}{path}",
        header=header,
        subprotocols=["v4.channel.k8s.io"],
        sslopt={"context": trust(authority)},
        timeout=30,
    )
    try:
        yield raw
    finally:
        raw.shutdown()  # type: ignore[no-untyped-call]


def test_the_protocol_to_the_byte(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    path = f"{tenant.path}/pods/web/portforward?ports={port}&ports={port}"
    told = port.to_bytes(2, "little")
    with open_websocket(tenant.server.url, tenant.server.token, tenant.server.authority, path) as raw:
        assert raw.getsubprotocol() == "v4.channel.k8s.io"
        assert [raw.recv() for _ in range(4)] == [bytes([channel]) + told for channel in range(4)]
        for channel in (2, 0):
            raw.send_binary(bytes([channel]) + b"hello")
            assert raw.recv() == bytes([channel]) + b"hello"
        raw.send_binary(b"\x01unheard")
        raw.send_binary(b"\x09unheard")
        for channel in (0, 2):
            raw.send_binary(bytes([channel]) + b"end")
        # Both connections have ended at the pod: nothing is left to forward.
        assert raw.recv_data_frame(control_frame=True)[0] == websocket.ABNF.OPCODE_CLOSE


def test_a_client_sees_the_pod_end_a_connection(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    tenant.allow(FORWARD)
    forward = forwarder.open(port)
    with opened(forward, port) as connection:
        connection.sendall(b"end")
        assert connection.recv(1) == b""
        assert forward.error(port) is None
    forward.websocket.shutdown()  # the client leaves this socket open when the server ended first


def test_who_goes_takes_the_connections_along(tenant: Tenant, forwarder: Forwarder, port: int) -> None:
    said = f"goodbye from {tenant.namespace}".encode()
    path = f"{tenant.path}/pods/web/portforward?ports={port}"
    with open_websocket(tenant.server.url, tenant.server.token, tenant.server.authority, path) as raw:
        raw.send_binary(b"\x00" + said)
        while raw.recv() != b"\x00" + said:
            pass
    while Echo.ended.get(timeout=30) != said:
        pass


def test_a_server_that_closes_ends_what_it_forwards(port: int) -> None:
    pods = "/api/v1/namespaces/default/pods"
    with contextlib.ExitStack() as stack:
        with KubeServer() as server:
            admin = RawApi(server.url, server.token, server.authority)
            assert admin.create(pods, {"metadata": {"name": "web"}, "spec": {"containers": [CONTAINER]}}).code == 201
            admin.patch(f"{pods}/web/status", {"status": {"podIP": "127.0.0.1"}})
            admin.close()
            path = f"{pods}/web/portforward?ports={port}"
            raw = stack.enter_context(open_websocket(server.url, server.token, server.authority, path))
            assert raw.recv() == b"\x00" + port.to_bytes(2, "little")
        assert raw.recv() == b"\x01" + port.to_bytes(2, "little")


def test_another_protocol_is_refused(tenant: Tenant, forwarder: Forwarder) -> None:
    head = (
        f"GET {tenant.path}/pods/web/portforward?ports=80 HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {tenant.server.token}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol: v5.channel.k8s.io",
        "\r\n",
    )
    with connect(tenant.server) as raw:
        raw.sendall("\r\n".join(head).encode())
        answer = raw.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"no protocol in common" in answer
