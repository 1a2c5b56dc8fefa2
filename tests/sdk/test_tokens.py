"""Tokens that end while somebody works: it is said in words, and a renewed one goes on."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

import kfambassador as kfa
from kfambassador.errors import Unauthorized
from kfambassador.local.definitions import read_definitions
from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import RawApi
from tests.cluster.tenants import Tenant
from tests.e2e.gateway import until

ADVICE = r"\(401\).* Log in again, or check the token and the user of the kubeconfig"


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """Somebody who may publish, in a cluster whose tokens may be short."""
    with (
        KubeServer(rbac=True, shortest_token=1, furniture=read_definitions()) as server,
        Tenant.move_in(server, f"team-{secrets.token_hex(4)}") as tenant,
    ):
        assert tenant.bind("ClusterRole", "edit").code == 201
        yield tenant


def ask_token(tenant: Tenant, *, seconds: int) -> str:
    path = f"{tenant.path}/serviceaccounts/{tenant.account}/token"
    return str(tenant.admin.create(path, {"spec": {"expirationSeconds": seconds}}).object["status"]["token"])


def write_kubeconfig(path: Path, tenant: Tenant, user: dict[str, str]) -> kfa.Kubeconfig:
    context = {"cluster": "c", "user": "me", "namespace": tenant.namespace}
    trusted = b64encode(tenant.server.authority.encode()).decode()
    config = {
        "clusters": [{"name": "c", "cluster": {"server": tenant.server.url, "certificate-authority-data": trusted}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "c", "context": context}],
        "current-context": "c",
    }
    path.write_text(json.dumps(config))
    return kfa.Kubeconfig(path=path)


def ask_ended_token(tenant: Tenant) -> str:
    """Give a token that was taken once, and is taken no more."""
    token = ask_token(tenant, seconds=1)
    api = RawApi(tenant.server.url, token, tenant.server.authority)
    until(lambda: api.get("/api/v1").code == 401)
    api.close()
    return token


def test_a_token_that_ended_is_told_and_a_renewed_one_goes_on(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(ask_token(tenant, seconds=600))
    place = write_kubeconfig(tmp_path / "config", tenant, {"tokenFile": str(file)})
    # Models need not answer: only the Kubernetes API is asked.
    with kfa.connect(place, url="http://127.0.0.1:9", quiet=True) as gateway:
        mnist = gateway.expose("mnist", service="half:8501", wait=False)
        token = ask_ended_token(tenant)
        file.write_text(token)
        for ask in (gateway.list_exposures, gateway.routes, gateway.leftovers, mnist.delete, mnist.promote):
            with pytest.raises(Unauthorized, match=ADVICE) as caught:
                ask()
            assert token not in str(caught.value)
        with pytest.raises(Unauthorized, match=ADVICE):
            mnist.wait(0.0)
        with pytest.raises(Unauthorized, match=ADVICE):
            gateway.expose("other", service="half:8501")
        file.write_text(ask_token(tenant, seconds=600) + "\n")
        assert [each.name for each in gateway.list_exposures()] == ["mnist"]
        assert mnist.canary("more:8501", weight=20, wait=False)["canary"] == 20
        mnist.delete()
        assert gateway.list_exposures() == []
        file.unlink()
        with pytest.raises(Unauthorized, match="could not be renewed"):
            gateway.list_exposures()


def test_who_connects_with_a_token_that_ended_is_told(tenant: Tenant, tmp_path: Path) -> None:
    place = write_kubeconfig(tmp_path / "config", tenant, {"token": ask_ended_token(tenant)})
    with kfa.connect(place, url="http://127.0.0.1:9", quiet=True) as gateway, pytest.raises(Unauthorized, match=ADVICE):
        gateway.expose("mnist", service="half:8501")
    with pytest.raises(Unauthorized, match=ADVICE):
        kfa.connect(place, quiet=True)
