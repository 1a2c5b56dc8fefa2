"""A gateway's pod: ``kfambassador controller`` and ``kfambassador envoy`` as a kubelet runs them, side by side."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kfambassador.local.envoy_process import private_directory
from kfambassador.local.ports import reserved_port
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from tests.faults.load import Target
from tests.faults.programs import Program, until

_KFAMBASSADOR: Final = (sys.executable, "-m", "kfambassador")

#: Where the gateway lives.
GATEWAY_NAMESPACE: Final = "ambassador"


class Pod:
    """One replica of a gateway; a context manager.

    Args:
        name: Its name.
        directory: Where it keeps its logs and its state.
        kubeconfig: The cluster.
        options: Further options of its controller.
        environment: Variables its controller has beside this process's own.

    Attributes:
        controller: The process of its controller.
        envoy: The process that runs its Envoy.
        http_port: Where clients connect.
        state: What the controller keeps from one start to the next.
    """

    controller: Program
    envoy: Program

    def __init__(
        self,
        name: str,
        directory: Path,
        kubeconfig: Path,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.state = directory / f"{name}-state"
        self.state.mkdir(mode=0o700)
        self._directory = directory
        self._kubeconfig = kubeconfig
        self._options = options
        self._environment = environment
        self._stack = ExitStack()
        self.sockets = self._stack.enter_context(private_directory())
        self.http_port, self._health, self._diagnostics, self._ready = (
            self._stack.enter_context(reserved_port()) for _ in range(4)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            for program in (getattr(self, "controller", None), getattr(self, "envoy", None)):
                if program is not None:
                    program.thaw()
                    program.kill()

    def start(self) -> Self:
        """Start both containers; returns at once."""
        self.start_controller()
        self.start_envoy()
        return self

    def start_controller(self, kubeconfig: Path | None = None) -> None:
        """Start its controller, as after its end."""
        places = {
            "kubeconfig": kubeconfig or self._kubeconfig,
            "xds-socket": self.sockets / XDS_SOCKET,
            "admin-socket": self.sockets / ADMIN_SOCKET,
            "state-dir": self.state,
            "http-address": "127.0.0.1",
            "http-port": self.http_port,
            "health-address": f"127.0.0.1:{self._health}",
            "diagnostics-address": f"127.0.0.1:{self._diagnostics}",
            "gateway-namespace": GATEWAY_NAMESPACE,
            "identity": self.name,
            "log-format": "text",
        }
        command = [*_KFAMBASSADOR, "controller", *(f"--{name}={value}" for name, value in places.items())]
        log = self._directory / f"{self.name}-controller.log"
        self.controller = Program([*command, *self._options], log, environment=self._environment)

    def start_envoy(self) -> None:
        """Start its Envoy, as after its end."""
        places = {
            "xds-socket": self.sockets / XDS_SOCKET,
            "admin-socket": self.sockets / ADMIN_SOCKET,
            "ready-address": f"127.0.0.1:{self._ready}",
            "drain-time": 10,
            "min-drain-time": 1.5,
            "concurrency": 1,
        }
        command = [*_KFAMBASSADOR, "envoy", *(f"--{name}={value}" for name, value in places.items())]
        self.envoy = Program(command, self._directory / f"{self.name}-envoy.log")

    def wait_ready(self) -> Self:
        """Return when its probes find it ready."""
        until(self.is_ready, f"{self.name} is ready", tell=self.tell)
        return self

    def is_ready(self) -> bool:
        """Whether both containers are ready, as a cluster sees it."""
        return self.controller_is_ready() and self.envoy_is_ready()

    def controller_is_ready(self) -> bool:
        """Whether the controller's probe says so."""
        return self.probe(self._health, "/readyz")[0] == 200

    def envoy_is_ready(self) -> bool:
        """Whether Envoy's probe says so."""
        return self.probe(self._ready, "/ready")[0] == 200

    def tell_readiness(self) -> str:
        """What the controller's probe says; "no answer" before it does."""
        return self.probe(self._health, "/readyz?verbose")[1]

    def serves_kept(self) -> bool:
        """Whether the controller serves what an earlier run kept."""
        return "earlier run is served" in self.tell_readiness()

    @property
    def kept_file(self) -> Path:
        """Where the controller keeps what Envoy acknowledged."""
        return self.state / "last-known-good"

    def tell(self) -> str:
        """What its probes and its programs say, for whoever waits in vain."""
        probes = (self.tell_readiness(), self.probe(self._ready, "/ready"))
        return "\n".join([*map(str, probes), self.controller.words(), self.envoy.words()])

    def metrics(self) -> str:
        """What Prometheus is told."""
        return self.probe(self._health, "/metrics")[1]

    def read(self, path: str) -> str:
        """Ask the read API."""
        return self.probe(self._diagnostics, f"/ambassador/v0/{path}")[1]

    @property
    def target(self) -> Target:
        """Where a load goes: as long as Envoy is ready."""
        return Target(self.http_port, self.envoy_is_ready)

    @staticmethod
    def probe(port: int, path: str) -> tuple[int, str]:
        """Ask a port of the pod; give 0 where nobody answers."""
        connection = HTTPConnection("127.0.0.1", port, timeout=90)
        with suppress(OSError, HTTPException):
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            finally:
                connection.close()
        return 0, "no answer"
