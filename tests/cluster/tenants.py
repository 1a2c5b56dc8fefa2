"""Tenants of a cluster: ServiceAccounts that may do what their roles say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import Answer, Object, RawApi

RBAC = "/apis/rbac.authorization.k8s.io/v1"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"


def rule(resources: str, verbs: str, *, group: str = "", names: Sequence[str] = ()) -> Object:
    """One rule of a role about resources."""
    return {
        "apiGroups": [group],
        "resources": resources.split(),
        "verbs": verbs.split(),
        "resourceNames": list(names),
    }


def url_rule(urls: str, verbs: str) -> Object:
    """One rule of a role about paths."""
    return {"nonResourceURLs": urls.split(), "verbs": verbs.split()}


@dataclass(frozen=True)
class Tenant:
    """A ServiceAccount, its namespace, and whoever may give it rights."""

    server: KubeServer
    admin: RawApi
    api: RawApi
    namespace: str
    token: str
    account: str = "notebook"

    @classmethod
    @contextmanager
    def move_in(cls, server: KubeServer, namespace: str) -> Iterator["Tenant"]:
        """Make the namespace and the ServiceAccount; both go at the end."""
        admin = RawApi(server.url, server.token, server.authority)
        assert admin.create("/api/v1/namespaces", {"metadata": {"name": namespace}}).code == 201
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        assert admin.create(accounts, {"metadata": {"name": cls.account}}).code == 201
        token = admin.create(f"{accounts}/{cls.account}/token", {}).object["status"]["token"]
        api = RawApi(server.url, token, server.authority)
        try:
            yield cls(server, admin, api, namespace, token)
        finally:
            admin.delete(f"/api/v1/namespaces/{namespace}")
            admin.close()
            api.close()

    @property
    def path(self) -> str:
        """The path of its namespace in the core group."""
        return f"/api/v1/namespaces/{self.namespace}"

    @property
    def roles(self) -> str:
        """The path of its namespace in the group of roles."""
        return f"{RBAC}/namespaces/{self.namespace}"

    @property
    def user(self) -> str:
        """Its user name."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"

    @property
    def subject(self) -> Object:
        """What a binding calls it."""
        return {"kind": "ServiceAccount", "name": self.account, "namespace": self.namespace}

    def allow(self, *rules: Object, name: str = "given") -> None:
        """Give it a Role of these rules."""
        assert self.admin.create(f"{self.roles}/roles", {"metadata": {"name": name}, "rules": list(rules)}).code == 201
        assert self.bind("Role", name).code == 201

    def bind(self, kind: str, role: str, *, by: RawApi | None = None) -> Answer:
        """Bind it to a role within its namespace."""
        binding = {
            "metadata": {"name": f"{role}-{self.account}"},
            "roleRef": {"kind": kind, "name": role},
            "subjects": [self.subject],
        }
        return (by or self.admin).create(f"{self.roles}/rolebindings", binding)

    @contextmanager
    def everywhere(self, *rules: Object) -> Iterator[None]:
        """Give it a ClusterRole of these rules in the whole cluster, for a while."""
        role: Object = {"metadata": {"name": self.namespace}, "rules": list(rules)}
        reference = {"kind": "ClusterRole", "name": self.namespace}
        binding: Object = {"metadata": {"name": self.namespace}, "roleRef": reference, "subjects": [self.subject]}
        assert self.admin.create(f"{RBAC}/clusterroles", role).code == 201
        assert self.admin.create(f"{RBAC}/clusterrolebindings", binding).code == 201
        try:
            yield
        finally:
            self.admin.delete(f"{RBAC}/clusterrolebindings/{self.namespace}")
            self.admin.delete(f"{RBAC}/clusterroles/{self.namespace}")
