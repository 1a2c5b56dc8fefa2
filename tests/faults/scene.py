"""What the tests of faults happen in: an API, model servers and pods of a gateway, each a process of its own."""

import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kfambassador.local.ports import reserved_port
from tests.faults.api import Api, Manifest, carrier, endpoints, mapping
from tests.faults.load import Load, ask
from tests.faults.pod import GATEWAY_NAMESPACE, Pod
from tests.faults.programs import Program, until

#: The Services of the two model servers.
MODELS: Final = ("one", "two")


def machine_address() -> str:
    """An address of this machine that is not loopback, where no gateway sends anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        # Nothing is sent: the kernel only says from which address it would be (RFC 5737 reserves this one).
        asked.connect(("198.51.100.1", 9))
        address: str = asked.getsockname()[0]
        return address


class Scene:
    """An API and two model servers; a context manager.

    Attributes:
        api: The Kubernetes API.
        directory: Where logs and states are.
        places: Where each model server answers, by its Service's name.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.api = Api(directory)
        self.places: dict[str, tuple[str, int]] = {}
        self.pods: list[Pod] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.api)
            self.api.add_namespace(GATEWAY_NAMESPACE)
            for name in MODELS:
                self._start_model(name, stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _start_model(self, name: str, stack: ExitStack) -> None:
        place = (machine_address(), stack.enter_context(reserved_port(machine_address())))
        command = [sys.executable, "-m", "tests.faults.upstream", place[0], str(place[1]), name]
        program = stack.enter_context(Program(command, self.directory / f"{name}.log"))
        program.until(lambda: _answers(place), f"model server {name} answers")
        self.places[name] = place
        self.api.apply(model_service(name), endpoints(name, [place]))

    def pod(
        self, name: str, *options: str, kubeconfig: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Pod:
        """Make a pod of the gateway; it is not started."""
        chosen = kubeconfig or self.api.kubeconfig
        pod = Pod(name, self.directory, chosen, options=options, environment=environment)
        self.pods.append(self._stack.enter_context(pod))
        return pod

    @property
    def gateway(self) -> Pod:
        """The first pod."""
        return self.pods[0]

    def publish(self, *names: str, model: str = "one", pods: Sequence[Pod] = ()) -> None:
        """Publish paths ``/NAME/`` that lead to a model, and wait until all pods answer there."""
        for name in names:
            self.lead(name, model)
        for name in names:
            self.wait_served(name, model, pods=pods)

    def lead(self, name: str, model: str) -> None:
        """Have the path ``/NAME/`` lead to a model from now on."""
        self.api.apply(carrier(name, mapping(name, model)))

    def wait_served(self, name: str, model: str, *, pods: Sequence[Pod] = ()) -> None:
        """Wait until a path is answered by a model, of each pod."""
        for pod in pods or self.pods:
            self._wait_answer(pod, f"/{name}/", (200, model))

    def wait_gone(self, name: str) -> None:
        """Wait until no pod knows a path."""
        for pod in self.pods:
            self._wait_answer(pod, f"/{name}/", (404, ""))

    @staticmethod
    def _wait_answer(pod: Pod, path: str, wanted: tuple[int, str]) -> None:
        until(
            lambda: ask(pod.http_port, path) == wanted,
            f"{path} is answered with {wanted} by {pod.name}",
            tell=lambda: f"{ask(pod.http_port, path)}\n{pod.tell()}",
        )

    @contextmanager
    def load(self, *names: str, pods: Sequence[Pod] = (), lag: float = 0.5) -> Iterator[Load]:
        """Send requests to the paths of names while the block lasts."""
        targets = [pod.target for pod in (pods or self.pods)]
        with Load(targets, [f"/{name}/" for name in names], lag=lag).running() as load:
            yield load


def model_service(name: str, *, namespace: str = "default") -> Manifest:
    """A Service whose pods an EndpointSlice names."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": "None", "ports": [{"port": 80}]},
    }


def _answers(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=1).close()
    except OSError:
        return False
    return True
