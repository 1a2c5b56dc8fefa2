"""The API servers the suite can speak to: the embedded one, that of a kubeconfig, or a real one without a cluster.

What is told of Kubernetes is tried on any of them, unchanged. ``--kubeconfig FILE`` names one; where
``KUBEBUILDER_ASSETS`` names a directory with etcd and kube-apiserver, these are tried beside the embedded one. A test
marked ``embedded`` speaks of what only the embedded one does; one marked ``controllers`` needs what
kube-controller-manager does beside kube-apiserver.
"""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kubernetes import client, config

from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from tests.cluster.real_server import real_server


class Server(Protocol):
    """An API server: where it is, what lets one in, and the authority that vouches for it, in PEM."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def authority(self) -> str: ...


@dataclass(frozen=True)
class OtherServer:
    """A server that is none of ours.

    Attributes:
        url: Where it is.
        token: What lets one in; "" where a certificate does.
        authority: Who vouches for it, in PEM.
        certificate: Files with the caller's certificate and key, where these let one in.
        kubeconfig: The file that says all this.
    """

    url: str
    token: str
    authority: str
    certificate: tuple[str, str] | None
    kubeconfig: Path


def write_kubeconfig(server: Server, path: Path, *, token: str | None = None, namespace: str = "default") -> None:
    """Write a kubeconfig for a server: its administrator's, or that of a token where it is the embedded one."""
    if isinstance(server, OtherServer):
        shutil.copyfile(server.kubeconfig, path)
    else:
        join_kubeconfig(path, ApiAccess(server.url, token or server.token, server.authority, namespace))


def reach(kubeconfig: Path) -> OtherServer:
    """The server of a kubeconfig's current context."""
    found = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=found)
    token = str(found.get_api_key_with_prefix("authorization") or "").removeprefix("Bearer ")
    certificate = (found.cert_file, found.key_file) if found.cert_file else None
    return OtherServer(found.host, token, Path(found.ssl_ca_cert).read_text(), certificate, kubeconfig)


@contextmanager
def run_real_server(directory: Path) -> Iterator[OtherServer]:
    """Run etcd and kube-apiserver."""
    with real_server() as served:
        trusted = base64.b64encode(served.authority.encode()).decode()
        parts = {
            "clusters": [{"name": "real", "cluster": {"server": served.url, "certificate-authority-data": trusted}}],
            "users": [{"name": "real", "user": {"token": served.token}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "real"}}],
        }
        path = directory / "kubeconfig"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "real", **parts}))
        yield reach(path)
