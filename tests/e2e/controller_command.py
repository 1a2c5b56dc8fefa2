"""`kfambassador controller` as a process, beside the Kubernetes API and Envoy that it stands between."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kfambassador.kube.client import KubeClient
from kfambassador.local.definitions import read_definitions
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.kubeconfig import ApiAccess, join_kubeconfig
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from tests.e2e.envoy_command import EnvoyCommand, envoy_command
from tests.e2e.gateway import Answer, fetch
from tests.e2e.gateway import until as wait_until
from tests.ports import free_port

#: Seconds a test waits for what has to happen.
PATIENCE = 60.0


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds that is only to be had by asking."""
    wait_until(condition, timeout=PATIENCE)


class ControllerCommand:
    """One `kfambassador controller`, from the outside.

    Attributes:
        process: The process.
        directory: Where its sockets are.
        http_port: Where Envoy is to listen.
        lines: What it logged, each line read as JSON.
    """

    def __init__(self, directory: Path, options: Sequence[str], environment: dict[str, str]) -> None:
        self.directory = directory
        self.http_port = _recall_port(directory / "http-port")
        self.lines: list[dict[str, object]] = []
        self._health, self._diagnostics = free_port(), free_port()
        places = {
            "xds-socket": directory / XDS_SOCKET,
            "admin-socket": directory / ADMIN_SOCKET,
            "state-dir": directory / "state",
            "http-address": "127.0.0.1",
            "http-port": self.http_port,
            "health-address": f"127.0.0.1:{self._health}",
            "diagnostics-address": f"127.0.0.1:{self._diagnostics}",
        }
        said = [word for name, value in places.items() for word in (f"--{name}", str(value))]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kfambassador", "controller", *said, *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                # What is no line of the log is a stack trace, or words about a mistake.
                self.lines.append(json.loads(line) if line.startswith("{") else {"message": line})

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None) -> Answer:
        """Ask the read API."""
        return fetch(f"http://127.0.0.1:{self._diagnostics}/ambassador/v0/{path}", method=method, body=body)

    def probe(self, path: str = "/readyz") -> Answer:
        """Ask as a kubelet or Prometheus does."""
        return fetch(f"http://127.0.0.1:{self._health}{path}")

    def request(self, path: str) -> Answer:
        """Send a request through Envoy."""
        return fetch(f"http://127.0.0.1:{self.http_port}{path}")

    def until_ready(self) -> None:
        """Return when its probe says so."""
        try:
            until(lambda: self._answers() and self.probe().status == 200)
        except AssertionError:
            raise AssertionError(self.probe("/readyz?verbose").body, self.lines) from None

    def until_listening(self) -> None:
        """Return when it can be asked anything."""
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.lines
        try:
            return self.probe("/healthz").status == 200
        except OSError:
            return False

    def says(self, words: str) -> bool:
        """Tell whether a line of its log holds these words."""
        return any(words in str(line["message"]) for line in self.lines)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and give its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return code


def _recall_port(file: Path) -> int:
    """Give the port Envoy listened on before, in the same directory: with another one, settings would be others."""
    if not file.exists():
        file.write_text(str(free_port()))
    return int(file.read_text())


@contextmanager
def controller_command(directory: Path, *options: str, **environment: str) -> Iterator[ControllerCommand]:
    """Run the command; where the test did not end it, it is made to.

    Args:
        directory: Where its sockets and its state are.
        options: More options.
        environment: More variables.
    """
    command = ControllerCommand(directory, options, environment)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()


@contextmanager
def envoy_beside(command: ControllerCommand) -> Iterator[EnvoyCommand]:
    """Run Envoy beside a controller."""
    # Nobody reads what it says until its end: what it would say of every vain attempt would fill the pipe and stop it.
    options = ("--drain-time", "1", "--min-drain-time", "0", "--log-level", "error")
    with envoy_command(command.directory, command.http_port, *options) as envoy:
        try:
            yield envoy
        except AssertionError as error:
            # What it said is the likeliest cause.
            envoy.process.terminate()
            error.add_note(str(envoy.end()))
            raise


class Cluster:
    """A Kubernetes API that can go away and come back with all it had.

    Attributes:
        client: An administrator's client.
        kubeconfig: What lets a controller in.
        server: The API while it runs.
    """

    def __init__(self, directory: Path, *, rbac: bool = False) -> None:
        self._state, self._rbac, self._port = directory / "api", rbac, 0
        self._token = secrets.token_urlsafe(16)
        self._parts = ExitStack()
        self.kubeconfig = directory / "kubeconfig"
        self.start()
        access = ApiAccess(self.server.url, self.server.token, self.server.authority)
        join_kubeconfig(self.kubeconfig, access)

    def start(self) -> None:
        """Start it, where it was before."""
        self.server = self._parts.enter_context(
            KubeServer(
                state=self._state,
                port=self._port,
                token=self._token,
                furniture=read_definitions(),
                rbac=self._rbac,
            )
        )
        self._port = int(self.server.url.rpartition(":")[2])
        self.client = self._parts.enter_context(
            KubeClient.connect(self.server.url, token=self.server.token, authority=self.server.authority)
        )

    def stop(self) -> None:
        """Take it away."""
        self._parts.close()


@contextmanager
def running_cluster(*, rbac: bool = False) -> Iterator[tuple[Cluster, Path]]:
    """Run a Kubernetes API; gives it and a directory that is this user's alone."""
    with private_directory() as directory:
        cluster = Cluster(directory, rbac=rbac)
        try:
            yield cluster, directory
        finally:
            cluster.stop()
