"""A whole gateway in whose Kubernetes API roles decide."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kfambassador.errors import Forbidden
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.stack import LocalStack
from tests.cluster.raw_api import RawApi

pytestmark = pytest.mark.e2e

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REFUSAL = 'services is forbidden: User "system:serviceaccount:default:notebook" cannot list resource "services"'


def make_token(url: str, token: str) -> str:
    admin = RawApi(url, token)
    assert admin.create(ACCOUNTS, {"metadata": {"name": "notebook"}}).code == 201
    made = str(admin.create(f"{ACCOUNTS}/notebook/token", {}).object["status"]["token"])
    admin.close()
    return made


def test_the_gateway_serves_and_a_tenant_has_its_rights_only() -> None:
    with LocalStack(rbac=True) as stack:
        token = make_token(stack.endpoint.api_url, stack.endpoint.api_token)
        with (
            KubeClient.connect(stack.endpoint.api_url, token=token) as tenant,
            pytest.raises(Forbidden, match=REFUSAL),
        ):
            tenant.list(SERVICE, namespace="default")


@pytest.mark.parametrize(("options", "code"), [((), 200), (("--rbac",), 403)])
def test_the_command_line_has_roles_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: int
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path))
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "kfambassador", "local", "--kubeconfig", str(kubeconfig), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("gateway ready at")
            config = json.loads(kubeconfig.read_text())
            server = urlsplit(config["clusters"][0]["cluster"]["server"])
            url = f"http://{server.hostname}:{server.port}"
            tenant = RawApi(url, make_token(url, config["users"][0]["user"]["token"]))
            assert tenant.get("/api/v1/namespaces/default/services").code == code
            tenant.close()
        finally:
            process.terminate()
    assert process.returncode == 0
