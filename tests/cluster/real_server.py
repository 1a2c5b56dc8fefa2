"""A real API server to hold beside ours: etcd and kube-apiserver, from where ``KUBEBUILDER_ASSETS`` names them."""

import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

#: Where the two programs are, "" where they are not.
ASSETS = os.environ.get("KUBEBUILDER_ASSETS", "")

_PATIENCE = 60.0
_TOKEN = "of-an-administrator"


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs: where, who may ask, who vouches for it, in PEM, and which processes it is."""

    url: str
    token: str
    authority: str
    pids: tuple[int, ...]


@contextmanager
def real_server() -> Iterator[Served]:
    """Start both programs, and end them after."""
    with TemporaryDirectory() as directory, ExitStack() as stack:
        home, (clients, peers, secure) = Path(directory), _free_ports()
        etcd = [
            f"{ASSETS}/etcd",
            f"--data-dir={home / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{clients}",
            f"--advertise-client-urls=http://127.0.0.1:{clients}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
        ]
        (home / "tokens.csv").write_text(f"{_TOKEN},admin,admin,system:masters\n")
        _write_key(home / "accounts.key")
        server = [
            f"{ASSETS}/kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{clients}",
            "--bind-address=127.0.0.1",
            f"--secure-port={secure}",
            f"--cert-dir={home / 'certificates'}",
            f"--token-auth-file={home / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://localhost",
            f"--service-account-key-file={home / 'accounts.key'}",
            f"--service-account-signing-key-file={home / 'accounts.key'}",
            "--service-cluster-ip-range=10.96.0.0/12",
        ]
        pids = tuple(stack.enter_context(_running(command)).pid for command in (etcd, server))
        url = f"https://127.0.0.1:{secure}"
        _wait(url)
        # It vouches for itself.
        yield Served(url, _TOKEN, (home / "certificates" / "apiserver.crt").read_text(), pids)


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _free_ports() -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _wait(url: str) -> None:
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {_TOKEN}"})
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, context=tls):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
