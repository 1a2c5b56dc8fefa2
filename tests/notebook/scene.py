"""What the tests of the route browser look at: a gateway of a laptop with good, wrong, conflicting and nasty routes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import kfambassador as kfa
from kfambassador.kube.kinds import SERVICE
from kfambassador.local.daemon import find_gateway
from kfambassador.local.models import ModelServer
from kfambassador.local.runtime_directory import RuntimeDirectory
from kfambassador.resources.documents import write_documents
from tests.backends import EchoServer
from tests.e2e.gateway import annotate_service
from tests.notebook.lab_server import LabServer
from tests.ports import free_port

#: A page that took this for markup would run it.
MARKUP = "<img/src=x/onerror=window.hacked=1>"

#: Statuses that something behind the gateway answers, each under a path of its own.
STATUSES = (302, 401, 403)

CONNECT = "import kfambassador as kfa\ngateway = kfa.connect(quiet=True)"


@dataclass(frozen=True)
class Scene:
    """What there is.

    Attributes:
        gateway: The gateway, connected to from here.
        mnist: A model with a canary that gets 20%.
        stable: Its server.
        canary: The canary's; it answers as version 2, the other as version 1.
        echo: A server that answers with what it saw.
    """

    gateway: kfa.Gateway
    mnist: kfa.Exposure
    stable: ModelServer
    canary: ModelServer
    echo: EchoServer

    def annotate(self, name: str, *documents: dict[str, object], namespace: str = "default") -> None:
        """Apply a Service with mappings; they are read when this returns."""
        annotation = write_documents(
            *({"apiVersion": "ambassador/v0", "kind": "Mapping", **document} for document in documents)
        )
        before = self.gateway.await_change()
        self.gateway.client.apply(annotate_service(name, annotation, namespace=namespace))
        self.gateway.await_change(before, wait=20)

    def share_of_canary(self, *, of: int = 200) -> float:
        """The share of so many requests that the canary answers, from 0 to 1."""
        answers = [self.gateway.test("GET", "/models/mnist/").answer.body for _ in range(of)]
        return sum(b'"2"' in answer for answer in answers) / of

    def remove(self, name: str) -> None:
        """Delete a Service."""
        self.gateway.client.delete(SERVICE, name)


@contextmanager
def played(server: LabServer) -> Iterator[Scene]:
    """Start the gateway of a Jupyter server's machine, and publish everything on it."""
    start = [sys.executable, "-m", "kfambassador", "local", "start"]
    subprocess.run(start, env=dict(server.environment), check=True, capture_output=True)
    endpoint = find_gateway(RuntimeDirectory(server.home / "gateway"))
    assert endpoint is not None
    with ExitStack() as stack:
        stable, canary = (stack.enter_context(ModelServer("mnist", version=version)) for version in (1, 2))
        echo = stack.enter_context(EchoServer())
        gateway = stack.enter_context(kfa.Gateway.at(endpoint, quiet=True))
        mnist = gateway.expose("mnist", service=stable.port)
        mnist.canary(canary.port, weight=20)
        scene = Scene(gateway, mnist, stable, canary, echo)
        _publish_by_hand(scene, stack)
        yield scene


def _publish_by_hand(scene: Scene, stack: ExitStack) -> None:
    seen = f"127.0.0.1:{scene.echo.port}"
    answering: list[dict[str, object]] = []
    for status in STATUSES:
        server = stack.enter_context(EchoServer(f"answers-{status}", status=status))
        service = f"127.0.0.1:{server.port}"
        answering.append({"name": f"answers-{status}", "prefix": f"/answers/{status}/", "service": service})
    scene.annotate(
        "legacy",
        {"name": "old", "prefix": "/old/", "service": seen, "timeout_ms": 3000},
        {"name": "typo", "prefix": "/typo/", "service": seen, "timeout": 500},
    )
    scene.gateway.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "others"}})
    scene.annotate("taker", {"name": "old", "prefix": "/old/", "service": seen}, namespace="others")
    scene.annotate("wrong", {"name": "wrong", "prefix": "/wrong/", "service": seen, "cors": {"origins": 5}})
    scene.annotate("tools", {"name": "echo", "prefix": "/echo/", "service": seen}, *answering)
    scene.annotate("away", {"name": "away", "prefix": "/away/", "service": f"127.0.0.1:{free_port()}"})
    scene.annotate(
        "nasty",
        {
            "name": f"nasty-{MARKUP}",
            "prefix": f"/nasty/{MARKUP}/",
            "service": seen,
            "headers": {"x-nasty": MARKUP},
            "add_response_headers": {"x-answer": MARKUP},
        },
    )


@contextmanager
def repeated(ask: Callable[[], object]) -> Iterator[None]:
    """Ask again and again, in a thread, while the block lasts."""
    ended = Event()

    def go_on() -> None:
        while not ended.wait(0.02):
            ask()

    asking = Thread(target=go_on)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join()
