"""The SDK against a cluster it knows by a kubeconfig: the same verbs, and this machine out of reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import kfambassador as kfa
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kube") / "config"


@pytest.fixture(scope="module")
def stack(kubeconfig: Path) -> Iterator[LocalStack]:
    with LocalStack(kubeconfig=kubeconfig) as stack:
        yield stack


@pytest.fixture
def gateway(stack: LocalStack, kubeconfig: Path) -> Iterator[kfa.Gateway]:
    endpoint = stack.endpoint
    with kfa.connect(
        kfa.Kubeconfig(path=kubeconfig),
        url=endpoint.url,
        diagnostics_url=f"{endpoint.diagnostics_url}/",
        diagnostics_token=endpoint.diagnostics_token,
        quiet=True,
    ) as gateway:
        yield gateway


def test_a_service_of_the_cluster_that_has_the_models_name_is_published(gateway: kfa.Gateway) -> None:
    with ModelServer("mnist") as model:
        deploy(gateway, "mnist", target_port=model.port)
        with gateway.expose("mnist") as mnist:
            assert repr(mnist) == f"<Exposure mnist at {gateway.url}/models/mnist/ → mnist.default:8501>"
            assert mnist.predict([1.0]).values == [2.5]


def deploy(gateway: kfa.Gateway, name: str, *, target_port: int) -> None:
    """Make a Service and its endpoints, as a Deployment and its pods would."""
    ports = [{"name": "rest", "port": 8501}]
    gateway.client.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}})
    gateway.client.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-x7k2p", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "rest", "port": target_port}],
        }
    )


def test_this_machine_is_out_of_reach(gateway: kfa.Gateway) -> None:
    with pytest.raises(kfa.MappingRejected, match="which the gateway of a cluster cannot reach"):
        gateway.expose("mnist", service=8501)


def test_it_is_said_which_gateway_it_is(
    stack: LocalStack, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("KFAMBASSADOR_TARGET", "kfambassador-local")
    monkeypatch.setenv("KFAMBASSADOR_URL", stack.endpoint.url)
    monkeypatch.setenv("KFAMBASSADOR_DIAGNOSTICS_URL", stack.endpoint.diagnostics_url)
    monkeypatch.setenv("KFAMBASSADOR_DIAGNOSTICS_TOKEN", stack.endpoint.diagnostics_token)
    with kfa.connect() as gateway:
        assert gateway.routes() is not None
    place = "the cluster of context 'kfambassador-local'"
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"kfambassador: {place}: gateway at {stack.endpoint.url}\n")
    assert repr(gateway) == f"<Gateway {stack.endpoint.url} of {place}>"


def test_a_wrong_token_is_said(stack: LocalStack, kubeconfig: Path) -> None:
    endpoint = stack.endpoint
    target = kfa.Kubeconfig(path=kubeconfig)
    with (
        kfa.connect(
            target, url=endpoint.url, diagnostics_url=endpoint.diagnostics_url, diagnostics_token="no", quiet=True
        ) as gateway,
        pytest.raises(kfa.NoGateway, match="does not take this token"),
    ):
        gateway.routes()


def test_outside_a_pod_there_is_no_in_cluster() -> None:
    with pytest.raises(kfa.ConfigurationError, match="is this a pod"):
        kfa.connect("in-cluster", url="http://h", diagnostics_url="http://h", quiet=True)
