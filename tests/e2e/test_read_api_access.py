"""The read API as a cluster guards it: Kubernetes tokens, and who may list Mappings where."""

import asyncio
import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from kfambassador.controller.access import Refused
from kfambassador.controller.overview import OWNERS_PARTS, PARTS
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.reviews import ClusterGuard, ReviewSettings
from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.sight import OWNER, Sight
from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import GATEWAY_KINDS
from kfambassador.kube.permissions import PUBLISHER
from kfambassador.kube.reflector import ReflectorSettings
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import ADMIN_SOCKET, AMBASSADOR_GROUP, ASKING_SOCKET, XDS_SOCKET
from kfambassador.routing.policy import TenancyPolicy
from tests.cluster.raw_api import Object, RawApi
from tests.e2e.gateway import Answer, Parts, fetch, running_gateway, until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("read-api-access")]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CANARY = "tweety"
READ = ["get", "list", "watch"]
ENDPOINTS = [
    "routes",
    "problems",
    "diag/",
    *(f"diag/?filter={part}" for part in PARTS if part not in OWNERS_PARTS),
    "explain?url=/mine/x&ask=envoy",
    "explain?url=/theirs/x&ask=envoy",
    "explain?url=/nobodys",
    "statistics",
    f"statistics?mapping=rivals/{CANARY}-a",
    "sources/Service/team/own",
    "diag/Service/team/own",
]
THEIRS = f"""
---
{{apiVersion: ambassador/v1, kind: Mapping, name: {CANARY}-a, prefix: /theirs/, service: {CANARY}-a,
  rewrite: /{CANARY}/, add_request_headers: {{x-a: {CANARY}}}}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name: {CANARY}-b, prefix: /{CANARY}/, host: {CANARY}.example,
  service: {CANARY}}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name: {CANARY}-bad, prefix: /{CANARY}/bad/, timeout_ms: {CANARY}}}
"""
MINE = """
---
{apiVersion: ambassador/v1, kind: Mapping, name: own, prefix: /mine/, service: own}
---
{apiVersion: ambassador/v1, kind: Mapping, name: late, prefix: /theirs/, service: own}
"""


class Cluster:
    """A Kubernetes API with roles, and whoever is needed in it."""

    def __init__(self, server: KubeServer) -> None:
        self.server = server
        self.api = RawApi(server.url, server.token, server.authority)
        for namespace in ("ambassador", "team", "rivals", "fresh"):
            self.make("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": namespace}})
        rules = [
            {"apiGroups": [each.group], "resources": each.resources, "verbs": each.verbs} for each in PUBLISHER.rules
        ]
        self.make_role(PUBLISHER.name, *rules)

    def make(self, path: str, body: Object) -> None:
        version = path.removeprefix("/apis/").removeprefix("/api/").partition("/namespaces")[0]
        version = "/".join(version.split("/")[:2]) if path.startswith("/apis/") else "v1"
        answer = self.api.create(path, {"apiVersion": version, **body})
        assert answer.code == 201, answer.object

    def make_role(self, name: str, *rules: Object) -> None:
        self.make(f"{RBAC}/clusterroles", {"kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)})

    def account(self, name: str, namespace: str, *, seconds: int = 3600) -> str:
        """Make a ServiceAccount; give a token of it."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.make(path, {"kind": "ServiceAccount", "metadata": {"name": name}})
        return self.token(name, namespace, seconds=seconds)

    def token(self, name: str, namespace: str, *, seconds: int = 3600) -> str:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        answer = self.api.create(path, {**request, "spec": {"expirationSeconds": seconds}})
        assert answer.code == 201, answer.object
        token: str = answer.object["status"]["token"]
        return token

    def bind(self, name: str, namespace: str, *, where: str = "", role: str = PUBLISHER.name) -> str:
        """Bind a role to a ServiceAccount, in a namespace or everywhere; give the binding's path."""
        kind, path = ("ClusterRoleBinding", f"{RBAC}/clusterrolebindings")
        if where:
            kind, path = "RoleBinding", f"{RBAC}/namespaces/{where}/rolebindings"
        binding = {
            "kind": kind,
            "metadata": {"name": f"{role}-{name}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }
        self.make(path, binding)
        return f"{path}/{role}-{name}"

    def tenant(self, name: str, namespace: str) -> str:
        """Make a ServiceAccount that publishes in its namespace; give a token of it."""
        token = self.account(name, namespace)
        self.bind(name, namespace, where=namespace)
        return token

    def gateway_account(self, name: str, *, reviews: bool = True) -> str:
        """Make the account a gateway runs as, with no more rights than it needs; give a token of it."""
        rules: list[Object] = [
            {"apiGroups": [""], "resources": ["services"], "verbs": READ},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
            {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": READ},
            {
                "apiGroups": [AMBASSADOR_GROUP],
                "resources": ["mappings", *(kind.plural for kind in GATEWAY_KINDS)],
                "verbs": READ,
            },
        ]
        if reviews:
            groups = {"authentication.k8s.io": "tokenreviews", "authorization.k8s.io": "subjectaccessreviews"}
            rules += [
                {"apiGroups": [group], "resources": [each], "verbs": ["create"]} for group, each in groups.items()
            ]
        token = self.account(name, "ambassador")
        self.make_role(name, *rules)
        self.bind(name, "ambassador", role=name)
        return token


@contextmanager
def running_cluster(*, port: int = 0, state: Path | None = None) -> Iterator[Cluster]:
    with KubeServer(rbac=True, furniture=read_definitions(), shortest_token=1.0, port=port, state=state) as server:
        cluster = Cluster(server)
        yield cluster
        cluster.api.close()


@contextmanager
def guarded_gateway(cluster: Cluster, token: str, reviews: ReviewSettings) -> Iterator[Parts]:
    """A gateway whose read API is guarded by the cluster; it has its first routes."""
    port = free_port()
    with (
        KubeClient.connect(cluster.server.url, token=token, authority=cluster.server.authority) as own,
        KubeClient.connect(
            cluster.server.url, token=cluster.server.token, authority=cluster.server.authority
        ) as client,
        private_directory() as directory,
    ):
        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            admin_socket=directory / ADMIN_SOCKET,
            listener=ListenerSettings(port=port, asking_socket=directory / ASKING_SOCKET),
            policy=TenancyPolicy(gateway_namespace="ambassador"),
            reviews=reviews,
            reflector=ReflectorSettings(shortest_pause=0.01, longest_pause=0.1),
            reporting=ReportSettings(statuses=False, events=False),
        )
        with ControllerThread(own, settings) as controller, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory=directory)))
            yield Parts(client, controller, envoy, f"http://127.0.0.1:{port}")


@dataclass(frozen=True)
class Scene:
    """Two tenants and an owner at one gateway, which remembers nothing."""

    cluster: Cluster
    gateway: Parts
    team: str
    rival: str
    owner: str

    def ask(self, path: str, token: str) -> Answer:
        return self.gateway.ask(path, token=token)

    def wait_served(self, name: str, version: str, namespace: str) -> None:
        query = urlencode({"resource_version": version, "wait": 10.0})
        answer = self.ask(f"sources/Service/{namespace}/{name}?{query}", self.owner)
        assert answer.json()["state"] != "pending", answer.body


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with ExitStack() as parts:
        cluster = parts.enter_context(running_cluster())
        team, rival = cluster.tenant("editor", "team"), cluster.tenant("editor", "rivals")
        owner = cluster.account("owner", "ambassador")
        cluster.bind("owner", "ambassador")
        token = cluster.gateway_account("gateway")
        gateway = parts.enter_context(guarded_gateway(cluster, token, ReviewSettings(remembered=0.0)))
        scene = Scene(cluster, gateway, team, rival, owner)
        scene.wait_served(f"{CANARY}-a", gateway.apply_service(f"{CANARY}-a", THEIRS, namespace="rivals"), "rivals")
        scene.wait_served("own", gateway.apply_service("own", MINE, namespace="team"), "team")
        yield scene


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_tenant_is_told_nothing_of_the_others(scene: Scene, path: str) -> None:
    answer = scene.ask(path, scene.team)
    assert answer.status == 200, answer.body
    assert CANARY not in answer.body
    # Who lost a path is told whom to ask, and nothing more.
    assert "rivals" not in answer.body.replace("belong to a mapping of namespace rivals, which was there first", "")


def test_each_tenant_is_told_all_of_its_own(scene: Scene) -> None:
    routes: Any = scene.ask("routes", scene.team).json()["routes"]
    assert [split["mapping"] for route in routes for split in route["splits"]] == ["team/own"]
    problems: Any = scene.ask("problems", scene.team).json()["problems"]
    assert {problem["code"] for problem in problems} == {"conflicting-route", "no-endpoints"}
    theirs: Any = scene.ask("routes", scene.rival).json()["routes"]
    assert {split["mapping"] for route in theirs for split in route["splits"]} == {f"rivals/{CANARY}-{x}" for x in "ab"}
    assert scene.ask(f"sources/Service/rivals/{CANARY}-a", scene.rival).json()["state"] == "rejected"


@pytest.mark.parametrize("path", ["routes", "problems", "statistics", "diag/?filter=sources", "explain?url=/theirs/x"])
def test_the_owner_is_told_everything(scene: Scene, path: str) -> None:
    for token in (scene.owner, scene.cluster.server.token):
        answer = scene.ask(path, token)
        assert answer.status == 200
        assert CANARY in answer.body
        assert "team/own" in answer.body or path.startswith("explain")


def test_who_takes_a_request_is_told_without_details(scene: Scene) -> None:
    told: Any = scene.ask("explain?url=/theirs/x&ask=envoy", scene.team).json()
    assert told["winner"] is None
    assert told["elsewhere"]["match"] == {"prefix": "/theirs/"}
    assert told["hidden"] == 2
    assert (told["envoy"]["agrees"], told["envoy"]["route"]) == (True, "")
    own: Any = scene.ask("explain?url=/mine/x&ask=envoy", scene.team).json()
    assert own["envoy"]["route"] == own["winner"]["splits"][0]["mapping"] == "team/own"


@pytest.mark.parametrize(
    "path", ["routes", "problems", "statistics", "diag/", "diag/x", "explain", "sources/Service/team/own"]
)
def test_without_a_good_token_nothing_is_told(scene: Scene, path: str) -> None:
    for token in ("", "nonsense", "tok en", f"{scene.team}x"):
        answer = scene.ask(path, token)
        assert answer.status == 401
        assert "bearer token" in answer.body
        assert CANARY not in answer.body


def test_a_long_token_is_asked_about_and_one_that_is_too_long_is_in_no_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    assert scene.ask("routes", "long" * 10_000).status == 401
    caplog.clear()
    with suppress(OSError):  # nobody need read it to its end
        assert scene.ask("routes", "long" * 20_000).status == 400
    until(lambda: bool(caplog.records))
    assert "longlong" not in caplog.text


def test_the_probes_ask_for_no_token(scene: Scene) -> None:
    assert [scene.ask(f"check_{probe}", "").status for probe in ("alive", "ready")] == [200, 200]


def test_a_token_that_has_expired_is_none(scene: Scene) -> None:
    token = scene.cluster.token("editor", "team", seconds=1)
    until(lambda: scene.ask("routes", token).status == 401)
    assert "it has expired" in scene.ask("routes", token).body


def test_an_account_without_rights_is_told_what_it_lacks(scene: Scene) -> None:
    token = scene.cluster.account("guest", "team")
    for path in ("routes", "problems", "diag/", "explain?url=/mine/x"):
        answer = scene.ask(path, token)
        assert answer.status == 403
        assert "system:serviceaccount:team:guest may list mappings.getambassador.io in none" in answer.body
    answer = scene.ask("sources/Service/team/own", token)
    assert answer.status == 403
    assert "list mappings.getambassador.io in namespace 'team'" in answer.body
    assert PUBLISHER.name in answer.body


def test_whether_anothers_object_exists_is_not_told(scene: Scene) -> None:
    known, unknown = (scene.ask(f"sources/Service/rivals/{name}", scene.team) for name in (f"{CANARY}-a", "nothing"))
    assert (known.status, known.body) == (403, unknown.body)
    for name in (f"Service rivals/{CANARY}-a", f"rivals/{CANARY}-a"):
        assert scene.ask(f"diag/{quote(name)}", scene.team).status == 404
        assert scene.ask(f"diag/{quote(name)}", scene.owner).status == 200


def test_a_namespace_without_routes_is_told_so(scene: Scene) -> None:
    token = scene.cluster.tenant("beginner", "fresh")
    assert scene.ask("routes", token).json()["routes"] == []


def test_one_can_ask_about_some_namespaces(scene: Scene) -> None:
    for query in ("namespace=rivals", "namespace=team&namespace=rivals"):
        refused = scene.ask(f"routes?{query}", scene.team)
        assert refused.status == 403
        assert "list mappings.getambassador.io in namespace 'rivals'" in refused.body
    for query, token in (("namespace=team", scene.team), ("namespace=team&namespace=fresh", scene.owner)):
        answer = scene.ask(f"routes?{query}", token)
        assert "team/own" in answer.body
        assert CANARY not in answer.body


@pytest.mark.parametrize("part", sorted(OWNERS_PARTS))
def test_what_is_of_the_gateway_as_a_whole_is_its_owners(scene: Scene, part: str) -> None:
    refused = scene.ask(f"diag/?filter={part}", scene.team)
    assert refused.status == 403
    assert "list mappings.getambassador.io in all namespaces" in refused.body
    assert scene.ask(f"diag/?filter={part}", scene.owner).status == 200


def test_only_the_owner_changes_the_log_level(scene: Scene) -> None:
    assert scene.ask("diag/?loglevel=error&filter=served", scene.team).status == 403
    assert scene.ask("diag/?filter=loginfo", scene.owner).json() == {"loginfo": {"all": "warning"}}
    changed = scene.ask("diag/?loglevel=error&filter=loginfo", scene.owner)
    assert changed.json() == {"loginfo": {"all": "error"}}
    assert scene.ask("diag/?loglevel=warning&filter=loginfo", scene.owner).status == 200


def test_rights_that_are_withdrawn_are_gone(scene: Scene) -> None:
    token = scene.cluster.account("leaver", "team")
    binding = scene.cluster.bind("leaver", "team", where="team")
    assert scene.ask("routes", token).status == 200
    assert scene.cluster.api.delete(binding).code == 200
    assert scene.ask("routes", token).status == 403


def test_a_tenant_waits_for_its_own(scene: Scene) -> None:
    document = "{apiVersion: ambassador/v1, kind: Mapping, name: awaited, prefix: /awaited/, service: awaited}"
    version = scene.gateway.apply_service("awaited", document, namespace="team")
    query = urlencode({"resource_version": version, "wait": 20})
    told = scene.ask(f"sources/Service/team/awaited?{query}", scene.team).json()
    assert (told["state"], told["mappings"]) == ("serving", ["team/awaited"])
    scene.cluster.api.delete("/api/v1/namespaces/team/services/awaited")
    gone = scene.ask("sources/Service/team/awaited?absent=true&wait=20", scene.team).json()
    assert gone["state"] == "unknown"


@pytest.mark.parametrize("wait", ["soon", "nan", ""])
def test_a_wait_that_is_no_number_is_refused(scene: Scene, wait: str) -> None:
    answer = scene.ask(f"sources/Service/team/nothing?resource_version=9&wait={wait}", scene.team)
    assert (answer.status, answer.json()) == (400, {"error": "wait is a number of seconds"})


@pytest.mark.parametrize("part", ["method=GET%20/y", "header=Host:a%0d%0aX-Y:z"])
def test_what_is_no_request_is_the_askers_mistake(scene: Scene, part: str) -> None:
    answer = scene.ask(f"explain?url=/mine/x&ask=envoy&{part}", scene.team)
    assert answer.status == 400
    assert "what is no request" in answer.body


class Turnstile:
    """A guard that lets in once, who sees all that is needed."""

    def __init__(self) -> None:
        self.let_in = Event()

    async def admit(self, token: str, among: Collection[str], *, needed: Collection[str] = ()) -> Sight:
        if self.let_in.is_set() and needed:
            raise Refused(403, "no longer")
        self.let_in.set()
        return Sight(frozenset(needed))

    def close(self) -> None:
        """Do nothing."""


def test_who_loses_the_right_while_waiting_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Turnstile()
    monkeypatch.setattr("kfambassador.controller.process.choose_guard", lambda *_: guard)
    with running_gateway() as gateway:
        answer = gateway.ask("sources/Service/team/own?resource_version=9&wait=0.1")
        assert guard.let_in.is_set()
        assert (answer.status, answer.json()) == (403, {"error": "no longer"})


def test_a_gateway_that_may_not_review_tokens_lets_nobody_in(scene: Scene) -> None:
    token = scene.cluster.gateway_account("unprivileged", reviews=False)
    with guarded_gateway(scene.cluster, token, ReviewSettings()) as gateway:
        answer = gateway.ask("routes", token=scene.owner)
        assert answer.status == 503
        assert "tokenreviews.authentication.k8s.io and subjectaccessreviews.authorization.k8s.io" in answer.body


def test_with_the_cluster_away_only_who_is_remembered_is_let_in() -> None:
    with ExitStack() as parts:
        cluster = parts.enter_context(running_cluster())
        known, unknown = cluster.tenant("known", "team"), cluster.tenant("unknown", "team")
        gateway = parts.enter_context(
            guarded_gateway(cluster, cluster.gateway_account("gateway"), ReviewSettings(3600.0))
        )
        version = gateway.apply_service("own", MINE, namespace="team")
        query = urlencode({"resource_version": version, "wait": 10})
        assert gateway.ask(f"sources/Service/team/own?{query}", token=known).status == 200
        assert gateway.ask("routes", token=known).status == 200
        cluster.server.close()
        assert "team/own" in gateway.ask("routes", token=known).body
        refused = gateway.ask("routes", token=unknown)
        assert refused.status == 503
        assert "cannot ask the cluster who you are" in refused.body
        # What was never asked is not known either.
        assert gateway.ask("sources/Service/rivals/any", token=known).status == 503


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_the_cluster_said_is_believed_for_ten_seconds(scene: Scene) -> None:
    cluster, clock = scene.cluster, Clock()
    token = cluster.account("brief", "team")
    binding = cluster.bind("brief", "team", where="team")
    with KubeClient.connect(
        cluster.server.url, token=cluster.server.token, authority=cluster.server.authority
    ) as client:
        guard = ClusterGuard(client, clock=clock)

        async def play() -> None:
            for _ in range(2):
                assert await guard.admit(token, ["rivals", "team"]) == Sight(frozenset({"team"}))
                cluster.api.delete(binding)
                clock.now += 9.9
            clock.now -= 9.8
            with pytest.raises(Refused) as refused:
                await guard.admit(token, ["rivals", "team"])
            assert refused.value.status == 403
            # A no is believed as long as a yes.
            cluster.bind("brief", "team", where="team")
            with pytest.raises(Refused):
                await guard.admit(token, ["team"])
            clock.now += 10.0
            assert (await guard.admit(token, ["team"], needed=["team"])).sees("team")
            assert await guard.admit(cluster.server.token, ["team"]) is OWNER

        asyncio.run(play())
        held = repr(vars(guard)) + "".join(
            repr(vars(each)) for each in vars(guard).values() if hasattr(each, "__dict__")
        )
        assert token not in held
        guard.close()


def test_a_laptop_can_be_guarded_like_a_cluster() -> None:
    with LocalStack(reviews=ReviewSettings()) as stack:
        endpoint = stack.endpoint
        routes = f"{endpoint.diagnostics_url}/ambassador/v0/routes"
        assert fetch(routes).status == 401
        assert json.loads(fetch(routes, token=endpoint.api_token).body)["routes"] == []
        assert endpoint.diagnostics_token == endpoint.api_token
