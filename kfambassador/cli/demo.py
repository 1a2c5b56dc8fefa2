"""The demo: a model published from Python answers through a real Envoy on this machine."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from kfambassador.cli.output import err, out, print_routes, say
from kfambassador.cli.signals import until_stopped
from kfambassador.errors import RouteFailed
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.background import BackgroundServer
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.sdk.calling.http import Answer, HttpClient
from kfambassador.sdk.gateway import Gateway
from kfambassador.sdk.servers.tfserving import TFServing

#: The route of a model, as Ambassador's users write it; only the paths of the server and its address are ours.
_MODEL_ROUTE: Final = """\
---
apiVersion: ambassador/v0
kind: Mapping
name: tfserving-mapping-test-post
prefix: /models/test/
rewrite: /v1/models/half_plus_two:predict
method: POST
service: {service}
"""

_SECOND_DOCUMENT: Final = """\
---
apiVersion: ambassador/v0
kind: Mapping
name: tfserving-mapping-test-get
prefix: /models/test/
rewrite: /v1/models/half_plus_two
method: GET
service: {service}
"""

#: The route to an external service, as they write it.
_EXTERNAL_ROUTE: Final = """\
---
apiVersion: ambassador/v0
kind: Mapping
name: httpbin_mapping
prefix: /httpbin/
service: {service}
host_rewrite: httpbin.org
"""

_INSTANCES: Final = [1.0, 2.0, 5.0]
_SERVED_WITHIN: Final = 10.0
#: How often a change is looked for; it bounds how exactly the time until it is served is told.
_LOOK_EVERY: Final = 0.002
#: Requests sent before and after the change, so that it happens in the middle of them.
_LEAD: Final = 50


def run_demo(*, keep: bool) -> None:
    """Run the demo from start to end, or until Ctrl-C.

    Args:
        keep: Leave everything running until Ctrl-C.

    Raises:
        RouteFailed: Something did not go as it should.
    """
    started = time.perf_counter()
    # SIGTERM ends the demo as Ctrl-C does, with everything taken down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as parts:
        scene = _set_up(parts)
        _publish(scene)
        _publish_by_annotation(scene)
        _edit_under_load(scene)
        _publish_external(scene)
        _show_routes(scene.gateway)
        if keep:
            _stay(scene)
        say("Taking everything down")
    out.print(f"\nDone in {time.perf_counter() - started:.1f} s.")


@dataclass(frozen=True, slots=True)
class _Scene:
    gateway: Gateway
    http: HttpClient
    model: ModelServer
    external: "_HostServer"

    def call(self, method: str, path: str, *, body: object = None) -> Answer:
        return self.http.send(method, f"{self.gateway.url}{path}", body=body)


class _HostServer(BackgroundServer):
    """Tells which Host and path it was asked for, as a service out on the internet might."""

    def __init__(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._tell)
        super().__init__(app)

    async def _tell(self, request: web.Request) -> web.Response:
        return web.json_response({"host": request.host, "path": request.path})


@dataclass(slots=True)
class _Load:
    """Requests that keep coming, and what became of them."""

    scene: _Scene
    sent: int = 0
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Send one request after another while the block lasts, and some before and after."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._send, args=(stopped,), name="demo-load", daemon=True)
        thread.start()
        try:
            self._await(_LEAD)
            yield
            self._await(self.sent + _LEAD)
        finally:
            stopped.set()
            thread.join()

    def _send(self, stopped: threading.Event) -> None:
        with HttpClient(direct=True) as http:
            while not stopped.is_set():
                try:
                    url = f"{self.scene.gateway.url}/models/test/"
                    answer = http.send("POST", url, body={"instances": _INSTANCES})
                    if not answer.is_success:
                        self.failures.append(f"{answer.status} {answer.text}")
                except RouteFailed as error:
                    self.failures.append(str(error))
                self.sent += 1

    def _await(self, sent: int) -> None:
        deadline = time.monotonic() + _SERVED_WITHIN
        while self.sent < sent and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)


def _set_up(parts: ExitStack) -> _Scene:
    _title("A gateway on this machine")
    started = time.perf_counter()
    with err.status("Starting") as status:
        stack = LocalStack()
        parts.callback(stack.close)
        stack.start(status.update)
    model = parts.enter_context(ModelServer())
    external = parts.enter_context(_HostServer())
    gateway = parts.enter_context(Gateway.at(stack.endpoint))
    _tell("Kubernetes API, controller and Envoy run", gateway.url, since=started)
    _tell("a model server with TensorFlow Serving's REST API runs (half of x, plus two)", model.url)
    return _Scene(gateway, parts.enter_context(HttpClient(direct=True)), model, external)


def _publish(scene: _Scene) -> None:
    _title("Publish a model from Python")
    _code(f'mnist = gateway.expose("mnist", service={scene.model.port}, server=TFServing(model="{scene.model.name}"))')
    started = time.perf_counter()
    with err.status("Publishing"):
        mnist = scene.gateway.expose("mnist", service=scene.model.port, server=TFServing(model=scene.model.name))
    _tell("published, and it answers", mnist.url, since=started)
    _code(f"mnist.predict({_INSTANCES})")
    prediction = mnist.predict(_INSTANCES)
    _check(prediction.values == [2.5, 3.0, 4.5], f"the model answered {prediction.values}")
    _tell("predicted", f"{prediction.values} in {prediction.latency_ms:.1f} ms")
    _tell("the same from a shell", mnist.curl())


def _publish_by_annotation(scene: _Scene) -> None:
    _title("Publish as with Ambassador: an annotation on a Service")
    text = _MODEL_ROUTE.format(service=_address(scene.model))
    _code(text, language="yaml")
    started = time.perf_counter()
    _apply(scene.gateway, "test", text)
    answer = _await_answer(scene, "POST", "/models/test/", body={"instances": _INSTANCES})
    _tell("POST /models/test/", f"{answer.status} {answer.text}", since=started)
    answer = scene.call("GET", "/models/test/")
    _check(answer.status == 404, f"GET /models/test/ answered {answer.status}")  # noqa: PLR2004 - what is shown
    _tell("GET /models/test/", f"{answer.status}: the route says method: POST, so a GET does not match")


def _edit_under_load(scene: _Scene) -> None:
    _title("Add a second document to the annotation while requests keep coming")
    service = _address(scene.model)
    _code(_SECOND_DOCUMENT.format(service=service), language="yaml")
    text = _MODEL_ROUTE.format(service=service) + _SECOND_DOCUMENT.format(service=service)
    load = _Load(scene)
    with err.status("Editing under load"), load.run():
        started = time.perf_counter()
        scene.gateway.client.patch(SERVICE, "test", {"metadata": {"annotations": {CONFIG_ANNOTATION: text}}})
        answer = _await_answer(scene, "GET", "/models/test/")
        served = time.perf_counter()
    _tell("GET /models/test/", f"{answer.status}: the edit is served", since=started, until=served)
    _check(not load.failures, f"{len(load.failures)} of {load.sent} requests failed: {load.failures[:3]}")
    _tell("requests meanwhile", f"{load.sent} sent, none failed")


def _publish_external(scene: _Scene) -> None:
    _title("An external service behind a prefix, with its own Host header")
    text = _EXTERNAL_ROUTE.format(service=f"localhost:{scene.external.port}")
    _code(text, language="yaml")
    started = time.perf_counter()
    _apply(scene.gateway, "httpbin", text)
    answer = _await_answer(scene, "GET", "/httpbin/get")
    _check(answer.json() == {"host": "httpbin.org", "path": "/get"}, f"the service saw {answer.text}")
    _tell("the service saw", answer.text, since=started)


def _show_routes(gateway: Gateway) -> None:
    _title("All routes, in the order they are evaluated")
    print_routes(gateway.routes())


def _stay(scene: _Scene) -> None:
    with until_stopped() as stopped:
        out.print(f"\nIt stays at {scene.gateway.url} until Ctrl-C.")
        stopped.wait()


def _apply(gateway: Gateway, name: str, annotation: str) -> None:
    """Apply a Service as Ambassador's users do: it carries the annotation, and selects nothing."""
    metadata = {"name": name, "annotations": {CONFIG_ANNOTATION: annotation}}
    spec = {"type": "ClusterIP", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
    gateway.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def _await_answer(scene: _Scene, method: str, path: str, *, body: object = None) -> Answer:
    """Ask until it is answered with success."""
    deadline = time.monotonic() + _SERVED_WITHIN
    while True:
        answer = scene.call(method, path, body=body)
        if answer.is_success:
            return answer
        _check(time.monotonic() < deadline, f"{method} {path} still answers {answer.status} {answer.text}")
        time.sleep(_LOOK_EVERY)


def _check(good: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not good:
        raise RouteFailed(f"The demo did not go as it should: {otherwise}", status=None)


def _address(server: BackgroundServer) -> str:
    return f"{server.address}:{server.port}"


def _title(words: str) -> None:
    out.print()
    out.print(Rule(Text(words, style="bold"), align="left", style="dim"))


def _tell(what: str, result: str, *, since: float | None = None, until: float | None = None) -> None:
    took = "" if since is None else f"  {1000 * ((until or time.perf_counter()) - since):.0f} ms"
    out.print(Text.assemble(("✔ ", "green"), what, "  ", (result, "cyan"), (took, "dim")))


def _code(text: str, *, language: str = "python") -> None:
    shown = Syntax("", language, background_color="default").highlight(text.removeprefix("---\n"))
    for line in shown.split():
        out.print(Text("  ") + line)
