"""The server: the embedded Kubernetes API on a port of this machine."""

import asyncio
import contextlib
import errno
import json
import os
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from aiohttp import web

from kfambassador.errors import ConfigurationError, PortInUse
from kfambassador.local.kube.cluster import Cluster, open_cluster
from kfambassador.local.kube.default_roles import DEFAULT_ROLES
from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.guard import Guard
from kfambassador.local.kube.signing import KEY_LENGTH, TokenKey
from kfambassador.local.kube.state import StateDirectory
from kfambassador.local.kube.token_requests import SHORTEST
from kfambassador.local.kube.web import Face

#: The name of cluster, user and context in the kubeconfig.
CONTEXT: Final = "kfambassador-local"

_GRACE: Final = 1.0  # seconds that requests under way have when the server closes
_BACKLOG: Final = 512
_IDLE: Final = 90.0  # seconds after which a connection without a request is closed, as a cluster does


class KubeServer:
    """A Kubernetes API on loopback, served from a thread of its own.

    Every request must carry the token, and nothing but this machine can reach the port. What is written is kept in the
    state directory, where there is one: a process killed at any moment loses no acknowledged write.

    Args:
        state: The directory to keep everything in; None keeps it in memory and forgets it at the end.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        token: The bearer token; a random one unless given.
        furniture: Objects outside namespaces, such as definitions, that are there whenever it starts.
        rbac: Whether roles decide who may do what, as in a cluster, with the roles every cluster has; otherwise every
            caller who is known may do everything. The token of the server is always an administrator's.
        shortest_token: The shortest a ServiceAccount may ask its token to live, in seconds. A cluster's rule is 600;
            with less, whatever is to be seen when a token ends is seen soon.

    Example:
        >>> with KubeServer() as server:
        ...     server.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        *,
        state: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        furniture: Iterable[Document] = (),
        rbac: bool = False,
        shortest_token: float = SHORTEST,
    ) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._state = state
        self._furniture = (*furniture, *(DEFAULT_ROLES if rbac else ()))
        self._rbac = rbac
        self._shortest_token = shortest_token
        self._address = (host, port)
        self._thread: threading.Thread | None = None
        self._stop: Future[None] = Future()

    def __repr__(self) -> str:
        return f"<KubeServer {self.url}>" if self._thread else "<KubeServer, not started>"

    @property
    def url(self) -> str:
        """Where it answers, as ``http://127.0.0.1:PORT``; the port is known once it has started."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> Self:
        """Start to answer; returns once it does.

        Raises:
            StateInUse: When another server holds the state directory.
            PortInUse: When another process holds the port.
            ConfigurationError: When the state directory or the address cannot be used.
        """
        ready: Future[int] = Future()
        self._stop = Future()
        thread = threading.Thread(target=self._run, args=(ready,), name="kfa-kube-api", daemon=True)
        thread.start()
        self._address = (self._address[0], ready.result())
        self._thread = thread
        return self

    def close(self) -> None:
        """Stop to answer and let port and state go; to close twice is no fault."""
        if self._thread:
            self._stop.set_result(None)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def write_kubeconfig(self, path: Path, *, token: str | None = None, namespace: str = "default") -> None:
        """Write a kubeconfig for kubectl and other clients, readable to its owner only.

        It holds the token twice: as the user's, and in the server's URL as a password, because kubectl and other
        clients in Go send a user's token over TLS only.

        Args:
            path: The file; one that is there is replaced at once and whole.
            token: Whose it is: a ServiceAccount's token; the administrator's when none is given.
            namespace: The namespace to work in.

        Raises:
            ConfigurationError: When it cannot be written.
        """
        server = self.url.replace("://", f"://{CONTEXT}:{quote(token or self.token, safe='')}@")
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": {"server": server}}],
            "users": [{"name": CONTEXT, "user": {"token": token or self.token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}}],
        }
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(config, file, indent=2)
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            message = f"The kubeconfig {path} cannot be written: {error.strerror}. Name another file."
            raise ConfigurationError(message) from error

    def _run(self, ready: "Future[int]") -> None:
        try:
            with _listening(self._address) as listener, _opened(self._state, self._furniture) as (cluster, key):
                asyncio.run(self._serve(cluster, key, listener, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, cluster: Cluster, key: TokenKey, listener: socket.socket, ready: "Future[int]") -> None:
        guard = Guard(
            cluster.store, token=self.token, key=key, has_roles=self._rbac, shortest_token=self._shortest_token
        )
        face = Face(cluster, guard)
        runner = web.AppRunner(
            face.application(),
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=_IDLE,
            shutdown_timeout=_GRACE,
        )
        await runner.setup()
        try:
            await web.SockSite(runner, listener, backlog=_BACKLOG).start()
            ready.set_result(listener.getsockname()[1])
            await asyncio.wrap_future(self._stop)
        finally:
            cluster.watchers.close()
            await runner.cleanup()


@contextlib.contextmanager
def _listening(address: tuple[str, int]) -> Iterator[socket.socket]:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server(address, family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use by another process. Choose another, or 0 for a free one."
            raise PortInUse(message) from error
        message = f"The address {host}:{port} cannot be listened on: {error.strerror}"
        raise ConfigurationError(message) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _opened(state: Path | None, furniture: Iterable[Document]) -> Iterator[tuple[Cluster, TokenKey]]:
    with contextlib.ExitStack() as held:
        directory = held.enter_context(StateDirectory(state)) if state else None
        path = directory.database if directory else None
        key = TokenKey(directory.read_secret(KEY_LENGTH) if directory else secrets.token_bytes(KEY_LENGTH))
        try:
            cluster = open_cluster(path, furniture=furniture)
        except sqlite3.Error as error:
            message = f"The database {path} cannot be opened: {error}. Mend or remove it, or choose another directory."
            raise ConfigurationError(message) from error
        held.callback(cluster.store.close)
        yield cluster, key
