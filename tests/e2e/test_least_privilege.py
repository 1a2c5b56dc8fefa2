"""The SDK's main walk with nothing but the roles that are deployed; and with one rule less, words that say which."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kfambassador as kfa
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.errors import Forbidden
from kfambassador.kube.client import KubeClient
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from tests.cluster.raw_api import RawApi
from tests.e2e.installed import HOME, install, make_namespace, start_pod
from tests.e2e.people import give_role, make_person, read_roles, write_kubeconfig

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("least_privilege")]

TEAM = "team"
ROLES = read_roles()


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(rbac=True, reviews=ReviewSettings(remembered=0.0)) as stack:
        yield stack


@pytest.fixture(scope="module")
def admin(stack: LocalStack) -> Iterator[KubeClient]:
    with KubeClient.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as client:
        make_namespace(client, TEAM)
        install(client, stack.endpoint)
        start_pod(client, "gateway-0")
        yield client


@pytest.fixture(scope="module")
def api(stack: LocalStack, admin: KubeClient) -> Iterator[RawApi]:
    api = RawApi(stack.endpoint.api_url, stack.endpoint.api_token, stack.endpoint.api_authority)
    yield api
    api.close()


@pytest.fixture(scope="module")
def model(admin: KubeClient) -> Iterator[ModelServer]:
    """A model as a Deployment and its Service would run it: somebody else made both."""
    with ModelServer("mnist") as model:
        for name in ("server", "better"):
            run_model(admin, name, port=model.port)
        yield model


def run_model(admin: KubeClient, name: str, *, port: int) -> None:
    ports = [{"name": "rest", "port": 8501}]
    metadata: dict[str, Any] = {"name": name, "namespace": TEAM}
    admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    admin.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-x", "namespace": TEAM, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "rest", "port": port}],
        }
    )


def connect_as(
    api: RawApi, name: str, directory: Path, *, without: tuple[str, str] | None = None, roles: tuple[str, ...]
) -> Path:
    """Make somebody who has some of the roles, perhaps with one verb of one resource less; give a kubeconfig."""
    token = make_person(api, name, namespace=TEAM)
    for role in roles:
        written = {**ROLES[role], "rules": [rule for rule in take_away(ROLES[role]["rules"], without) if rule["verbs"]]}
        written["metadata"] = {**written["metadata"], "name": f"{role}-{name}" if without else role}
        place = TEAM if written["kind"] == "ClusterRole" else HOME
        give_role(api, written, namespace=place, account=name, home=TEAM)
    return write_kubeconfig(directory / "config", url=api.url, token=token, authority=api.authority, namespace=TEAM)


def take_away(rules: list[dict[str, Any]], without: tuple[str, str] | None) -> list[dict[str, Any]]:
    if without is None:
        return rules
    verb, resource = without
    return [
        {**rule, "resources": [each], "verbs": [one for one in rule["verbs"] if (one, each) != (verb, resource)]}
        for rule in rules
        for each in rule["resources"]
    ]


EVERYBODYS = ("kfambassador-publisher", "kfambassador-caller", "kfambassador-tunneller")


def test_the_whole_walk_needs_no_more_than_the_roles(
    api: RawApi, model: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = connect_as(api, "ann", tmp_path, roles=EVERYBODYS)
    with kfa.connect(kfa.Kubeconfig(path=path)) as gateway:
        said = capsys.readouterr().err
        assert (
            "through a tunnel to pod gateway-0, since Service gateway in namespace kfambassador has no address" in said
        )
        assert "compiled here" not in said
        assert list(gateway.routes()) == []
        with gateway.expose("mnist", service="server", timeout=30) as mnist:
            assert mnist.predict([1.0]).values == [2.5]
            assert mnist.internal_url.startswith("http://gateway.kfambassador/")
            assert {split.mapping for route in gateway.routes() for split in route.splits} >= {"team/mnist"}
            assert gateway.explain("POST", mnist.url).mappings
            assert [each.name for each in gateway.list_exposures()] == ["mnist"]
            assert mnist.problems() == ()
            mnist.canary("better", 50)
            assert mnist.split()
            mnist.promote()
            assert mnist.test()
            assert mnist.statistics() is not None
        assert gateway.list_exposures() == []


def test_a_context_that_names_no_namespace_of_ones_own_is_no_reason_to_guess(
    api: RawApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = connect_as(api, "gil", tmp_path, roles=EVERYBODYS)
    path.write_text(path.read_text().replace(f"namespace: {TEAM}", "namespace: default"))
    with kfa.connect(kfa.Kubeconfig(path=path)) as gateway:
        assert "compiled here" not in capsys.readouterr().err
        with pytest.raises(Forbidden, match="list services in namespace 'default'"):
            gateway.expose("mnist", service="server.team")


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("patch", "services"), ("create", "services"), ("list", "services")],
)
def test_a_rule_less_is_told_with_the_role_that_has_it(
    api: RawApi, model: ModelServer, tmp_path: Path, verb: str, resource: str
) -> None:
    name = f"without-{verb}-{resource}"
    path = connect_as(api, name, tmp_path, without=(verb, resource), roles=("kfambassador-publisher",))
    for role in EVERYBODYS[1:]:
        give_role(api, ROLES[role], namespace=HOME, account=name, home=TEAM)
    with kfa.connect(kfa.Kubeconfig(path=path), quiet=True) as gateway, pytest.raises(Forbidden) as raised:
        gateway.expose(name, service="server", prefix=f"/{name}/")
    assert f"Missing is the permission to {verb} {resource} in namespace 'team'." in str(raised.value)
    assert re.search(
        rf"kubectl create rolebinding kfambassador-publisher-{name} --namespace team "
        rf"--clusterrole kfambassador-publisher --serviceaccount team:{name}$",
        str(raised.value),
    )


def test_without_the_tunnels_role_it_is_named(api: RawApi, tmp_path: Path) -> None:
    path = connect_as(api, "bob", tmp_path, roles=("kfambassador-publisher", "kfambassador-caller"))
    with pytest.raises(
        Forbidden, match=r"^No tunnel leads to .*list pods in namespace 'kfambassador'.*--role kfambassador-t"
    ):
        kfa.connect(kfa.Kubeconfig(path=path), quiet=True)


def test_the_namespace_that_is_named_must_be_readable(
    api: RawApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFAMBASSADOR_NAMESPACE", HOME)
    path = connect_as(api, "fay", tmp_path, roles=("kfambassador-publisher",))
    with pytest.raises(
        kfa.ConfigurationError, match=r"which KFAMBASSADOR_NAMESPACE names\..*--role kfambassador-caller"
    ):
        kfa.connect(kfa.Kubeconfig(path=path), quiet=True)


def test_who_may_not_even_find_the_gateway_hears_what_to_set_and_which_role_is_missing(
    api: RawApi, tmp_path: Path
) -> None:
    path = connect_as(api, "eve", tmp_path, roles=("kfambassador-publisher",))
    with pytest.raises(
        kfa.ConfigurationError, match=r"in all namespaces you may not look\. Set KFAMBASSADOR_NAMESPACE"
    ) as raised:
        kfa.connect(kfa.Kubeconfig(path=path), quiet=True)
    assert str(raised.value).endswith(
        "kubectl create rolebinding kfambassador-caller-eve --namespace kfambassador --role kfambassador-caller "
        "--serviceaccount team:eve"
    )


def test_who_is_told_the_address_needs_nothing_in_the_gateways_namespace(
    api: RawApi,
    stack: LocalStack,
    model: ModelServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = connect_as(api, "dan", tmp_path, roles=("kfambassador-publisher",))
    with kfa.connect(kfa.Kubeconfig(path=path), url=stack.endpoint.url) as gateway:
        said = capsys.readouterr().err
        assert "routes are compiled here from what you may read, since the read API cannot be asked" in said
        with gateway.expose("own", service="server", server=kfa.TFServing(model="mnist"), timeout=30) as own:
            assert own.predict([1.0]).values == [2.5]
            served = {split.mapping for route in gateway.routes() for split in route.splits}
            assert "team/own" in served
            assert {mapping.partition("/")[0] for mapping in served} == {TEAM}
            told = [problem.message for problem in gateway.problems() if problem.code == "unread"]
            assert any("you may list those of team only" in message for message in told)
