"""A whole gateway in this process: a Kubernetes API, a controller and an Envoy."""

import os
import secrets
import time
from collections.abc import Callable, Hashable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from kfambassador.errors import ApiError, ConfigurationError, MissingExtra, NoGateway, PortInUse
from kfambassador.kube.kinds import NAMESPACE
from kfambassador.local.announcing import give_kubeconfig, take_kubeconfig_back
from kfambassador.local.authorities import find_authorities
from kfambassador.local.definitions import read_definitions
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.local.keeper import EnvoyKeeper
from kfambassador.local.kept_access import keep_port, recall_port, recall_token
from kfambassador.local.kubeconfig import check_kubeconfig
from kfambassador.local.ports import reserved_port
from kfambassador.local.probes import wait_ready
from kfambassador.names import ADMIN_SOCKET, ASKING_SOCKET, XDS_SOCKET

# What takes long to import is imported where it is needed: Envoy starts meanwhile.
if TYPE_CHECKING:
    from kfambassador.controller.reviews import ReviewSettings
    from kfambassador.controller.runtime import ControllerThread
    from kfambassador.kube.client import KubeClient
    from kfambassador.local.kube.server import KubeServer

__all__ = ["GatewayEndpoint", "LocalStack"]

#: Seconds the gateway may take to be ready once all its parts have started.
READY_TIMEOUT: Final = 30.0

_ADDRESS: Final = "127.0.0.1"

#: Seconds within which Envoy tells what it counted; whoever asks has other things to do, such as to end when told.
_GLANCE: Final = 1.0

#: Counts what came in by the gateway's listener.
_REQUESTS: Final = r"/stats?filter=^http\.http\.downstream_rq_total$"


class LocalStack:
    """A gateway that lives from ``start`` to ``close``, or inside ``with``.

    It is the gateway a cluster has: its controller follows a Kubernetes API and tells a real Envoy what to serve. An
    Envoy that dies is started anew on the same port, three times a minute at most; then the gateway stays not ready.

    Args:
        http_port: Where models answer; 0 takes a free port and keeps it.
        state: The directory that keeps all objects, and the token and the authority of the Kubernetes API, so that
            who could reach it can do so again; None keeps them in memory.
        kubeconfig: A kubeconfig to join, for kubectl and other clients: context ``kfambassador-local`` becomes its
            current one, and all else in it stays. Without a state directory the gateway leaves it again at its end.
        api_port: Where the Kubernetes API answers; 0 takes the one of the last time, if there is a state directory and
            nobody else has taken it, or else a free port.
        diagnostics_port: Where the controller's read API answers; 0 takes a free port.
        concurrency: Envoy's worker threads.
        reviews: Guard the read API as a cluster's is guarded, by tokens of the Kubernetes API; None gives it one of
            its own.
        directory: Where Envoy's sockets and log are, a short path that is this user's alone; None makes one that is
            gone at the end.
        rbac: Whether roles decide who may do what in its Kubernetes API, as in a cluster. The controller and whoever
            connects to this gateway are administrators there; others come by tokens of ServiceAccounts.

    Example::

        with LocalStack() as stack:
            print(stack.endpoint.url)
    """

    def __init__(
        self,
        *,
        http_port: int = 0,
        state: Path | None = None,
        kubeconfig: Path | None = None,
        api_port: int = 0,
        diagnostics_port: int = 0,
        concurrency: int = 2,
        reviews: "ReviewSettings | None" = None,
        directory: Path | None = None,
        rbac: bool = False,
    ) -> None:
        self._http_port = http_port
        self._state = state
        self._kubeconfig = kubeconfig
        self._api_port = api_port
        self._diagnostics_port = diagnostics_port
        self._concurrency = concurrency
        self._reviews = reviews
        self._directory = directory
        self._rbac = rbac
        self._parts = ExitStack()
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"<LocalStack {self._running.endpoint.url if self._running else 'that does not run'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def endpoint(self) -> GatewayEndpoint:
        """How to reach it.

        Raises:
            NoGateway: It does not run.
        """
        if self._running is None:
            raise NoGateway("This gateway does not run. Start it first, with its start().")
        return self._running.endpoint

    def start(self, progress: Callable[[str], None] | None = None) -> Self:
        """Start; when this returns the gateway answers.

        Args:
            progress: Told in a few words what is done next.

        Raises:
            MissingExtra: The extra ``local`` is not installed.
            PortInUse: Another process holds a port.
            StateInUse: Another gateway holds the state directory.
            ConfigurationError: A part could not be started, or the kubeconfig is none; the message says which and why.
        """
        with ExitStack() as parts:
            try:
                self._running = self._start(parts, progress or _say_nothing)
            except ModuleNotFoundError as error:
                raise MissingExtra("local", needed_for="run a gateway on this machine") from error
            self._parts = parts.pop_all()
        return self

    def close(self) -> None:
        """End everything, and let requests in flight finish. Does nothing when it does not run."""
        self._running = None
        self._parts.close()

    def activity(self) -> Hashable:
        """Give something that changes whenever a client uses the gateway or somebody writes to its Kubernetes API."""
        if self._running is None:
            return None
        with suppress(OSError, ApiError):
            requests = self._running.envoy.admin(_REQUESTS, timeout=_GLANCE)
            return requests, self._running.client.list(NAMESPACE).resource_version
        return None

    def _start(self, parts: ExitStack, tell: Callable[[str], None]) -> "_Running":
        """Start the parts, the slowest first. Each is to be closed from before it starts, so that none is left."""
        if self._kubeconfig is not None:
            check_kubeconfig(self._kubeconfig)
        directory = self._directory or parts.enter_context(private_directory())
        envoy = EnvoyProcess(directory, concurrency=self._concurrency)
        # Kept for as long as the gateway lives: an Envoy that is started anew must get the same.
        port = parts.enter_context(reserved_port(_ADDRESS, self._http_port))
        tell("Starting Envoy")
        keeper = _start_envoy(parts, envoy, directory=directory)
        tell("Starting the Kubernetes API")
        server = self._start_server(parts, tell)
        tell("Starting the controller")
        from kfambassador.kube.client import KubeClient

        token = server.token if self._reviews else secrets.token_urlsafe(32)
        client = parts.enter_context(KubeClient.connect(server.url, token=server.token, authority=server.authority))
        controller = self._start_controller(parts, client, directory=directory, port=port, token=token)
        tell("Waiting until the gateway answers")
        keeper.wait_started()
        if missing := wait_ready(controller.diagnostics_url, timeout=READY_TIMEOUT):
            raise ConfigurationError(f"The gateway was not ready within {READY_TIMEOUT:g} s: {missing}.")
        endpoint = GatewayEndpoint(
            url=f"http://{_ADDRESS}:{port}",
            api_url=server.url,
            api_token=server.token,
            api_authority=server.authority,
            diagnostics_url=controller.diagnostics_url,
            diagnostics_token=token,
            pid=os.getpid(),
            started=time.time(),
            state=self._state,
        )
        if self._kubeconfig is not None:
            self._join(parts, self._kubeconfig, endpoint, tell)
        return _Running(endpoint, envoy, client)

    def _start_server(self, parts: ExitStack, tell: Callable[[str], None]) -> "KubeServer":
        token = None if self._state is None else recall_token(self._state)
        last = 0 if self._state is None or self._api_port else recall_port(self._state)
        try:
            server = self._serve(parts, port=last or self._api_port, token=token)
        except PortInUse:
            if not last:
                raise
            server = self._serve(parts, port=0, token=token)
            tell(
                f"The Kubernetes API answers at {server.url}: its last port, {last}, is in use by another process. A "
                "kubeconfig that was written before has to be written again, with --kubeconfig"
            )
        if self._state is not None:
            keep_port(self._state, int(server.url.rpartition(":")[2]))
        return server

    def _serve(self, parts: ExitStack, *, port: int, token: str | None) -> "KubeServer":
        from kfambassador.local.kube.server import KubeServer

        server = KubeServer(state=self._state, port=port, token=token, furniture=read_definitions(), rbac=self._rbac)
        parts.callback(server.close)
        return server.start()

    def _start_controller(
        self, parts: ExitStack, client: "KubeClient", *, directory: Path, port: int, token: str
    ) -> "ControllerThread":
        from kfambassador.controller.runtime import ControllerThread
        from kfambassador.controller.settings import ControllerSettings
        from kfambassador.envoy.listeners import ListenerSettings
        from kfambassador.routing.policy import TenancyPolicy

        settings = ControllerSettings(
            xds_socket=directory / XDS_SOCKET,
            admin_socket=directory / ADMIN_SOCKET,
            listener=ListenerSettings(address=_ADDRESS, port=port, asking_socket=directory / ASKING_SOCKET),
            policy=TenancyPolicy.laptop(trusted_ca=find_authorities()),
            diagnostics_port=self._diagnostics_port,
            diagnostics_token=None if self._reviews else token,
            reviews=self._reviews,
        )
        controller = ControllerThread(client, settings)
        parts.callback(controller.close)
        return controller.start()

    def _join(self, parts: ExitStack, kubeconfig: Path, endpoint: GatewayEndpoint, tell: Callable[[str], None]) -> None:
        """Join a kubeconfig. What is forgotten with this gateway leaves it; what is found again stays, to be used."""
        tell(give_kubeconfig(kubeconfig, endpoint))
        if self._state is None:
            parts.callback(take_kubeconfig_back, kubeconfig, endpoint)


@dataclass(frozen=True, slots=True)
class _Running:
    endpoint: GatewayEndpoint
    envoy: EnvoyProcess
    client: "KubeClient"


def _start_envoy(parts: ExitStack, envoy: EnvoyProcess, *, directory: Path) -> EnvoyKeeper:
    from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap

    keeper = EnvoyKeeper(envoy, write_bootstrap(BootstrapSettings(directory)))
    parts.callback(keeper.close)
    keeper.start()
    return keeper


def _say_nothing(_words: str) -> None:
    """Take the place of a listener that nobody gave."""
