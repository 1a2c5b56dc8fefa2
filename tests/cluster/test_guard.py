"""Who may speak to the embedded server, how much, and how slowly."""

import http.client
import os
import socket
import ssl
import stat
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509

from kfambassador.errors import ApiError, ConfigurationError, PortInUse
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kube.store.certificates import Authority
from tests.cluster.raw_api import RawApi, Trusting, config_map, connect, trust

pytestmark = pytest.mark.embedded


def ask(server: KubeServer, path: str = "/api/v1/services", method: str = "GET", **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.mount("https://", Trusting(server.authority))
        return session.request(method, server.url + path, headers=headers, timeout=10)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer wrong", "Bearer ", "Basic !", "Digest x", "Basic " + b64encode(b"a:wrong").decode(), "Bearer \xff"],
)
def test_nobody_gets_in_without_the_token(cluster: KubeServer, header: str) -> None:
    answer = ask(cluster, Authorization=header)
    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")


def test_the_token_is_no_password(cluster: KubeServer) -> None:
    pair = b64encode(f"anyone:{cluster.token}".encode()).decode()
    assert ask(cluster, Authorization=f"Basic {pair}").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version"])
def test_probes_need_no_token(cluster: KubeServer, path: str) -> None:
    assert ask(cluster, path).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_another_host_name_is_refused_even_with_the_token(cluster: KubeServer, host: str) -> None:
    answer = ask(cluster, Host=host, **bearer(cluster.token))
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert "for localhost only" in answer.json()["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:80", "[::1]"])
def test_names_of_this_machine_are_accepted(cluster: KubeServer, host: str) -> None:
    assert ask(cluster, Host=host, **bearer(cluster.token)).status_code == 200


def test_no_page_in_a_browser_is_let_in(cluster: KubeServer) -> None:
    answer = ask(cluster, method="OPTIONS", Origin="http://evil.example")
    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_only_loopback_listens(cluster: KubeServer) -> None:
    assert urlsplit(cluster.url)[:2] == ("https", cluster.url.removeprefix("https://"))
    assert urlsplit(cluster.url).hostname == "127.0.0.1"


def test_the_token_is_in_no_repr(cluster: KubeServer) -> None:
    assert cluster.token not in repr(cluster)
    assert cluster.url in repr(cluster)


def test_a_given_token_counts() -> None:
    with KubeServer(token="mine") as server:
        assert ask(server, **bearer("mine")).status_code == 200
    assert repr(server) == "<KubeServer, not started>"
    server.close()


def test_plain_http_is_told_what_is_spoken_here(cluster: KubeServer) -> None:
    answer = requests.get(cluster.url.replace("https", "http"), timeout=10)
    assert (answer.status_code, answer.text) == (400, "Client sent an HTTP request to an HTTPS server.\n")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
def test_the_certificate_is_for_this_machine(cluster: KubeServer, name: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(cluster.url).port or 0)) as raw:
        trust(cluster.authority).wrap_socket(raw, server_hostname=name).close()


@pytest.mark.parametrize("name", ["127.0.0.2", "kubernetes.default.svc", "evil.example"])
def test_the_certificate_is_for_nobody_else(cluster: KubeServer, name: str) -> None:
    with (
        socket.create_connection(("127.0.0.1", urlsplit(cluster.url).port or 0)) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        trust(cluster.authority).wrap_socket(raw, server_hostname=name)


def test_who_trusts_another_authority_goes_no_further(cluster: KubeServer) -> None:
    other = Authority.make().certificate
    with (
        KubeClient.connect(cluster.url, token=cluster.token, authority=other) as client,
        pytest.raises(ApiError, match="could not be trusted"),
    ):
        client.list(SERVICE)


def test_the_authority_certifies_loopback_only(tmp_path: Path) -> None:
    authority = x509.load_pem_x509_certificate(Authority.make().certificate.encode())
    names = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical
    assert sorted(str(name.value) for name in names.value.permitted_subtrees or []) == [
        "127.0.0.1/32",
        "::1/128",
        "localhost",
    ]


def test_a_state_directory_keeps_its_authority(tmp_path: Path) -> None:
    with KubeServer(state=tmp_path) as first, KubeServer() as other:
        authority = first.authority
        assert other.authority != authority
    with KubeServer(state=tmp_path) as second:
        assert second.authority == authority


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "kubernetes-ca.pem").write_bytes(b"spoilt")
    with pytest.raises(ConfigurationError, match=r"The key .*kubernetes-ca.pem cannot be used: .* Remove it: a new"):
        KubeServer(state=tmp_path).start()


def test_an_authority_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfambassador.local.kube.store.certificates._AUTHORITY_LIFE", timedelta(days=100))
    (tmp_path / "kubernetes-ca.pem").write_bytes(Authority.make().write())
    with pytest.raises(ConfigurationError, match=r"The key .* cannot be used: it ends on \d{4}-\d\d-\d\d\. Remove it"):
        KubeServer(state=tmp_path).start()


def test_the_state_is_for_its_owner(tmp_path: Path) -> None:
    with KubeServer(state=tmp_path / "state"):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()}
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"kubernetes.db", "kubernetes.key", "kubernetes-ca.pem"} <= set(modes)


def test_a_taken_port_is_told(cluster: KubeServer) -> None:
    port = urlsplit(cluster.url).port or 0
    with pytest.raises(PortInUse, match=f"Port {port} of 127.0.0.1 is in use by another process"):
        KubeServer(port=port).start()


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"The state directory .*file/state cannot be used: Not a directory"):
        KubeServer(state=tmp_path / "file" / "state").start()


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "kubernetes.db").write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigurationError, match="cannot be opened: file is not a database"):
        KubeServer(state=tmp_path).start()


def test_a_path_is_taken_as_it_stands(api: RawApi) -> None:
    for path in ("/api/v1/namespaces/default/services/..%2f..%2fsecrets", "/api/v1/%00", "/apis//v1/x", "/%ff"):
        assert api.get(path).code == 404


def test_a_half_sent_request_keeps_nobody_waiting(cluster: KubeServer, api: RawApi) -> None:
    with connect(cluster) as slow:
        slow.sendall(b"POST /api/v1/namespaces/default/services HTTP/1.1\r\nHost: localhost\r\n")
        slow.sendall(f"Authorization: Bearer {cluster.token}\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert api.get("/api/v1/services").code == 200


def test_many_connections_are_served(cluster: KubeServer) -> None:
    trusted, address = trust(cluster.authority), urlsplit(cluster.url).netloc
    connections = [http.client.HTTPSConnection(address, context=trusted, timeout=60) for _ in range(500)]
    try:
        for connection in connections:
            connection.request("GET", "/api/v1/namespaces", headers=bearer(cluster.token))
        assert {connection.getresponse().status for connection in connections} == {200}
    finally:
        for connection in connections:
            connection.close()


def test_a_warning_cannot_forge_a_header(api: RawApi, config_maps: str) -> None:
    answer = api.create(config_maps, config_map("a") | {"evil\r\nX-Evil: 1": 1})
    assert answer.code == 201
    assert "X-Evil" not in answer.headers
    assert os.linesep not in answer.headers["Warning"]
