"""People of a cluster with roles: each a ServiceAccount with a token of its own, and a kubeconfig."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.raw_api import RawApi

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ACCESS = Path(__file__).parents[2] / "deploy" / "base" / "access.yaml"


def read_roles() -> dict[str, dict[str, Any]]:
    """The roles that are deployed, by name."""
    return {role["metadata"]["name"]: role for role in yaml.safe_load_all(ACCESS.read_text())}


def give_role(api: RawApi, role: dict[str, Any], *, namespace: str, account: str, home: str) -> None:
    """Apply a role, in the namespace if it is one of a namespace, and bind a ServiceAccount to it there."""
    metadata = {name: value for name, value in role["metadata"].items() if name != "namespace"}
    place = f"{RBAC}/namespaces/{namespace}"
    where = RBAC if role["kind"] == "ClusterRole" else place
    plural = f"{role['kind'].lower()}s"
    written = {**role, "metadata": metadata}
    if api.create(f"{where}/{plural}", written).code == 409:
        assert api.replace(f"{where}/{plural}/{metadata['name']}", written).code == 200
    binding = {
        "apiVersion": role["apiVersion"],
        "kind": "RoleBinding",
        "metadata": {"name": f"{metadata['name']}-{account}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": metadata["name"]},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": home}],
    }
    assert api.create(f"{place}/rolebindings", binding).code in {201, 409}


def make_person(api: RawApi, name: str, *, namespace: str) -> str:
    """Make a ServiceAccount; give its token."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert api.create(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}).code == 201
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = api.create(f"{accounts}/{name}/token", asked)
    assert answer.code == 201
    return str(answer.object["status"]["token"])


def write_kubeconfig(path: Path, *, url: str, token: str, authority: str, namespace: str) -> Path:
    """Write the kubeconfig of somebody who works in a namespace."""
    trusted = b64encode(authority.encode()).decode()
    path.write_text(
        f"clusters: [{{name: here, cluster: {{server: '{url}', certificate-authority-data: {trusted}}}}}]\n"
        f"users: [{{name: me, user: {{token: '{token}'}}}}]\n"
        f"contexts: [{{name: c, context: {{cluster: here, user: me, namespace: {namespace}}}}}]\ncurrent-context: c\n"
    )
    return path
