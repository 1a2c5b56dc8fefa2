"""A port of this machine whose connections lead to a ready pod of a Service, through the API server (port-forward)."""

import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from types import TracebackType
from typing import Final, Self

from kfambassador.errors import ApiError, NoGateway
from kfambassador.kube.client import KubeClient
from kfambassador.kube.forwarding import PROTOCOL, Forwarding
from kfambassador.kube.kinds import POD
from kfambassador.kube.objects import Manifest
from kfambassador.kube.pods import find_port, list_ready_pods
from kfambassador.kube.upgrades import Upgraded

_LOOPBACK: Final = "127.0.0.1"
_PATIENCE: Final = 2.0


class Tunnel:
    """A way to one port of a Service. A context manager.

    Each connection goes to a ready pod of the Service: to the same one as long as it is ready, then to the next.

    Args:
        client: The cluster.
        service: The Service.
        port: One of the Service's ``spec.ports``.
        tell: Told in words when another pod is taken, and why a connection failed; each is said once.

    Attributes:
        pod: The pod that is used.
        address: Where it listens, ``127.0.0.1:PORT``.

    Raises:
        NoGateway: The Service has no ready pod.
        ApiError: The API server does not let the caller through; the message names the missing permission.
    """

    def __init__(self, client: KubeClient, service: Manifest, port: Manifest, *, tell: Callable[[str], None]) -> None:
        self.pod = ""
        self._client = client
        self._service = service
        self._port = port
        self._tell = tell
        self._told: set[str] = set()
        self._failed: set[str] = set()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, Forwarding | None] = {}
        self._is_closed = False
        # Whether a way exists at all is found out now, where somebody hears of it.
        self._dial().close()
        self._listener = socket.create_server((_LOOPBACK, 0))
        self.address = f"{_LOOPBACK}:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, name="kfa-tunnel", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Close the port and every connection through it; may be called twice."""
        with self._lock:
            self._is_closed = True
            running = dict(self._open)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()
        for forwarding in running.values():
            if forwarding is not None:
                forwarding.end()
        for thread in (self._acceptor, *running):
            thread.join(timeout=_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Tunnel {self.address} to pod {self.pod}>"

    def _accept(self) -> None:
        while True:
            try:
                local, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(local,), name="kfa-tunnel-connection", daemon=True)
            with self._lock:
                if self._is_closed:
                    local.close()
                    return
                self._open[thread] = None
            thread.start()

    def _serve(self, local: socket.socket) -> None:
        thread = threading.current_thread()
        try:
            with local, closing(self._dial()) as remote:
                forwarding = Forwarding(local, remote)
                with self._lock:
                    self._open[thread] = forwarding
                    is_late = self._is_closed
                if not is_late and (said := forwarding.run()):
                    self._failed.add(self.pod)
                    self._say(f"pod {self.pod} does not answer through the tunnel: {said}")
        except (ApiError, NoGateway) as error:
            self._say(str(error))
        finally:
            with self._lock:
                del self._open[thread]

    def _dial(self) -> Upgraded:
        """Open a way to a ready pod, the one that was used last if it is still among them."""
        pods = list_ready_pods(self._client, self._service)
        names = {str(pod["metadata"]["name"]): pod for pod in pods}
        ranked = sorted(names, key=lambda name: (name in self._failed, name != self.pod, name))
        failure: ApiError | None = None
        for name in ranked:
            try:
                remote = self._dial_pod(names[name])
            except ApiError as error:
                failure = failure or error
                continue
            if self.pod not in {"", name}:
                self._say(f"the tunnel now leads to pod {name}, since {self.pod} does not answer")
            self.pod = name
            return remote
        if failure is not None:
            raise failure
        metadata = self._service["metadata"]
        raise NoGateway(
            f"Service {metadata['name']} in namespace {metadata['namespace']} has no ready pod, so no tunnel leads "
            "to it. Is the gateway running?"
        )

    def _dial_pod(self, pod: Manifest) -> Upgraded:
        metadata = pod["metadata"]
        return self._client.upgrade(
            POD,
            str(metadata["name"]),
            subresource="portforward",
            query={"ports": str(find_port(pod, self._port))},
            protocol=PROTOCOL,
            namespace=str(metadata["namespace"]),
        )

    def _say(self, words: str) -> None:
        if not self._is_closed and words not in self._told:
            self._told.add(words)
            self._tell(words)
