"""The SDK against a whole gateway: published, answering, tested, taken down; and what is missing is said."""

import time
from base64 import b64encode
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import kfambassador as kfa
from kfambassador.kube.kinds import SECRET, SERVICE
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.documents import write_documents
from tests.backends import Answer, Echo, EchoServer
from tests.behaviour.servers import Authorities, TlsEchoServer, serving
from tests.e2e.gateway import fetch
from tests.ports import free_port

pytestmark = pytest.mark.e2e

HALF_PLUS_TWO = kfa.TFServing(model="half_plus_two")


@pytest.fixture
def gateway(stack: LocalStack) -> Iterator[kfa.Gateway]:
    with kfa.Gateway.at(stack.endpoint) as gateway:
        yield gateway
        for exposure in gateway.list_exposures():
            exposure.delete()


def test_a_published_model_answers(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    prediction = mnist.predict([1.0, 2.0])
    assert prediction.values == [2.5, 3.0]
    assert prediction.raw == {"predictions": [2.5, 3.0]}
    assert mnist.url == f"{gateway.url}/models/mnist/"
    assert repr(mnist) == f"<Exposure mnist at {mnist.url} → port {model.port} of this machine>"
    assert mnist.problems() == ()


def test_a_test_tells_which_mapping_took_the_request(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    passed = mnist.test({"instances": [1.0]})
    assert passed
    assert (passed.status, passed.mapping, passed.upstream_path) == (
        200,
        "default/mnist-verbs",
        "/v1/models/half_plus_two:predict",
    )
    missed = mnist.test(path="/models/mnist2/metadata")
    assert not missed
    assert (missed.status, missed.mapping) == (404, "")
    assert mnist.test(path="/models/mnist2/metadata", expect=404)
    refused = mnist.test({"instances": "x"}, expect=400)
    assert refused
    assert "Cannot predict" in refused.answer.text


def test_the_articles_route_takes_a_post_and_no_get(gateway: kfa.Gateway, model: ModelServer) -> None:
    exposure = gateway.expose(
        "test",
        service=model.port,
        server=kfa.HTTPServer(),
        prefix="/models/test/",
        rewrite="/v1/models/half_plus_two:predict",
        method="POST",
    )
    assert exposure.predict({"instances": [1.0]}).values == {"predictions": [2.5]}
    assert exposure.test(method="GET", expect=404)
    assert exposure.curl() == f"curl -X POST {gateway.url}/models/test/"


def test_an_external_service_gets_its_own_host(gateway: kfa.Gateway) -> None:
    with EchoServer() as echo:
        httpbin = gateway.expose("httpbin", service=echo.port, server=kfa.HTTPServer(), host_rewrite="httpbin.org")
        seen = Echo.read(httpbin.test(path="/httpbin/get?a=1").answer.body)
    assert (seen.header("host"), seen.path) == ("httpbin.org", "/get?a=1")


def test_publishing_again_changes_what_is_served(gateway: kfa.Gateway, model: ModelServer) -> None:
    with EchoServer() as echo:
        gateway.expose("m", service=echo.port, server=kfa.HTTPServer(), prefix="/m/")
        moved = gateway.expose("m", service=model.port, server=HALF_PLUS_TWO)
        assert moved.predict([1.0]).values == [2.5]
        assert moved.test(path="/m/", expect=404)
    assert [exposure.name for exposure in gateway.list_exposures()] == ["m"]


def test_an_exposure_is_taken_up_again_by_another_process(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO, host="models.example", headers={"x-team": "a"})
    found = gateway.get_exposure("mnist")
    assert found.predict([1.0]).values == [2.5]
    assert [exposure.name for exposure in gateway.list_exposures()] == ["mnist"]


def test_a_model_is_taken_down_at_the_end_of_a_block(gateway: kfa.Gateway, model: ModelServer) -> None:
    with gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO) as mnist:
        assert mnist.test()
    mnist.delete()
    left = gateway.client.list(SERVICE, namespace="default").items
    assert [each["metadata"]["name"] for each in left] == ["kubernetes"]
    with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
        gateway.get_exposure("mnist")
    with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
        gateway.delete_exposure("mnist")


def test_when_a_model_is_taken_down_its_routes_are_gone(gateway: kfa.Gateway, model: ModelServer) -> None:
    for number in range(20):
        exposure = gateway.expose(f"brief-{number}", service=model.port, server=kfa.TFServing(model=model.name))
        exposure.delete()
        assert [route for route in gateway.routes() if "brief" in str(route)] == []


def test_routes_and_explanations(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    assert "/models/mnist:*" in [route.path for route in gateway.routes()]
    explained = gateway.explain("POST", f"{gateway.url}/models/mnist")
    assert explained.mappings == ("default/mnist-predict",)
    assert gateway.explain("DELETE", "/nowhere").winner is None
    asked = gateway.explain("POST", f"{gateway.url}/models/mnist", ask_envoy=True)
    assert asked.envoy is not None
    assert (asked.envoy.route, asked.envoy.agrees, asked.envoy.difference) == ("default/mnist-predict", True, "")


def test_a_dead_port_is_said(gateway: kfa.Gateway) -> None:
    port = free_port()
    said = find_fault(gateway.expose("mnist", service=port, wait=False))
    assert f"port {port} of this machine, but does not answer: Envoy cannot reach the service" in said


def test_a_model_the_server_does_not_know_is_said(gateway: kfa.Gateway, model: ModelServer) -> None:
    said = find_fault(gateway.expose("mnist", service=model.port, wait=False))
    assert "answers 404 when asked for model 'mnist'" in said
    assert "TFServing(model=...)" in said


def test_a_service_that_is_not_there_is_said(gateway: kfa.Gateway) -> None:
    said = find_fault(gateway.expose("mnist", service="nothing:80", wait=False))
    assert said.count("there is no Service default/nothing") == 1


@pytest.mark.parametrize("service", ["https://localhost:{port}", "localhost:{port}"])
def test_a_server_of_this_machine_that_speaks_tls_goes_by_its_name(gateway: kfa.Gateway, service: str) -> None:
    authorities = Authorities()
    with tls_server(authorities) as server, context_of(gateway, authorities.own.cert_pem.bytes()):
        exposed = gateway.expose("tt", service=service.format(port=server.port), tls="my-ca", server=kfa.HTTPServer())
        seen = Echo.read(exposed.test(path="/tt/x").answer.body)
        assert (seen.path, seen.header(":sni")) == ("/x", "localhost")
        exposed.delete()


def test_a_certificate_nobody_trusts_is_said(gateway: kfa.Gateway) -> None:
    authorities = Authorities()
    with tls_server(authorities) as server, context_of(gateway, authorities.other.cert_pem.bytes()):
        exposed = gateway.expose("tt", service=server.port, tls="my-ca", server=kfa.HTTPServer(), wait=False)
        said = find_fault(exposed)
        assert "its certificate is not trusted (name its authority in the ca_secret of a TLSContext" in said
        assert "another name than localhost, or it does not speak TLS" in said
        exposed.delete()


def test_a_denied_model_is_not_said_to_be_missing(gateway: kfa.Gateway) -> None:
    with EchoServer(status=403) as guard:
        auth = {"apiVersion": "ambassador/v1", "kind": "AuthService", "name": "guard", "auth_service": guard.url}
        with carried(gateway, auth):
            with EchoServer() as model:
                said = find_fault(gateway.expose("mnist", service=model.port, wait=False))
            assert "it is denied with 403: an AuthService of the gateway may have done so" in said
            assert "Is it loaded" not in said


def test_a_request_that_is_being_authorized_is_answered_though_its_server_is_replaced(gateway: kfa.Gateway) -> None:
    with EchoServer("guard") as guard, EchoServer("old") as old, EchoServer("new") as new:
        auth = {"apiVersion": "ambassador/v1", "kind": "AuthService", "name": "guard", "auth_service": guard.url}
        with carried(gateway, auth | {"timeout_ms": 60_000}), ThreadPoolExecutor() as threads:
            model = gateway.expose("m", service=old.port, server=kfa.HTTPServer())
            guard.script.tell(Answer(hold=True, times=1))
            held = threads.submit(fetch, model.url)
            assert guard.script.wait_for(1, timeout=20)
            moved = gateway.expose("m", service=new.port, server=kfa.HTTPServer())
            assert Echo.read(fetch(moved.url).body).backend == "new"
            guard.script.tell(Answer())
            assert Echo.read(held.result().body).backend == "old"


def test_a_redirect_proves_itself_by_sending_the_client_away(gateway: kfa.Gateway) -> None:
    old = gateway.expose("old", service="localhost:9999", server=kfa.HTTPServer(), host_redirect=True)
    assert old.test(expect=301)
    assert gateway.explain("GET", "/old/x").redirect is not None
    assert "301 to http://localhost:9999" in str(gateway.routes())


def test_a_shadow_is_published_without_an_answer_of_its_own(gateway: kfa.Gateway) -> None:
    with EchoServer() as echo:
        gateway.expose("real", service=echo.port, server=kfa.HTTPServer(), prefix="/m/")
        gateway.expose("lab", service=echo.port, server=kfa.HTTPServer(), prefix="/m/", shadow=True, weight=50)
        assert "copy of 50%" in str(gateway.routes())


def test_a_catch_all_does_not_count_as_an_answer(gateway: kfa.Gateway, model: ModelServer) -> None:
    with EchoServer() as dashboard:
        gateway.expose("all", service=dashboard.port, server=kfa.HTTPServer(), prefix="/models/", precedence=1)
        with pytest.raises(kfa.NotServed, match="goes to default/all") as caught:
            gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    assert caught.value.stage == "programmed"


def test_a_mapping_the_gateway_leaves_out_is_said_with_its_place(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    text = "{apiVersion: ambassador/v1, kind: Mapping, name: mnist, prefix: /x/, service: x}"
    carrier = {"name": "thief", "annotations": {CONFIG_ANNOTATION: text}, "labels": labels_of("thief")}
    gateway.client.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": carrier, "spec": {"ports": [{"port": 80}]}}
    )
    with pytest.raises(kfa.MappingRejected, match="the name mnist is taken in its namespace") as caught:
        gateway.get_exposure("thief").wait()
    assert [problem.code for problem in caught.value.problems] == ["duplicate-name"]
    assert "duplicate-name" in [problem.code for problem in gateway.problems()]


def test_a_failed_prediction_tells_the_servers_words(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    with pytest.raises(kfa.RouteFailed, match=r"answered 400: .*Cannot predict") as caught:
        mnist.predict(["x"])
    assert caught.value.status == 400


def test_a_prediction_of_a_model_that_is_down_says_so(gateway: kfa.Gateway) -> None:
    mnist = gateway.expose("mnist", service=free_port(), server=HALF_PLUS_TWO, wait=False)
    find_fault(mnist)
    with pytest.raises(kfa.RouteFailed, match=r"answered 503.*: Envoy cannot reach the service"):
        mnist.predict([1.0])


def test_no_secret_is_shown(stack: LocalStack, gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    secrets = (stack.endpoint.api_token, stack.endpoint.diagnostics_token)
    shown = f"{gateway!r} {mnist!r} {vars(gateway)!r} {vars(mnist)!r} {gateway.client!r} {stack!r}"
    assert not [secret for secret in secrets if secret in shown]


@contextmanager
def tls_server(authorities: Authorities) -> Iterator[TlsEchoServer]:
    """A server of this machine whose certificate is for localhost."""
    server = TlsEchoServer("tls", authorities.server_context("localhost"))
    with serving(server):
        yield server


@contextmanager
def context_of(gateway: kfa.Gateway, authority: bytes) -> Iterator[None]:
    """A TLSContext my-ca that believes one authority."""
    secret = {"metadata": {"name": "my-ca"}, "data": {"ca.crt": b64encode(authority).decode()}}
    gateway.client.apply({"apiVersion": "v1", "kind": "Secret", **secret})
    context = {"apiVersion": "ambassador/v1", "kind": "TLSContext", "name": "my-ca", "ca_secret": "my-ca"}
    with carried(gateway, context):
        yield
    gateway.client.delete(SECRET, "my-ca", namespace="default")


@contextmanager
def carried(gateway: kfa.Gateway, document: Dict[str, object]) -> Iterator[None]:
    """A document in the annotation of a Service while the block lasts."""
    metadata = {"name": "carrier", "annotations": {CONFIG_ANNOTATION: write_documents(document)}}
    gateway.client.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}
    )
    yield
    gateway.client.delete(SERVICE, "carrier", namespace="default")


def find_fault(exposure: kfa.Exposure) -> str:
    """What is said to be wrong once the gateway has the exposure's routes."""
    deadline = time.monotonic() + 20
    while True:
        with pytest.raises(kfa.NotServed) as caught:
            exposure.wait(0)
        if caught.value.stage == "answering":
            return str(caught.value)
        assert time.monotonic() < deadline, caught.value


def labels_of(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/managed-by": "kfambassador", "kfambassador/exposure": name}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"server": kfa.TFServing}, r"server: expected a server such as TFServing\(\), got its class"),
        ({"server": "tfserving"}, r"server: expected a server such as TFServing\(\), got 'tfserving'"),
        ({"service": 8501.0}, "service: expected a port or a text such as 'mnist:8501', got 8501.0"),
        ({"service": "http://127.0.0.1:8501/api"}, "has a path, and a service is host and port: say rewrite="),
        ({"ttl": "8h"}, "ttl: expected seconds or a timedelta, got '8h'"),
        ({"ttl": float("inf")}, "ttl: expected a time that ends before the year 10000, got inf"),
        ({"object_labels": {"a": 1}}, "object_labels: expected an object of texts"),
        ({"name": None}, "name: expected text, got nothing"),
        ({"name": "mnist\n"}, "cannot name a Service"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_said_and_nothing_applied(
    gateway: kfa.Gateway, said: dict[str, object], words: str
) -> None:
    arguments: dict[str, object] = {"name": "mnist", "service": 8501, **said}
    with pytest.raises(kfa.MappingRejected, match=words):
        gateway.expose(**arguments)  # type: ignore[arg-type]
    assert gateway.list_exposures() == []


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5"])
def test_a_time_that_is_none_is_said_and_nothing_applied(gateway: kfa.Gateway, timeout: float) -> None:
    with pytest.raises(ValueError, match="give positive ones"):
        gateway.expose("mnist", service=8501, timeout=timeout)
    assert gateway.list_exposures() == []


def test_no_name_takes_nothing_down(gateway: kfa.Gateway, model: ModelServer) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    for ask in (gateway.delete_exposure, gateway.get_exposure):
        with pytest.raises(kfa.ConfigurationError, match="got None"):
            ask(None)  # type: ignore[arg-type]
        with pytest.raises(kfa.NotFound, match="published there: mnist"):
            ask("mnist,app.kubernetes.io/name")
    assert [exposure.name for exposure in gateway.list_exposures()] == ["mnist"]


def test_what_was_published_again_is_no_leftover_any_more(gateway: kfa.Gateway, model: ModelServer) -> None:
    brief = gateway.expose("brief", service=model.port, server=HALF_PLUS_TWO, ttl=1, wait=False)
    brief.wait_for_status(kfa.Phase.EXPIRED, timeout=20)
    left = gateway.leftovers()
    assert [each.exposure for each in left] == ["brief"]
    renewed = gateway.expose("brief", service=model.port, server=HALF_PLUS_TWO)
    assert left.delete() == 0
    assert renewed.predict([1.0]).values == [2.5]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    # Seconds after which a server of this machine is given up; canary() has no argument for it.
    monkeypatch.setattr("kfambassador.sdk.access._PATIENCE_HERE", 2.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("weight", [0, 50])
def test_a_canary_that_does_not_answer_gets_nothing(gateway: kfa.Gateway, model: ModelServer, weight: int) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    with pytest.raises(kfa.NotServed, match=r"(?s)nothing listens on port.*canary was taken back"):
        mnist.canary(free_port(), weight=weight)
    assert [(share.variant, share.percent) for share in mnist.split()] == [("stable", 100)]
    assert mnist.predict([1.0]).values == [2.5]
    with ModelServer("half_plus_two") as second:
        mnist.canary(second.port, weight=30)
        with pytest.raises(kfa.NotServed):
            mnist.canary(free_port(), weight=60)
        assert [(share.service, share.percent) for share in mnist.split()] == [
            (f"127.0.0.1:{model.port}", 70),
            (f"127.0.0.1:{second.port}", 30),
        ]


@pytest.mark.usefixtures("impatient")
def test_who_promotes_what_does_not_answer_is_told_the_way_back(gateway: kfa.Gateway, model: ModelServer) -> None:
    mnist = gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    mnist.canary(free_port(), weight=0, wait=False)
    with pytest.raises(kfa.NotServed, match="rollback sends them to the server before it again"):
        mnist.promote()
    mnist.rollback()
    assert mnist.predict([1.0]).values == [2.5]


def test_who_forgot_to_say_where_the_model_is_says_it_then(gateway: kfa.Gateway, model: ModelServer) -> None:
    for _ in range(5):
        forgotten = gateway.expose("half_plus_two".replace("_", "-"), server=HALF_PLUS_TWO, wait=False)
        assert forgotten.status.phase is not kfa.Phase.ANSWERING
        said = gateway.expose(forgotten.name, service=model.port)
        assert said.predict([1.0]).values == [2.5]
        said.delete()


def test_published_again_it_stays_the_kind_of_server_it_was(gateway: kfa.Gateway) -> None:
    with EchoServer() as echo:
        gateway.expose("web", service=echo.port, server=kfa.HTTPServer())
        assert gateway.expose("web", service=echo.port, timeout_ms=5000).url == f"{gateway.url}/web/"
        assert gateway.expose("web", service=echo.port, server=kfa.TFServing()).url == f"{gateway.url}/models/web/"


def test_addresses_of_a_cluster_without_the_cluster_are_refused() -> None:
    with pytest.raises(kfa.ConfigurationError, match="are for the gateway of a cluster"):
        kfa.connect("local", url="http://models.example", quiet=True)


def test_the_gateway_is_not_published_behind_itself(gateway: kfa.Gateway) -> None:
    with pytest.raises(kfa.MappingRejected, match="is the gateway itself; say where the model server listens"):
        gateway.expose("loop", service=int(gateway.url.rpartition(":")[2]))


def test_what_does_not_answer_is_said_to_stay(gateway: kfa.Gateway) -> None:
    with pytest.raises(kfa.NotServed, match=r"mnist stays published.*delete_exposure\('mnist'\) takes it away"):
        gateway.expose("mnist", service=free_port(), timeout=0.1)


def test_who_publishes_something_else_by_a_name_is_told_what_it_led_to(
    gateway: kfa.Gateway, model: ModelServer
) -> None:
    gateway.expose("mnist", service=model.port, server=HALF_PLUS_TWO)
    with pytest.raises(kfa.NotServed, match=f"before, it led to port {model.port} of this machine"):
        gateway.expose("mnist", service=free_port(), timeout=0.1)
    with pytest.raises(kfa.NotServed) as again:
        gateway.expose("mnist", service=free_port(), timeout=0.1, timeout_ms=1000)
    assert f"port {model.port} " not in str(again.value)
