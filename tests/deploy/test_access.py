"""The controller's permissions: each verb it uses, recorded as it runs, and each verb it is granted. They are equal.

The table is also put to an authorizer: the embedded one, or with ``--kubeconfig FILE`` that of a real cluster.
"""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfambassador.controller.options import ControllerOptions
from kfambassador.controller.reporting.event_book import EventPace
from kfambassador.controller.runtime import ControllerThread
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import EVENT, LEASE, MAPPING
from kfambassador.kube.permissions import CONTROLLER, CONTROLLER_AT_HOME
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.names import ADMIN_SOCKET, GATEWAY_ACCOUNT, INSTALL_NAMESPACE, STATUS_LEASE, XDS_SOCKET
from tests.cluster.conftest import kubectl_path
from tests.cluster.raw_api import RawApi
from tests.cluster.servers import OtherServer, Server, reach, write_kubeconfig
from tests.deploy.recording import Asked, RecordingEntrance
from tests.e2e.gateway import annotate_service, fetch, until
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("access")

BASE = Path(__file__).parents[2] / "deploy" / "base"
FILES = ("namespace.yaml", "service-account.yaml", "access.yaml", "bindings.yaml")
RBAC = "/apis/rbac.authorization.k8s.io/v1"
HOME = INSTALL_NAMESPACE
USER = f"system:serviceaccount:{HOME}:{GATEWAY_ACCOUNT}"

EVERYWHERE = "everywhere"
AT_HOME = f"in {HOME}"

AMBASSADOR = "getambassador.io"
COORDINATION = "coordination.k8s.io"
FOLLOWED = (
    ("", "services"),
    ("networking.k8s.io", "ingresses"),
    ("discovery.k8s.io", "endpointslices"),
    (AMBASSADOR, "mappings"),
    (AMBASSADOR, "authservices"),
    (AMBASSADOR, "consulresolvers"),
    (AMBASSADOR, "kubernetesendpointresolvers"),
    (AMBASSADOR, "kubernetesserviceresolvers"),
    (AMBASSADOR, "modules"),
    (AMBASSADOR, "tlscontexts"),
)

# Where, the verb, the group, the resource, and the one object it is about if it is about one.
Permission = tuple[str, str, str, str, str]

#: Every permission of the controller, and why.
TABLE: dict[Permission, str] = {
    **{
        (EVERYWHERE, verb, *kind, ""): "what people write is followed"
        for kind in FOLLOWED
        for verb in ("list", "watch")
    },
    (EVERYWHERE, "patch", AMBASSADOR, "mappings/status", ""): "what became of a Mapping is written into its status",
    (EVERYWHERE, "create", "", "events", ""): "a problem is told on the object it stands in",
    (EVERYWHERE, "patch", "", "events", ""): "that it came up again is counted",
    (EVERYWHERE, "create", "authentication.k8s.io", "tokenreviews", ""): "the read API finds out who asks",
    (EVERYWHERE, "create", "authorization.k8s.io", "subjectaccessreviews", ""): "and what they may see",
    (AT_HOME, "list", "", "secrets", ""): "certificates of TLS contexts are followed",
    (AT_HOME, "watch", "", "secrets", ""): "certificates of TLS contexts are followed",
    (AT_HOME, "create", COORDINATION, "leases", ""): "the first replica makes the Lease",
    (AT_HOME, "get", COORDINATION, "leases", STATUS_LEASE): "who does not write looks who does",
    (AT_HOME, "update", COORDINATION, "leases", STATUS_LEASE): "who writes renews it",
}

#: What somebody might think it had besides: neighbours of what it has.
DENIED: tuple[Permission, ...] = (
    ("team", "get", "", "secrets", ""),
    ("team", "list", "", "secrets", ""),
    (HOME, "get", "", "secrets", "tls"),
    (HOME, "create", "", "secrets", ""),
    ("team", "patch", "", "services", "iris"),
    ("team", "delete", "", "services", "iris"),
    ("team", "patch", AMBASSADOR, "mappings", "iris"),
    ("team", "delete", AMBASSADOR, "mappings", "iris"),
    ("team", "delete", "", "events", "iris.1"),
    ("team", "list", "", "events", ""),
    ("team", "get", "", "pods", "iris"),
    (HOME, "create", "", "pods/exec", "gateway-0"),
    ("team", "create", COORDINATION, "leases", ""),
    (HOME, "update", COORDINATION, "leases", "another"),
    (HOME, "delete", COORDINATION, "leases", STATUS_LEASE),
    ("", "escalate", "rbac.authorization.k8s.io", "clusterroles", "kfambassador-controller"),
    ("", "bind", "rbac.authorization.k8s.io", "clusterroles", "cluster-admin"),
    ("", "impersonate", "", "users", "ann"),
    ("", "list", "", "namespaces", ""),
)


def read_files(*names: str) -> list[dict[str, Any]]:
    return [document for name in names for document in yaml.safe_load_all((BASE / name).read_text()) if document]


def read_granted() -> set[Permission]:
    """What the files of the base grant to the controller's account, by its bindings."""
    objects = read_files("access.yaml", "bindings.yaml")
    roles = {(each["kind"], each["metadata"]["name"]): each for each in objects if each["kind"].endswith("Role")}
    granted: set[Permission] = set()
    for binding in objects:
        if not binding["kind"].endswith("Binding"):
            continue
        [subject] = binding["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": GATEWAY_ACCOUNT, "namespace": HOME}
        where = f"in {binding['metadata']['namespace']}" if binding["kind"] == "RoleBinding" else EVERYWHERE
        for rule in roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]]["rules"]:
            granted |= {
                (where, verb, group, resource, name)
                for verb in rule["verbs"]
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for name in rule.get("resourceNames", [""])
            }
    return granted


def join_asked(asked: Iterable[Asked]) -> set[Permission]:
    """What was asked as permissions: at home what was asked for in no other place, and of one object what names one."""
    places: dict[tuple[str, str, str], set[str]] = {}
    names: dict[tuple[str, str, str], set[str]] = {}
    for each in asked:
        places.setdefault(each[:3], set()).add(each.namespace)
        # Who creates an object names it in no place that an authorizer sees.
        names.setdefault(each[:3], set()).add("" if each.verb == "create" else each.name)
    joined: set[Permission] = set()
    for key, found in places.items():
        where = AT_HOME if found == {HOME} else EVERYWHERE
        [*named] = names[key] if where == AT_HOME and len(names[key]) == 1 else [""]
        joined |= {(where, *key, name) for name in named}
    return joined


def test_every_permission_that_is_granted_is_in_the_table_and_none_else() -> None:
    assert read_granted() == TABLE.keys()


@dataclass
class Installed:
    """The controller's account in a cluster, and whoever administers it."""

    server: KubeServer
    admin: KubeClient
    api: RawApi
    entrance: RecordingEntrance

    def make_namespace(self, name: str) -> None:
        self.admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


@contextmanager
def installed(tmp_path: Path, *files: str) -> Iterator[Installed]:
    """A cluster whose roles decide, with an account that has what these files give."""
    with (
        KubeServer(rbac=True, furniture=read_definitions()) as server,
        KubeClient.connect(server.url, token=server.token, authority=server.authority) as admin,
    ):
        kubectl(server, tmp_path, "apply", "--server-side", *files)
        api = RawApi(server.url, server.token, server.authority)
        answer = api.create(f"/api/v1/namespaces/{HOME}/serviceaccounts/{GATEWAY_ACCOUNT}/token", {"spec": {}})
        token = str(answer.object["status"]["token"])
        yield Installed(server, admin, api, RecordingEntrance(server.url, token, server.authority))
        api.close()


def kubectl(server: Server, directory: Path, verb: str, option: str, *files: str) -> None:
    """Apply or delete files of the base with the real kubectl."""
    write_kubeconfig(server, directory / "config")
    named = [word for file in files for word in ("-f", str(BASE / file))]
    command = [str(kubectl_path()), "--kubeconfig", str(directory / "config"), verb, option, *named]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running(cluster: Installed, **options: Any) -> Iterator[ControllerThread]:
    """The controller as its options have it, with an Envoy."""
    with private_directory() as directory, KubeClient(cluster.entrance) as client:
        settings = ControllerOptions(
            xds_socket=directory / XDS_SOCKET,
            admin_socket=directory / ADMIN_SOCKET,
            state_dir=directory / "state",
            http_address="127.0.0.1",
            http_port=free_port(),
            health_address=f"127.0.0.1:{free_port()}",
            diagnostics_address=f"127.0.0.1:{free_port()}",
            gateway_namespace=HOME,
            lease_duration=1,
            identity="gateway-0",
            **options,
        ).settings()
        # What stays is told again after half an hour, or here at once.
        settings = replace(settings, reporting=replace(settings.reporting, event_pace=EventPace(repeat=0.1)))
        with ControllerThread(client, settings) as controller, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory=directory)))
            yield controller


def use_everything(cluster: Installed, controller: ControllerThread, *, namespace: str) -> None:
    """Give the controller reason to do all that it ever does."""
    cluster.admin.apply(annotate_service("wrong", "{apiVersion: x, kind: Mapping}", namespace=namespace))
    spec = {"prefix": "/right/", "service": "models.example.org:443"}
    metadata = {"name": "right", "namespace": namespace}
    cluster.admin.apply({"apiVersion": MAPPING.api_version, "kind": MAPPING.kind, "metadata": metadata, "spec": spec})
    until(lambda: read_state(cluster, namespace) == "Running")
    until(lambda: any(event.get("count", 0) > 1 for event in cluster.admin.list(EVENT, namespace=namespace).items))
    first = cluster.admin.get(LEASE, STATUS_LEASE, namespace=HOME)["spec"]["renewTime"]
    until(lambda: cluster.admin.get(LEASE, STATUS_LEASE, namespace=HOME)["spec"]["renewTime"] != first)
    token = cluster.entrance.token
    fetch(f"{controller.diagnostics_url}/ambassador/v0/routes", token=token)


def read_state(cluster: Installed, namespace: str) -> object:
    return cluster.admin.get(MAPPING, "right", namespace=namespace).get("status", {}).get("state")


@pytest.mark.e2e
def test_what_the_controller_asks_for_is_what_it_is_granted(tmp_path: Path) -> None:
    with installed(tmp_path, *FILES) as cluster:
        cluster.make_namespace("team")
        with running(cluster, diagnostics_reviews=True) as controller:
            use_everything(cluster, controller, namespace="team")
        assert join_asked(cluster.entrance.asked) == TABLE.keys()
        assert cluster.entrance.refused == []


@pytest.mark.e2e
def test_a_gateway_of_one_namespace_needs_nothing_but_a_role_there(tmp_path: Path) -> None:
    with installed(tmp_path, "namespace.yaml", "service-account.yaml") as cluster:
        rules = [
            {"apiGroups": [rule.group], "resources": [*rule.resources], "verbs": [*rule.verbs]}
            | ({"resourceNames": [*rule.names]} if rule.names else {})
            for rule in (*CONTROLLER.rules, *CONTROLLER_AT_HOME.rules)
        ]
        roles = f"{RBAC}/namespaces/{HOME}"
        assert cluster.api.create(f"{roles}/roles", {"metadata": {"name": "own"}, "rules": rules}).code == 201
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "own"}
        subject = {"kind": "ServiceAccount", "name": GATEWAY_ACCOUNT, "namespace": HOME}
        binding = {"metadata": {"name": "own"}, "roleRef": reference, "subjects": [subject]}
        assert cluster.api.create(f"{roles}/rolebindings", binding).code == 201
        with running(cluster, namespace=HOME) as controller:
            use_everything(cluster, controller, namespace=HOME)
        assert {each.namespace for each in cluster.entrance.asked} == {HOME}
        assert cluster.entrance.refused == []


@pytest.fixture(scope="module")
def authorizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawApi]:
    """An API server with the base's roles: the embedded one, or that of ``--kubeconfig``."""
    directory = tmp_path_factory.mktemp("authorizer")
    if kubeconfig := request.config.getoption("--kubeconfig"):
        with lent_roles(reach(kubeconfig), directory) as api:
            yield api
    else:
        with installed(directory, *FILES) as cluster:
            yield cluster.api


@contextmanager
def lent_roles(server: OtherServer, directory: Path) -> Iterator[RawApi]:
    """A cluster of somebody's: it has the roles because the gateway is installed, or it is lent them."""
    api = RawApi(server.url, server.token, server.authority, server.certificate)
    is_lent = api.get(f"{RBAC}/clusterroles/{CONTROLLER.name}").code == 404
    try:
        if is_lent:
            kubectl(server, directory, "apply", "--server-side", *FILES)
        yield api
    finally:
        if is_lent:
            kubectl(server, directory, "delete", "--ignore-not-found", *FILES)
        api.close()


def is_allowed(api: RawApi, permission: Permission) -> bool:
    """Ask an authorizer whether the controller's account may do something."""
    where, verb, group, resource, name = permission
    plural, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": plural, "subresource": part, "namespace": where, "name": name}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{HOME}", "system:authenticated"]
    spec = {"user": USER, "groups": groups, "resourceAttributes": asked}
    answer = api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": spec})
    assert answer.code == 201, answer.message
    return bool(answer.object["status"]["allowed"])


@pytest.mark.parametrize("permission", TABLE, ids=" ".join)
def test_an_authorizer_lets_the_controller_do_what_is_in_the_table(authorizer: RawApi, permission: Permission) -> None:
    where = {EVERYWHERE: "", AT_HOME: HOME}[permission[0]]
    assert is_allowed(authorizer, (where, *permission[1:]))


@pytest.mark.parametrize("permission", DENIED, ids=" ".join)
def test_an_authorizer_lets_it_do_nothing_besides(authorizer: RawApi, permission: Permission) -> None:
    assert not is_allowed(authorizer, permission)
