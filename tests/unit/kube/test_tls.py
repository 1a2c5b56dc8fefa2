"""The client over TLS: a kubeconfig's certificate authority, and a pod's service account."""

import base64
import shutil
import subprocess
import threading
from pathlib import Path

import kubernetes.config.incluster_config as official
import pytest

from kfambassador.errors import Unavailable
from kfambassador.kube import official as entering
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from tests.unit.kube.scripted_api import TOKEN, Answer, bookmark, listing, scripted_api, silence, stream


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a certificate for 127.0.0.1 and its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run([openssl, *request, *names, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def write_kubeconfig(path: Path, url: str, *, authority: Path | None) -> Path:
    data = base64.b64encode(authority.read_bytes()).decode() if authority else ""
    trust = f", certificate-authority-data: {data}" if data else ""
    path.write_text(
        f"current-context: c\nclusters: [{{name: here, cluster: {{server: '{url}'{trust}}}}}]\n"
        f"users: [{{name: me, user: {{token: {TOKEN}}}}}]\n"
        "contexts: [{name: c, context: {cluster: here, user: me}}]\n"
    )
    return path


def test_the_authority_of_the_kubeconfig_is_trusted(certificate: Path, tmp_path: Path) -> None:
    with scripted_api(listing(), certificate=certificate) as api:
        path = write_kubeconfig(tmp_path / "config", api.url, authority=Path(f"{certificate}.crt"))
        with KubeClient.from_kubeconfig(path=path) as client:
            assert client.list(SERVICE).items == ()


def test_an_unknown_authority_is_not_trusted(certificate: Path, tmp_path: Path) -> None:
    with scripted_api(listing(), certificate=certificate) as api:
        path = write_kubeconfig(tmp_path / "config", api.url, authority=None)
        with (
            KubeClient.from_kubeconfig(path=path) as client,
            pytest.raises(Unavailable, match=r"could not be trusted: self.signed certificate"),
        ):
            client.list(SERVICE)
        assert api.requests() == []


@pytest.mark.parametrize("stuck", [silence, stream(bookmark(1), stays=True)])
def test_a_watch_over_tls_ends_when_another_thread_closes_the_client(
    certificate: Path, tmp_path: Path, stuck: Answer
) -> None:
    with scripted_api(stuck, certificate=certificate) as api:
        path = write_kubeconfig(tmp_path / "config", api.url, authority=Path(f"{certificate}.crt"))
        client = KubeClient.from_kubeconfig(path=path)
        watcher = threading.Thread(target=lambda: list(client.watch(SERVICE, since="1")), daemon=True)
        watcher.start()
        api.received.get(timeout=10)
        client.close()
        watcher.join(timeout=10)
        assert not watcher.is_alive()


def test_a_pod_connects_as_its_service_account(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "token": TOKEN,
        "ca.crt": Path(f"{certificate}.crt").read_text(),
        "namespace": "kubeflow",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(official, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(official, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(entering, "_SERVICE_ACCOUNT_NAMESPACE", tmp_path / "namespace")
    with scripted_api(listing(), certificate=certificate) as api:
        host, port = api.url.removeprefix("https://").split(":")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
        with KubeClient.in_cluster() as client:
            assert (client.server, client.default_namespace) == (api.url, "kubeflow")
            client.list(SERVICE)
        [request] = api.requests()
    assert request.headers["Authorization"].casefold() == f"bearer {TOKEN}"
