"""The server: the embedded Kubernetes API on a port of this machine."""

import asyncio
import contextlib
import errno
import secrets
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from kfambassador.errors import ConfigurationError, PortInUse
from kfambassador.local.kube.access.account_secrets import AccountSecrets
from kfambassador.local.kube.access.guard import Guard
from kfambassador.local.kube.access.signing import KEY_LENGTH, TokenKey
from kfambassador.local.kube.access.token_requests import SHORTEST
from kfambassador.local.kube.cluster import Cluster, open_cluster
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.serving.connections import Connection, close_http_server, make_http_server
from kfambassador.local.kube.serving.listening import listen
from kfambassador.local.kube.serving.web import Face
from kfambassador.local.kube.store.certificates import Authority
from kfambassador.local.kube.store.state import StateDirectory
from kfambassador.local.kube.validation.default_roles import DEFAULT_ROLES

_GRACE: Final = 1.0  # seconds that requests under way have when the server closes
# As a cluster does:
_IDLE: Final = 90.0  # seconds after which a connection is closed that has had its requests
_PATIENCE: Final = 32.0  # seconds that a client may take for the head of a request


@dataclass(frozen=True, slots=True)
class _Opened:
    cluster: Cluster
    key: TokenKey
    authority: Authority


class KubeServer:
    """A Kubernetes API on loopback, served from a thread of its own.

    It speaks TLS only, certified by an authority of its own. Every request must carry the token, and nothing but this
    machine can reach the port. What is written is kept in the
    state directory, where there is one: a process killed at any moment loses no acknowledged write.

    Args:
        state: The directory to keep everything in, the authority too; None keeps it in memory and forgets it at the
            end.
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
        ...     server.url.startswith("https://127.0.0.1:")
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
        self._authority = ""
        self._thread: threading.Thread | None = None
        self._stop: Future[None] = Future()

    def __repr__(self) -> str:
        return f"<KubeServer {self.url}>" if self._thread else "<KubeServer, not started>"

    @property
    def url(self) -> str:
        """Where it answers, as ``https://127.0.0.1:PORT``; the port is known once it has started."""
        host, port = self._address
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    @property
    def authority(self) -> str:
        """The certificate clients are to trust, in PEM; known once it has started. It is no secret."""
        return self._authority

    def start(self) -> Self:
        """Start to answer; returns once it does.

        Raises:
            StateInUse: When another server holds the state directory.
            PortInUse: When another process holds the port.
            ConfigurationError: When the state directory or the address cannot be used.
        """
        ready: Future[tuple[int, str]] = Future()
        self._stop = Future()
        thread = threading.Thread(target=self._run, args=(ready,), name="kfa-kube-api", daemon=True)
        thread.start()
        port, self._authority = ready.result()
        self._address = (self._address[0], port)
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

    def _run(self, ready: "Future[tuple[int, str]]") -> None:
        try:
            with _listening(self._address) as listener, _opened(self._state, self._furniture) as opened:
                asyncio.run(self._serve(opened, listener, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, opened: _Opened, listener: socket.socket, ready: "Future[tuple[int, str]]") -> None:
        cluster, key = opened.cluster, opened.key
        guard = Guard(
            cluster.store, token=self.token, key=key, has_roles=self._rbac, shortest_token=self._shortest_token
        )
        trusted = opened.authority.certificate
        cluster.store.listen(AccountSecrets(cluster.store, cluster.writing, guard.authentication, trusted).follow)
        server = make_http_server(Face(cluster, guard).answer)

        def connect(leave: Callable[[], None]) -> Connection:
            return Connection(server, idle=_IDLE, patience=_PATIENCE, leave=leave)

        listening = asyncio.create_task(listen(listener, opened.authority.certify(), connect))
        ready.set_result((listener.getsockname()[1], opened.authority.certificate))
        try:
            await asyncio.wait({listening, asyncio.wrap_future(self._stop)}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
        finally:
            listening.cancel()
            cluster.watchers.close()
            await asyncio.gather(listening, return_exceptions=True)
            await close_http_server(server, grace=_GRACE)


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
def _opened(state: Path | None, furniture: Iterable[Document]) -> Iterator[_Opened]:
    with contextlib.ExitStack() as held:
        directory = held.enter_context(StateDirectory(state)) if state else None
        path = directory.database if directory else None
        key = TokenKey(directory.read_secret(KEY_LENGTH) if directory else secrets.token_bytes(KEY_LENGTH))
        authority = directory.read_authority() if directory else Authority.make()
        try:
            cluster = open_cluster(path, furniture=furniture, authority=authority.certificate)
        except sqlite3.Error as error:
            message = f"The database {path} cannot be opened: {error}. Mend or remove it, or choose another directory."
            raise ConfigurationError(message) from error
        held.callback(cluster.store.close)
        yield _Opened(cluster, key, authority)
