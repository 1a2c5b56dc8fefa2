"""`kfambassador envoy` as a process, a control plane for it, and a load that goes where a cluster would send it."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Lock, Thread

from kfambassador.envoy.listeners import ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.protos import Cluster, RouteConfiguration
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.local.background import BackgroundServer
from kfambassador.local.envoy_process import private_directory
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from kfambassador.proxy.admin import EnvoyAdmin
from tests.backends import EchoServer
from tests.ports import free_port
from tests.xds_gateway import in_a_loop
from tests.xds_world import World

#: Seconds a test waits for what has to happen.
PATIENCE = 120.0


class EnvoyCommand:
    """One `kfambassador envoy`, from the outside.

    Attributes:
        process: The process.
        ready: Where probes ask.
        http: Where clients connect.
        admin: Envoy's admin.
    """

    def __init__(
        self, directory: Path, http_port: int, options: Sequence[str], *, before: Sequence[str], binary: Path | None
    ) -> None:
        self.ready = ("127.0.0.1", free_port())
        self.http = ("127.0.0.1", http_port)
        self.admin = EnvoyAdmin(directory / ADMIN_SOCKET)
        sockets = ["--xds-socket", str(directory / XDS_SOCKET), "--admin-socket", str(directory / ADMIN_SOCKET)]
        place = ["--ready-address", f"localhost:{self.ready[1]}"]
        named = {} if binary is None else {"KFAMBASSADOR_ENVOY": str(binary)}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "kfambassador", "envoy", *sockets, *place, *options],
            stderr=subprocess.PIPE,
            text=True,
            # An Envoy that crashes writes what stood in its memory, of whatever bytes.
            errors="replace",
            env={**os.environ, **named},
        )

    def probe(self, path: str = "/ready", *, method: str = "GET") -> int | None:
        """Ask as the kubelet does; give the status, None when the connection is refused."""
        connection = HTTPConnection(*self.ready, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().status
        except ConnectionError:
            return None
        finally:
            connection.close()

    def wait_ready(self) -> None:
        """Return when it serves."""
        until(lambda: self.process.poll() is not None or self.probe() == 200)
        assert self.process.poll() is None, self.end()

    def tell(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait until it has ended; give its exit code and what it said."""
        _, words = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, words

    @property
    def envoy(self) -> int:
        """The process id of Envoy, on Linux."""
        [child] = children_of(self.process.pid)
        return child


@contextmanager
def envoy_command(
    directory: Path, http_port: int, *options: str, before: Sequence[str] = (), binary: Path | None = None
) -> Iterator[EnvoyCommand]:
    """Run `kfambassador envoy`; where the test did not end it, it is made to.

    Args:
        directory: Where its sockets are.
        http_port: The port that its control plane lets it listen on.
        options: More options.
        before: A command that runs it.
        binary: Another program than Envoy.
    """
    command = EnvoyCommand(directory, http_port, options, before=before, binary=binary)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


@contextmanager
def control_plane(directory: Path, backend: BackgroundServer, *, http_port: int) -> Iterator[None]:
    """Tell Envoys that ask in a directory to send everything to a backend."""
    with in_a_loop() as call:
        world = World(directory / XDS_SOCKET)
        world.server.publish(_snapshot(backend, http_port))
        call(world.server.start())
        try:
            yield
        finally:
            call(world.server.stop())


def _snapshot(backend: BackgroundServer, http_port: int) -> Snapshot:
    place = {"socket_address": {"address": backend.address, "port_value": backend.port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": place}}]}]
    cluster = Cluster(name="all", type="STATIC", load_assignment={"cluster_name": "all", "endpoints": endpoints})
    route = {"match": {"prefix": "/"}, "route": {"cluster": "all", "timeout": {}}}
    hosts = [{"name": "any", "domains": ["*"], "routes": [route]}]
    routes = RouteConfiguration(name=ROUTES, virtual_hosts=hosts)
    listener = build_listener(ListenerSettings(port=http_port))
    return Snapshot(
        {
            TypeUrl.CLUSTER: {"all": XdsResource.of("all", cluster.SerializeToString())},
            TypeUrl.LISTENER: {listener.name: listener},
            TypeUrl.ROUTE_CONFIGURATION: {ROUTES: XdsResource.of(ROUTES, routes.SerializeToString())},
        },
        generation=1,
    )


@contextmanager
def serving_envoy() -> Iterator[EnvoyCommand]:
    """Run one that sends everything to a backend that echoes; it is ready."""
    port = free_port()
    with (
        private_directory() as directory,
        EchoServer() as backend,
        control_plane(directory, backend, http_port=port),
        envoy_command(directory, port) as command,
    ):
        command.wait_ready()
        yield command


class ServiceLoad:
    """Requests on connections that are kept, to those of several Envoys that probes found ready a moment ago.

    Attributes:
        answers: How often each outcome came, by Envoy: ``ok``, or what went wrong.
    """

    def __init__(self, envoys: Sequence[EnvoyCommand], *, lag: float) -> None:
        self.answers: Counter[tuple[int, str]] = Counter()
        self._envoys = envoys
        self._lag = lag
        self._ready = list(range(len(envoys)))
        self._lock = Lock()
        self._stopped = Event()

    @property
    def failed(self) -> dict[tuple[int, str], int]:
        """What went wrong."""
        return {outcome: count for outcome, count in self.answers.items() if outcome[1] != "ok"}

    def count(self, envoy: int) -> int:
        """How many requests one Envoy answered."""
        return self.answers[envoy, "ok"]

    @property
    def ready(self) -> list[int]:
        """Who gets new connections."""
        return self._ready

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        """Send requests while the block lasts."""
        threads = [Thread(target=self._probe), *(Thread(target=self._run, args=(each,)) for each in range(clients))]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def _probe(self) -> None:
        """Learn as a cluster does who is ready: by asking, and late."""
        while not self._stopped.wait(0.1):
            found = [number for number, envoy in enumerate(self._envoys) if _is_ready(envoy)]
            if found != self._ready:
                self._stopped.wait(self._lag)
                self._ready = found

    def _run(self, turn: int) -> None:
        while not self._stopped.is_set():
            turn += 1
            ready = self._ready
            if ready:
                self._use_one_connection(ready[turn % len(ready)])

    def _use_one_connection(self, number: int) -> None:
        """Send requests until Envoy asks for the connection to be closed, or something goes wrong."""
        connection = HTTPConnection(*self._envoys[number].http, timeout=30)
        outcome, more = "ok", True
        try:
            while more and not self._stopped.is_set():
                connection.request("POST", "/m", body=b"{}")
                answer = connection.getresponse()
                answer.read()
                outcome = "ok" if answer.status == 200 else str(answer.status)
                more = outcome == "ok" and not answer.will_close
                self._note(number, outcome)
        except (OSError, HTTPException) as error:
            self._note(number, repr(error))
        finally:
            connection.close()

    def _note(self, number: int, outcome: str) -> None:
        with self._lock:
            self.answers[number, outcome] += 1


def _is_ready(envoy: EnvoyCommand) -> bool:
    with suppress(OSError):
        return envoy.probe() == 200
    return False


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds that is only to be had by asking."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def children_of(parent: int) -> list[int]:
    """The children of a process, on Linux."""
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
