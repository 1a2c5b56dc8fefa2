"""The real kubectl asks who it is and what it may do."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import kubectl_path
from tests.cluster.servers import write_kubeconfig
from tests.cluster.tenants import Tenant

pytestmark = pytest.mark.embedded

Run = Callable[..., str]

SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}"


def kubectl_of(tenant: Tenant, directory: Path, token: str | None) -> Run:
    file = directory / ("administrator" if token is None else "tenant")
    write_kubeconfig(tenant.server, file, token=token, namespace=tenant.namespace)
    environment = {"KUBECONFIG": str(file), "HOME": str(directory), "PATH": os.environ["PATH"]}

    def run(*arguments: str, given: str = "", fails: bool = False) -> str:
        command = [str(kubectl_path()), *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, env=environment, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def admin(tenant: Tenant, tmp_path: Path) -> Run:
    """Return the administrator's kubectl."""
    return kubectl_of(tenant, tmp_path, None)


@pytest.fixture
def own(tenant: Tenant, tmp_path: Path) -> Run:
    """Return the tenant's kubectl."""
    return kubectl_of(tenant, tmp_path, tenant.token)


def test_whoami(tenant: Tenant, admin: Run, own: Run) -> None:
    assert "kubernetes-admin" in admin("auth", "whoami")
    assert own("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == tenant.user


def test_can_i_follows_the_roles(tenant: Tenant, admin: Run, own: Run) -> None:
    assert admin("auth", "can-i", "*", "*") == "yes\n"
    assert own("auth", "can-i", "list", "services", fails=True) == "no\n"
    admin("create", "rolebinding", "v", "--clusterrole=view", f"--serviceaccount={tenant.namespace}:notebook")
    assert own("auth", "can-i", "list", "services") == "yes\n"
    assert own("auth", "can-i", "list", "services", "-n", "default", fails=True) == "no\n"
    assert own("auth", "can-i", "get", "/version") == "yes\n"
    assert "services" in own("auth", "can-i", "--list")
    assert admin("auth", "can-i", "list", "services", f"--as={tenant.user}") == "yes\n"
    assert admin("auth", "can-i", "create", "services", f"--as={tenant.user}", fails=True) == "no\n"


def test_a_token_is_created(tenant: Tenant, admin: Run, tmp_path: Path) -> None:
    token = admin("create", "token", "notebook", "--duration=1h").strip()
    other = kubectl_of(tenant, tmp_path, token)
    assert other("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == tenant.user
    assert '"absent" not found' in admin("create", "token", "absent", fails=True)


def test_roles_are_created_shown_and_obeyed(tenant: Tenant, admin: Run, own: Run) -> None:
    admin(
        "create", "role", "writer", "--verb=get,create,patch", "--resource=services,ingresses.networking.k8s.io/status"
    )
    admin("create", "rolebinding", "writer", "--role=writer", f"--serviceaccount={tenant.namespace}:notebook")
    header, row = admin("get", "roles").splitlines()
    assert (header.split(), row.split()[0]) == (["NAME", "CREATED", "AT"], "writer")
    assert "Role/writer" in admin("get", "rolebindings")
    assert "ingresses.networking.k8s.io/status" in admin("describe", "role", "writer")
    assert own("apply", "--server-side", "-f", "-", given=SERVICE) == "service/web serverside-applied\n"
    refusal = own("delete", "service", "web", fails=True)
    assert refusal == (
        f'Error from server (Forbidden): services "web" is forbidden: User "{tenant.user}" cannot delete resource'
        f' "services" in API group "" in the namespace "{tenant.namespace}"\n'
    )


def test_a_role_may_gather_others(tenant: Tenant, admin: Run) -> None:
    name = tenant.namespace
    admin("create", "clusterrole", f"{name}-part", "--verb=get", "--resource=services", "--non-resource-url=/metrics")
    admin("label", "clusterrole", f"{name}-part", f"{name}=yes")
    admin("create", "clusterrole", name, f"--aggregation-rule={name}=yes")
    assert "/metrics" in admin("describe", "clusterrole", name)
    admin("create", "clusterrolebinding", name, f"--clusterrole={name}", "--group=nobody")
    assert f"ClusterRole/{name}" in admin("get", "clusterrolebinding", name)
    admin("delete", "clusterrole", name, f"{name}-part")
    admin("delete", "clusterrolebinding", name)


def test_who_is_no_longer_known_is_told(tenant: Tenant, admin: Run, own: Run) -> None:
    admin("delete", "serviceaccount", "notebook")
    assert "You must be logged in to the server" in own("get", "services", fails=True)
