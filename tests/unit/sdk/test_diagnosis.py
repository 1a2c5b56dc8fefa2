"""The likely cause, looked for in the embedded Kubernetes API and on this machine."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from aiohttp import web

from kfambassador.errors import Forbidden
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, POD, SERVICE, Kind
from kfambassador.kube.objects import Listing
from kfambassador.local.kube.server import KubeServer
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Target
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.access import Access
from kfambassador.sdk.publishing.publication import write_carrier
from kfambassador.sdk.reaching.own_reading import OwnReading
from kfambassador.sdk.readiness.backing import Backing
from kfambassador.sdk.readiness.listening import Speech, find_speech, is_known
from kfambassador.sdk.readiness.waiting import read_status
from kfambassador.sdk.servers.tfserving import TFServing
from tests.backends import EchoServer
from tests.behaviour.servers import Authorities, TlsEchoServer, serving
from tests.ports import free_port
from tests.unit.sdk.publications import Script, publication, scripted_gateway, usual_answers

SERVING = {"state": "serving", "resource_version": "812"}
SELECTOR = {"app": "mnist"}


@pytest.fixture(scope="module")
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@pytest.fixture
def kube(server: KubeServer) -> Iterator[KubeClient]:
    """The API, with nothing in namespace team."""
    with KubeClient.connect(server.url, token=server.token, authority=server.authority) as client:
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        yield client
        for kind in (SERVICE, ENDPOINT_SLICE, POD):
            for item in client.list(kind, namespace="team").items:
                client.delete(kind, item["metadata"]["name"], namespace="team")


def put_service(client: KubeClient, name: str = "mnist", **spec: object) -> None:
    usual = {"ports": [{"name": "rest", "port": 80, "targetPort": 8501}], "selector": SELECTOR}
    client.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "team"},
            "spec": {key: value for key, value in (usual | spec).items() if value is not None},
        }
    )


def put_pod(
    client: KubeClient, name: str = "mnist-0", *, ready: bool = False, app: str = "mnist", port: int = 8501
) -> None:
    waiting: dict[str, object] = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    state = {"running": {}} if ready else waiting
    client.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "team", "labels": {"app": app}},
            "spec": {"containers": [{"name": "server", "image": "mnist", "ports": [{"containerPort": port}]}]},
        }
    )
    status = {
        "phase": "Running" if ready else "Pending",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        "containerStatuses": [
            {"name": "server", "state": state, "ready": ready, "image": "mnist", "imageID": "", "restartCount": 0}
        ],
    }
    client.patch_status(POD, name, {"status": status}, namespace="team")


def put_slice(client: KubeClient, *, ready: bool = True, name: str = "mnist") -> None:
    client.create(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{name}-x", "namespace": "team", "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "rest", "port": 8501}],
            "endpoints": [{"addresses": ["10.0.0.5"], "conditions": {"ready": ready}}],
        }
    )


def find_fault(client: KubeClient, *, port: int = 80, name: str = "mnist") -> str:
    return Backing(client, ServiceKey("team", name), Target(f"{name}.team", port)).find_fault()


def test_a_service_that_is_not_there_is_said_with_the_nearest(kube: KubeClient) -> None:
    put_service(kube, "mnist-v2")
    assert find_fault(kube, name="mnits-v2").startswith("there is no Service team/mnits-v2; did you mean mnist-v2? Cr")
    assert "; the Services there: mnist-v2. Create it" in find_fault(kube, name="zzz")


def test_a_port_the_service_does_not_have_is_said_with_those_it_has(kube: KubeClient) -> None:
    put_service(kube)
    assert find_fault(kube, port=8501) == (
        "Service team/mnist has no port 8501; its ports are 80 (rest) to 8501 of the pods; name one of them, as in "
        'service="mnist:80"'
    )


def test_a_selector_that_matches_no_pod_is_shown_with_what_pods_have(kube: KubeClient) -> None:
    put_service(kube)
    assert "app=mnist, matches no pod of namespace team; there is no pod at all" in find_fault(kube)
    put_pod(kube, "other", app="mnist-v2")
    said = find_fault(kube)
    assert "the selector of Service team/mnist, app=mnist, matches no pod of namespace team; pods there have" in said
    assert "app=mnist-v2. Start the model's pods, or mend the selector" in said


def test_pods_that_are_not_ready_are_named_with_their_reason(kube: KubeClient) -> None:
    put_service(kube)
    put_pod(kube)
    assert find_fault(kube) == (
        "none of the pods behind Service team/mnist (app=mnist) is ready: pod mnist-0 is Pending: container server "
        "waits with ImagePullBackOff (no such image)"
    )


def test_a_target_port_no_container_declares_is_said(kube: KubeClient) -> None:
    put_service(kube)
    put_pod(kube, ready=True, port=9000)
    put_slice(kube)
    assert find_fault(kube) == (
        "port 80 of Service team/mnist leads to port 8501 of its pods, and their containers declare 9000: set the "
        "Service's targetPort to one of these"
    )


def test_ready_endpoints_behind_the_right_port_are_no_fault(kube: KubeClient) -> None:
    put_service(kube)
    put_pod(kube, ready=True)
    assert "has ready pods, and no endpoint yet" in find_fault(kube)
    put_slice(kube)
    assert find_fault(kube) == ""


@pytest.mark.parametrize(
    ("slices", "words"),
    [([], "there is no EndpointSlice for it"), ([False], "no endpoint of its EndpointSlices is ready")],
)
def test_a_service_without_selector_needs_a_slice(kube: KubeClient, slices: list[bool], words: str) -> None:
    put_service(kube, selector=None)
    for ready in slices:
        put_slice(kube, ready=ready)
    assert words in find_fault(kube)


def test_an_external_name_dns_does_not_know_is_said(kube: KubeClient) -> None:
    put_service(kube, type="ExternalName", externalName="nowhere.invalid", selector=None)
    assert "stands for nowhere.invalid, a name that DNS does not know" in find_fault(kube)


class Tenant(KubeClient):
    """A client that may read Services, and nothing behind them."""

    def list(self, kind: Kind, *, namespace: str | None = None, label_selector: str | None = None) -> Listing:
        raise Forbidden(f"you may not list {kind.plural}", status=403)


def test_what_may_not_be_read_is_said_with_the_permission(server: KubeServer, kube: KubeClient) -> None:
    put_service(kube)
    with Tenant.connect(server.url, token=server.token, authority=server.authority) as tenant:
        backing = Backing(tenant, ServiceKey("team", "mnist"), Target("mnist.team", 80))
        assert backing.find_fault() == ""
    (unread,) = backing.unread
    assert unread.startswith("not looked at, because you may not list endpointslices in namespace team; a role that")


def answering(status: int, text: str) -> Script:
    usual = usual_answers(SERVING)
    return lambda path: (
        web.Response(status=status, text=text) if path.startswith("m/") or path == "/m/" else usual(path)
    )


def unreachable(*, reason: str = "remote connection failure") -> Script:
    text = f"upstream connect error or disconnect/reset before headers. reset reason: {reason}"
    return answering(503, text)


def cause_of(access: Access, service: str | int) -> str:
    return read_status(access, publication(service), "812").cause


def test_the_cluster_is_looked_at_where_a_service_is_meant(kube: KubeClient) -> None:
    put_service(kube)
    with scripted_gateway(unreachable(), client=kube) as access:
        for name in ("mnist:80", "mnist.team:80", "mnist.team.svc.cluster.local:80"):
            assert cause_of(access, name).startswith("the selector of Service team/mnist, app=mnist, matches no pod")


def test_ready_endpoints_that_do_not_answer_are_asked_for_their_container(kube: KubeClient) -> None:
    put_service(kube)
    put_pod(kube, ready=True)
    put_slice(kube)
    with scripted_gateway(unreachable(), client=kube) as access:
        assert "does the container listen on all addresses (0.0.0.0, not 127.0.0.1)" in cause_of(access, "mnist:80")


def test_a_name_dns_does_not_know_is_said(kube: KubeClient) -> None:
    with scripted_gateway(unreachable(), client=kube) as access:
        assert cause_of(access, "models.nowhere.invalid:80").startswith("DNS does not know the name models.nowhere.inv")


def test_nothing_that_listens_here_is_said(kube: KubeClient) -> None:
    port = free_port()
    with scripted_gateway(unreachable(), client=kube) as access:
        assert cause_of(access, port).startswith(f"nothing listens on port {port} of this machine: start the model")


def test_tls_that_is_asked_without_is_said() -> None:
    server = TlsEchoServer("tls", Authorities().server_context("localhost"))
    with serving(server), scripted_gateway(unreachable()) as access:
        assert f'speaks TLS, and is asked without: write service="https://localhost:{server.port}"' in cause_of(
            access, server.port
        )


def test_a_server_without_tls_that_is_asked_by_tls_is_said() -> None:
    with EchoServer() as echo, scripted_gateway(unreachable()) as access:
        assert "does not speak TLS: leave https:// and tls= out" in cause_of(access, f"https://localhost:{echo.port}")


def test_a_grpc_port_is_told_apart() -> None:
    grpc = pytest.importorskip("grpc")
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            with scripted_gateway(unreachable(reason="protocol error")) as access:
                status = read_status(access, publication(port, TFServing(), attributes={"prefix": "/m/"}), "812")
        finally:
            server.stop(None).wait()
    assert (
        f"port {port} of this machine speaks HTTP/2 only, as gRPC does; its HTTP port usually is 8501" in status.cause
    )


def test_a_server_that_answers_is_not_looked_behind(kube: KubeClient) -> None:
    with scripted_gateway(answering(404, "no such model"), client=kube) as access:
        status = read_status(access, publication("mnist:80", TFServing(), attributes={"prefix": "/m/"}), "812")
    assert "answers 404 when asked for model 'm'" in status.message
    assert status.cause == ""


def test_a_server_that_wants_tls_says_so_itself() -> None:
    text = "Client sent an HTTP request to an HTTPS server."
    with scripted_gateway(answering(400, text)) as access:
        status = read_status(access, publication("mnist:80", TFServing(), attributes={"prefix": "/m/"}), "812")
    assert status.cause.startswith("the server there speaks TLS and was asked without")


def test_a_gateway_that_compiles_by_itself_is_said(kube: KubeClient) -> None:
    published = publication("mnist:80")
    with scripted_gateway(unreachable(), client=kube) as access:
        reader = OwnReading(kube, TenancyPolicy(), reason="it is far away", namespaces=["team"])
        own = replace(access, reader=reader)
        version = str(kube.apply(write_carrier(published))["metadata"]["resourceVersion"])
        put_service(kube)
        status = read_status(own, published, version)
    assert status.steps[1].message == "compiled here; whether Envoy has it is not known"
    first, *_, last = status.cause.splitlines()
    assert "matches no pod" in first
    assert last.startswith("the read API cannot be asked (it is far away): the table was compiled here, and whether")


def test_what_listens_is_found_out() -> None:
    with EchoServer() as echo:
        assert find_speech("127.0.0.1", echo.port) is Speech.OTHER
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert find_speech("127.0.0.1", deaf.getsockname()[1]) is Speech.NOTHING


@pytest.mark.parametrize(("host", "known"), [("localhost", True), ("nowhere.invalid", False), ("a" * 70 + ".x", False)])
def test_names_are_looked_up(host: str, known: bool) -> None:
    assert is_known(host) is known
