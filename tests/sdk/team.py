"""A namespace of its own in a cluster, and what people put there: pods that answer, Services before them."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

import kfambassador as kfa
from kfambassador.kube.kinds import NAMESPACE, SERVICE
from tests.sdk import pod

PORT = 8501
#: An image with Python, for pods.
IMAGE = "python:3.11-slim"
_SOURCE = Path(pod.__file__).read_text()


@dataclass(frozen=True)
class Place:
    """A cluster with a gateway in it.

    Attributes:
        kubeconfig: Whoever runs the tests; an administrator.
        url: Where models answer; "" is to be found.
        diagnostics_url: Where the read API answers; "" is to be found.
        diagnostics_token: Its token.
        image: An image with Python, for pods.
        patience: Seconds a model may take to answer.
    """

    kubeconfig: Path
    url: str = ""
    diagnostics_url: str = ""
    diagnostics_token: str = ""
    image: str = IMAGE
    patience: float = 300.0

    def connect(self, namespace: str, *, kubeconfig: Path | None = None) -> kfa.Gateway:
        """Connect, to work in a namespace."""
        gateway = kfa.connect(
            kfa.Kubeconfig(path=kubeconfig or self.kubeconfig),
            url=self.url or None,
            diagnostics_url=self.diagnostics_url or None,
            diagnostics_token=self.diagnostics_token or None,
            quiet=True,
        )
        gateway.client.default_namespace = namespace
        return gateway


class Team:
    """A namespace, and a gateway to publish from there.

    Attributes:
        place: The cluster.
        namespace: The namespace.
        gateway: Connected as an administrator.
    """

    def __init__(self, place: Place, namespace: str, gateway: kfa.Gateway, directory: Path) -> None:
        self.place = place
        self.namespace = namespace
        self.gateway = gateway
        self._directory = directory
        self._official = _Official(place.kubeconfig)

    @classmethod
    @contextmanager
    def move_in(cls, place: Place, directory: Path) -> Iterator["Team"]:
        """Make the namespace; it goes at the end, with all that is in it."""
        namespace = f"kfa-test-{secrets.token_hex(4)}"
        with place.connect(namespace) as gateway:
            gateway.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            team = cls(place, namespace, gateway, directory)
            try:
                yield team
            finally:
                gateway.client.delete(NAMESPACE, namespace)
                team.close()

    def close(self) -> None:
        """Close connections of its own."""
        self._official.close()

    def path(self, name: str) -> str:
        """A public path that nobody else in the cluster has."""
        return f"/{self.namespace}/{name}/"

    def expose(self, name: str, **arguments: Any) -> kfa.Exposure:
        """Publish under a path of the team's own."""
        return self.gateway.expose(name, **{"prefix": self.path(name), "timeout": self.place.patience, **arguments})

    def deploy(self, name: str, *, bias: float = 2.0, service: bool = True) -> None:
        """Make a Deployment of a model, half of x plus something, and a Service of its name."""
        container = {
            "name": "model",
            "image": self.place.image,
            "command": ["python", "-c", _SOURCE],
            "env": [{"name": "BIAS", "value": str(bias)}],
            "ports": [{"name": "http", "containerPort": PORT}],
            "readinessProbe": {"httpGet": {"path": "/v1/models/any", "port": PORT}, "periodSeconds": 1},
        }
        labels = {"app": name}
        spec = {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
            },
        }
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        self._official.post(path, {"metadata": {"name": name}, "spec": spec})
        if service:
            self.make_service(name)

    def make_service(self, name: str, *, app: str = "", **metadata: Any) -> None:
        """Make a Service before the pods of a Deployment."""
        ports = [{"name": "http", "port": PORT}]
        self.gateway.client.create(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": self.namespace, **metadata},
                "spec": {"selector": {"app": app or name}, "ports": ports},
            }
        )

    def read_service(self, name: str) -> dict[str, Any]:
        """One Service, as it is."""
        return self.gateway.client.get(SERVICE, name, namespace=self.namespace)

    def services(self) -> dict[str, dict[str, Any]]:
        """All Services of the namespace, by name."""
        found = self.gateway.client.list(SERVICE, namespace=self.namespace).items
        return {item["metadata"]["name"]: item for item in found}

    @contextmanager
    def colleague(self, name: str = "bob") -> Iterator[kfa.Gateway]:
        """Somebody else who works in the namespace: a ServiceAccount that may edit."""
        path = self.write_kubeconfig(name, self.hire(name))
        with self.place.connect(self.namespace, kubeconfig=path) as gateway:
            yield gateway

    def hire(self, name: str) -> str:
        """Make a ServiceAccount that may edit in the namespace; give its token."""
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        self._official.post(accounts, {"metadata": {"name": name}})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        self._official.post(
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/rolebindings",
            {"metadata": {"name": f"edit-{name}"}, "roleRef": role, "subjects": [subject]},
        )
        return self.ask_token(name)

    def ask_token(self, name: str, *, seconds: int = 3600) -> str:
        """Ask for a token of a ServiceAccount."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{name}/token"
        return str(self._official.post(path, {"spec": {"expirationSeconds": seconds}})["status"]["token"])

    def write_kubeconfig(self, name: str, token: str, *, server: str = "") -> Path:
        """Write the kubeconfig of somebody who is known by a token."""
        config = yaml.safe_load(self.place.kubeconfig.read_text())
        contexts = {each["name"]: each["context"] for each in config["contexts"]}
        used = contexts[config["current-context"]]["cluster"]
        (cluster,) = (each["cluster"] for each in config["clusters"] if each["name"] == used)
        parts = urlsplit(cluster["server"])
        address = server or f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        written = {
            "clusters": [{"name": "c", "cluster": {**cluster, "server": address}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": name, "namespace": self.namespace}}],
            "current-context": "c",
        }
        path = self._directory / f"{name}.kubeconfig"
        path.write_text(json.dumps(written))
        return path


class _Official:
    """The official client, for kinds that ours has no business to write."""

    def __init__(self, kubeconfig: Path) -> None:
        from kubernetes import config

        self._client = config.new_client_from_config(config_file=str(kubeconfig))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.call_api(
            path,
            "POST",
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
        )[0]
        document: dict[str, Any] = json.loads(answer.data)
        return document

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()
        self._client.close()
