"""Ready means ready: each thing that keeps a model from answering, produced for real, and the words it is told in."""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dict
from contextlib import contextmanager

import pytest

import kfambassador as kfa
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, NAMESPACE, POD, SERVICE
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION, EXPIRES_ANNOTATION, EXPOSURE_LABEL
from kfambassador.resources.documents import write_documents
from kfambassador.sdk.attributes import MappingAttributes
from kfambassador.sdk.readiness.status import ExposureStatus, Phase
from tests.backends import EchoServer
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("readiness")]

HALF_PLUS_TWO = kfa.TFServing(model="half_plus_two")


@pytest.fixture
def gateway(stack: LocalStack) -> Iterator[kfa.Gateway]:
    with kfa.Gateway.at(stack.endpoint) as gateway:
        yield gateway
        for kind in (SERVICE, ENDPOINT_SLICE, POD):
            for item in gateway.client.list(kind, namespace="default").items:
                if item["metadata"]["name"] != "kubernetes":
                    gateway.client.delete(kind, item["metadata"]["name"], namespace="default")


def put_service(client: KubeClient, name: str, *documents: Dict[str, object], **spec: object) -> None:
    annotations = {CONFIG_ANNOTATION: write_documents(*documents)} if documents else {}
    metadata = {"name": name, "annotations": annotations}
    spec = {"ports": [{"name": "rest", "port": 80, "targetPort": 8501}], **spec}
    client.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def put_pod(client: KubeClient, name: str, *, app: str, reason: str) -> None:
    containers = [{"name": "server", "image": "mnist:v9", "ports": [{"containerPort": 8501}]}]
    metadata = {"name": name, "labels": {"app": app}}
    client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}})
    waiting: dict[str, object] = {
        "name": "server",
        "state": {"waiting": {"reason": reason, "message": "no such image"}},
    }
    waiting |= {"ready": False, "image": "mnist:v9", "imageID": "", "restartCount": 0}
    status = {"phase": "Pending", "containerStatuses": [waiting]}
    client.patch_status(POD, name, {"status": status}, namespace="default")


def mapping(name: str, **attributes: object) -> dict[str, object]:
    return {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "name": name, **attributes}


def find_fault(exposure: kfa.Exposure) -> str:
    """What is said when time is up, once the gateway has the exposure's routes."""
    exposure.wait_for_status("Programmed", timeout=60)
    with pytest.raises(kfa.NotServed) as caught:
        exposure.wait(0)
    assert caught.value.stage == "answering"
    return str(caught.value)


class Meddler:
    """Meddles once, as soon as it is told that nobody answers; keeps all it is told."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.told: list[ExposureStatus] = []
        self._act = act
        self._acted = False

    def __call__(self, status: ExposureStatus) -> None:
        self.told.append(status)
        if status.phase is Phase.PROGRAMMED and status.message and not self._acted:
            self._acted = True
            self._act()


def test_callbacks_are_told_the_phases_in_their_order(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO, wait=False)
    told: list[ExposureStatus] = []
    status = mnist.wait_for_status(timeout=60, callbacks=[told.append])
    phases = [each.phase for each in told if each.phase is not Phase.ACCEPTED]
    assert phases == [Phase.APPLIED, Phase.PROGRAMMED, Phase.ANSWERING]
    assert told[-1] == status == mnist.status
    assert all(step.done for step in status.steps)


def test_a_catch_all_that_answers_200_is_no_model(gateway: kfa.Gateway, model: ModelServer) -> None:
    with EchoServer() as dashboard:
        everything = mapping("all", prefix="/", service=f"127.0.0.1:{dashboard.port}", precedence=1)
        put_service(gateway.client, "dashboard", everything)
        with pytest.raises(kfa.NotServed, match="GET /models/mnist/ goes to default/all") as caught:
            gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO, timeout=60)
    assert caught.value.stage == "programmed"


def test_a_selector_that_matches_no_pod_is_said(gateway: kfa.Gateway) -> None:
    put_service(gateway.client, "models", selector={"app": "mnist"})
    put_pod(gateway.client, "other", app="mnist-v2", reason="ImagePullBackOff")
    exposure = gateway.expose("mnist", service="models:80", wait=False)
    said = find_fault(exposure)
    assert "the selector of Service default/models, app=mnist, matches no pod of namespace default" in said
    assert "pods there have app=mnist-v2" in said
    assert (exposure.status.code, exposure.status.phase) == ("no-endpoints", Phase.PROGRAMMED)
    assert [step.name for step in exposure.status.steps if not step.done] == ["endpoints", "answering"]


def test_a_pod_that_is_not_ready_is_named_with_its_reason(gateway: kfa.Gateway) -> None:
    put_service(gateway.client, "models", selector={"app": "mnist"})
    put_pod(gateway.client, "mnist-0", app="mnist", reason="ImagePullBackOff")
    said = find_fault(gateway.expose("mnist", service="models:80", wait=False))
    assert "none of the pods behind Service default/models (app=mnist) is ready: pod mnist-0 is Pending" in said
    assert "container server waits with ImagePullBackOff (no such image)" in said


def test_a_port_the_service_does_not_have_is_said(gateway: kfa.Gateway) -> None:
    put_service(gateway.client, "models", selector={"app": "mnist"})
    said = find_fault(gateway.expose("mnist", service="models:9999", wait=False))
    assert "Service default/models has no port 9999; its ports are 80 (rest) to 8501 of the pods" in said
    assert 'service="models:80"' in said


def test_a_port_of_this_machine_where_nothing_listens_is_said(gateway: kfa.Gateway) -> None:
    port = free_port()
    said = find_fault(gateway.expose("mnist", service=port, wait=False))
    assert f"nothing listens on port {port} of this machine: start the model server" in said


def test_a_model_of_another_name_is_said(gateway: kfa.Gateway, model: ModelServer) -> None:
    said = find_fault(gateway.expose("mnist", service=model.port, wait=False))
    assert "answers 404 when asked for model 'mnist'" in said


@pytest.mark.parametrize("server", [kfa.HTTPServer(), kfa.TFServing()], ids=["http", "tfserving"])
def test_a_denial_by_an_auth_service_is_said(gateway: kfa.Gateway, server: kfa.ModelServer) -> None:
    with EchoServer(status=401) as guard, EchoServer() as backend:
        with guarded(gateway, guard.url):
            said = find_fault(gateway.expose("mnist", service=backend.port, server=server, wait=False))
        assert backend.seen == 0
    assert "denied with 401: an AuthService of the gateway may have done so" in said


@contextmanager
def guarded(gateway: kfa.Gateway, url: str) -> Iterator[None]:
    """An AuthService while the block lasts."""
    auth = {"apiVersion": "getambassador.io/v2", "kind": "AuthService", "name": "guard", "auth_service": url}
    put_service(gateway.client, "guard", auth)
    yield
    gateway.client.delete(SERVICE, "guard", namespace="default")


def test_a_rejected_mapping_is_said_at_once_with_its_place(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    put_service(gateway.client, "thief", mapping("mnist", prefix="/x/", service="x"))
    gateway.client.patch(SERVICE, "thief", {"metadata": {"labels": {EXPOSURE_LABEL: "thief"}}}, namespace="default")
    thief = gateway.get_exposure("thief")
    with pytest.raises(kfa.MappingRejected, match="the name mnist is taken in its namespace"):
        thief.wait(600)
    assert thief.wait_for_status("Rejected", timeout=60).problems[0].code == "duplicate-name"
    assert thief.status.phase is Phase.REJECTED


def test_a_path_another_namespace_holds_is_said_with_the_holder(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "another"}})
    theirs = mapping("theirs", prefix="/models/mnist/", service="theirs.another")
    metadata = {"name": "theirs", "namespace": "another", "annotations": {CONFIG_ANNOTATION: write_documents(theirs)}}
    spec = {"ports": [{"port": 80}]}
    gateway.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    try:
        with pytest.raises(kfa.MappingRejected) as caught:
            gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO, timeout=60)
    finally:
        gateway.client.delete(SERVICE, "theirs", namespace="another")
    assert "another/theirs" in str(caught.value)


def test_what_is_deleted_while_it_is_waited_for_is_said_at_once(gateway: kfa.Gateway) -> None:
    exposure = gateway.expose("mnist", service=free_port(), wait=False)
    meddler = Meddler(lambda: gateway.client.delete(SERVICE, "mnist", namespace="default"))
    with pytest.raises(kfa.NotServed, match="Service default/mnist was deleted, so mnist is not served"):
        exposure.wait_for_status(timeout=60, polling_interval=0.1, callbacks=[meddler])
    assert meddler.told[-1].phase is Phase.GONE
    assert exposure.status.phase is Phase.GONE


def test_a_namespace_that_is_deleted_while_it_is_waited_for_is_blamed(gateway: kfa.Gateway) -> None:
    gateway.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}})
    exposure = gateway.expose("mnist", service=free_port(), namespace="brief", wait=False)
    meddler = Meddler(lambda: gateway.client.delete(NAMESPACE, "brief"))
    with pytest.raises(kfa.NotServed, match=r"Service brief/mnist was deleted.* its namespace brief"):
        exposure.wait_for_status(timeout=60, polling_interval=0.1, callbacks=[meddler])


def test_what_expires_while_it_is_waited_for_is_said_at_once(gateway: kfa.Gateway) -> None:
    exposure = gateway.expose("mnist", service=free_port(), wait=False)
    patch = {"metadata": {"annotations": {EXPIRES_ANNOTATION: "2020-01-01T00:00:00Z"}}}
    meddler = Meddler(lambda: gateway.client.patch(SERVICE, "mnist", patch, namespace="default"))
    with pytest.raises(kfa.NotServed, match="it expired at 2020-01-01T00:00:00Z"):
        exposure.wait_for_status(timeout=60, polling_interval=0.1, callbacks=[meddler])
    assert exposure.wait_for_status("Expired", timeout=60).phase is Phase.EXPIRED


def test_a_model_that_starts_while_it_is_waited_for_is_found(gateway: kfa.Gateway) -> None:
    port = free_port()
    exposure = gateway.expose("mnist", service=port, server=HALF_PLUS_TWO, wait=False)
    servers: list[ModelServer] = []

    def start() -> None:
        servers.append(ModelServer(port=port))
        servers[0].start()

    try:
        exposure.wait_for_status(timeout=60, polling_interval=0.1, callbacks=[Meddler(start)])
    finally:
        for server in servers:
            server.stop()


def test_each_variant_has_to_answer(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    port = free_port()
    mnist.canary(port, weight=10, wait=False)
    said = find_fault(mnist)
    assert "variant canary: Envoy cannot reach the service" in said
    assert f"nothing listens on port {port} of this machine" in said
    mnist.canary(model.port, weight=10)
    assert mnist.status


@pytest.mark.parametrize("attributes", [{"method": "POST"}, {"host": "^m.*$", "host_regex": True}], ids=str)
def test_what_cannot_be_probed_needs_somebody_all_the_same(gateway: kfa.Gateway, attributes: MappingAttributes) -> None:
    with pytest.raises(kfa.NotServed, match="nothing listens on port"):
        gateway.expose("m", service=free_port(), server=kfa.HTTPServer(), timeout=0.5, **attributes)
    with pytest.raises(kfa.NotServed, match="there is no Service default/nobody"):
        gateway.expose("m", service="nobody:80", server=kfa.HTTPServer(), timeout=0.5, **attributes)
    with EchoServer() as echo:
        assert gateway.expose("m", service=echo.port, server=kfa.HTTPServer(), **attributes).status


def test_a_path_that_never_matches_is_said_with_the_one_to_write(gateway: kfa.Gateway, model: ModelServer) -> None:
    with pytest.raises(kfa.NotServed) as caught:
        gateway.expose("m", service=model.port, server=kfa.HTTPServer(), prefix="/ü/")
    assert "GET /ü/ goes to no mapping" in str(caught.value)
    assert "write /%C3%BC/" in str(caught.value)
    assert "precedence=" not in str(caught.value)


def test_what_was_deleted_before_it_is_waited_for_is_said_however_short_the_wait(
    gateway: kfa.Gateway, model: ModelServer
) -> None:
    exposure = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    gateway.delete_exposure("mnist")
    with pytest.raises(kfa.NotServed, match="Service default/mnist was deleted, so mnist is not served"):
        exposure.wait_for_status(timeout=0.0)
