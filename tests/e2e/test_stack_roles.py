"""A whole gateway in whose Kubernetes API roles decide."""

import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
import yaml

from kfambassador.errors import Forbidden
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.stack import LocalStack
from tests.cluster.raw_api import RawApi
from tests.e2e.gateway import fetch
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REFUSAL = 'services is forbidden: User "system:serviceaccount:default:notebook" cannot list resource "services"'


def make_token(url: str, token: str, authority: str) -> str:
    admin = RawApi(url, token, authority)
    assert admin.create(ACCOUNTS, {"metadata": {"name": "notebook"}}).code == 201
    made = str(admin.create(f"{ACCOUNTS}/notebook/token", {}).object["status"]["token"])
    admin.close()
    return made


def test_the_gateway_serves_and_a_tenant_has_its_rights_only() -> None:
    with LocalStack(rbac=True) as stack:
        token = make_token(stack.endpoint.api_url, stack.endpoint.api_token, stack.endpoint.api_authority)
        with (
            KubeClient.connect(stack.endpoint.api_url, token=token, authority=stack.endpoint.api_authority) as tenant,
            pytest.raises(Forbidden, match=REFUSAL),
        ):
            tenant.list(SERVICE, namespace="default")


@pytest.mark.parametrize(
    ("options", "code", "administrator_sees", "tenant_sees"),
    [((), 200, 401, 401), (("--rbac",), 403, 200, 403)],
    ids=["everybody may everything", "roles"],
)
def test_the_command_line_has_roles_where_it_is_asked_to(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    administrator_sees: int,
    tenant_sees: int,
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path))
    kubeconfig = tmp_path / "kubeconfig"
    port = str(free_port())
    command = [sys.executable, "-m", "kfambassador", "local", "--kubeconfig", str(kubeconfig)]
    command += ["--diagnostics-port", port, *options]
    routes = f"http://127.0.0.1:{port}/ambassador/v0/routes"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("gateway ready at")
            config = yaml.safe_load(kubeconfig.read_text())
            cluster = config["clusters"][0]["cluster"]
            url, authority = cluster["server"], b64decode(cluster["certificate-authority-data"]).decode()
            administrator = config["users"][0]["user"]["token"]
            token = make_token(url, administrator, authority)
            tenant = RawApi(url, token, authority)
            assert tenant.get("/api/v1/namespaces/default/services").code == code
            tenant.close()
            assert fetch(routes, token=administrator).status == administrator_sees
            assert fetch(routes, token=token).status == tenant_sees
        finally:
            process.terminate()
    assert process.returncode == 0
