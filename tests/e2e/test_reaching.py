"""Connecting to a cluster's gateway: by its address, through a tunnel, with the read API or without; each is said."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import kfambassador as kfa
from kfambassador.controller.reviews import ReviewSettings
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.stack import LocalStack
from kfambassador.names import READ_API_LABELS
from kfambassador.sdk.reaching.ways import Reach, Said
from tests.backends import EchoServer
from tests.e2e.installed import HOME, SELECTOR, install, remove, start_pod
from tests.e2e.people import write_kubeconfig

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("reaching")]

COMPILED = "routes are compiled here from what you may read, since the read API cannot be asked: "


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(reviews=ReviewSettings()) as stack:
        yield stack


@pytest.fixture(scope="module")
def admin(stack: LocalStack) -> Iterator[KubeClient]:
    with KubeClient.connect(
        stack.endpoint.api_url, token=stack.endpoint.api_token, authority=stack.endpoint.api_authority
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_stays(admin: KubeClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("NAMESPACE", "URL", "DIAGNOSTICS_URL", "DIAGNOSTICS_TOKEN"):
        monkeypatch.delenv(f"KFAMBASSADOR_{name}", raising=False)
    yield
    for namespace in (HOME, "platform"):
        remove(admin, namespace=namespace)


@pytest.fixture
def place(stack: LocalStack, tmp_path: Path) -> kfa.Kubeconfig:
    endpoint = stack.endpoint
    path = write_kubeconfig(
        tmp_path / "config",
        url=endpoint.api_url,
        token=endpoint.api_token,
        authority=endpoint.api_authority,
        namespace="default",
    )
    return kfa.Kubeconfig(path=path)


def test_an_address_is_used_as_it_is(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    install(admin, stack.endpoint, ingress=[{"ip": "127.0.0.1"}])
    port = urlsplit(stack.endpoint.url).port
    admin.patch(SERVICE, "gateway", {"spec": {"ports": [{"name": "http", "port": port}]}}, namespace=HOME)
    with kfa.connect(place) as gateway:
        assert gateway.url == stack.endpoint.url
        said = capsys.readouterr().err.splitlines()
    assert said == [
        f"kfambassador: {COMPILED}no Service has a port for it",
        f"kfambassador: the cluster of the current context: gateway at {stack.endpoint.url}",
    ]


def test_without_an_address_a_tunnel_leads_to_both_ports_and_it_is_said(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    install(admin, stack.endpoint)
    start_pod(admin, "gateway-0")
    with kfa.connect(place) as gateway:
        assert gateway.url.startswith("http://127.0.0.1:")
        assert gateway.url != stack.endpoint.url
        assert gateway.routes() is not None
        assert gateway.statistics() is not None  # nobody but the read API knows
    tunnel = "through a tunnel to pod gateway-0, since Service gateway in namespace kfambassador has no address"
    assert capsys.readouterr().err.splitlines() == [
        f"kfambassador: {tunnel} outside the cluster",
        f"kfambassador: the cluster of the current context: gateway at {gateway.url}",
    ]
    with pytest.raises(kfa.KfAmbassadorError, match=r"."):
        gateway.routes()


def test_no_token_goes_out_of_the_cluster_without_tls(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    install(admin, stack.endpoint, read_api=False)
    start_pod(admin, "gateway-0")
    with EchoServer() as outside:
        port = urlsplit(stack.endpoint.diagnostics_url).port
        ports = [{"name": "diagnostics", "port": outside.port, "targetPort": port}]
        metadata = {"name": "read-api", "namespace": HOME, "labels": {**READ_API_LABELS}}
        spec = {"type": "LoadBalancer", "selector": SELECTOR, "ports": ports}
        admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
        status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
        admin.patch_status(SERVICE, "read-api", status, namespace=HOME)
        with kfa.connect(place) as gateway:
            assert gateway.statistics() is not None  # by a tunnel
        assert COMPILED not in capsys.readouterr().err
        assert outside.script.seen == []


def test_a_gateway_that_nobody_named_is_shown_no_token(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    install(admin, stack.endpoint, namespace="platform")
    start_pod(admin, "gateway-0", namespace="platform")
    with kfa.connect(place) as gateway:
        said = capsys.readouterr().err
        assert f"{COMPILED}your Kubernetes token is shown to a gateway only where you say so" in said
        assert "set KFAMBASSADOR_NAMESPACE to 'platform'" in said
        assert gateway.routes() is not None
        with pytest.raises(kfa.NoGateway, match="only where you say so"):
            gateway.statistics()


def test_once_it_is_named_it_is_asked(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(admin, stack.endpoint, namespace="platform")
    start_pod(admin, "gateway-0", namespace="platform")
    monkeypatch.setenv("KFAMBASSADOR_NAMESPACE", "platform")
    with kfa.connect(place, quiet=True) as gateway:
        assert gateway.statistics() is not None


def test_without_a_gateway_it_is_said_what_was_looked_for(place: kfa.Kubeconfig) -> None:
    with pytest.raises(
        kfa.ConfigurationError, match=r"^No gateway was found: no Service with app\.kubernetes\.io/name="
    ):
        kfa.connect(place, quiet=True)


def test_without_a_ready_pod_it_is_said(stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig) -> None:
    install(admin, stack.endpoint)
    with pytest.raises(kfa.NoGateway, match="has no ready pod"):
        kfa.connect(place, quiet=True)


def test_an_address_that_is_given_needs_no_service(
    stack: LocalStack, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    with kfa.connect(place, url=f"{stack.endpoint.url}/") as gateway:
        assert gateway.url == stack.endpoint.url
        assert f"{COMPILED}No gateway was found" in capsys.readouterr().err


def test_quiet_says_nothing(
    stack: LocalStack, admin: KubeClient, place: kfa.Kubeconfig, capsys: pytest.CaptureFixture[str]
) -> None:
    install(admin, stack.endpoint, read_api=False)
    start_pod(admin, "gateway-0")
    with kfa.connect(place, quiet=True) as gateway:
        assert gateway.routes() is not None
    assert capsys.readouterr() == ("", "")


def test_inside_the_cluster_the_services_own_name_is_the_address(stack: LocalStack, admin: KubeClient) -> None:
    install(admin, stack.endpoint, read_api=False, ingress=[{"hostname": "models.example.org"}])
    said: list[str] = []
    reach = Reach(admin, {}, is_inside=True, tell=said.append)
    way = reach.find(Said())
    assert (way.url, way.internal_url) == ("http://gateway.kfambassador", "http://gateway.kfambassador")
    assert (way.reader.is_own, way.is_direct) == (True, True)
    assert said == [f"{COMPILED}no Service has a port for it"]
    reach.close()
