"""A real Envoy that serves the snapshots it is given, for tests that are not asynchronous."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import TypeVar

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.listeners import LISTENER
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.names import XDS_SOCKET
from kfambassador.xds.session import NodeStatus
from tests.xds_world import World

T = TypeVar("T")


class XdsGateway:
    """An xDS server and the Envoy it serves; see :func:`xds_gateway`."""

    def __init__(self, world: World, envoy: EnvoyProcess, loop: asyncio.AbstractEventLoop) -> None:
        self._world = world
        self._envoy = envoy
        self._loop = loop

    @property
    def directory(self) -> Path:
        """Envoy's private directory."""
        return self._world.path.parent

    def serve(self, snapshot: Snapshot) -> None:
        """Publish a snapshot and wait until Envoy serves it."""
        self._call(self._world.serve(snapshot))

    def offer(self, snapshot: Snapshot) -> NodeStatus:
        """Publish a snapshot; give Envoy's status once it has taken it or refused it. It refuses nothing now."""
        return self._call(self._offer(snapshot))

    def connect(self, listener: str = LISTENER) -> HTTPConnection:
        """A connection to one of Envoy's listeners; the caller closes it."""
        address, port = self._envoy.address(listener)
        return HTTPConnection(address, port, timeout=10)

    def admin(self, path: str, *, method: str = "GET") -> str:
        """Ask Envoy's admin."""
        return self._envoy.admin(path, method=method)

    def address(self, listener: str = LISTENER) -> tuple[str, int]:
        """Where one of Envoy's listeners listens."""
        return self._envoy.address(listener)

    def start(self, snapshot: Snapshot) -> None:
        """Start both; when this returns Envoy serves the snapshot."""
        self._call(self._world.server.start())
        self._call(self._publish(snapshot))
        self._envoy.start(write_bootstrap(BootstrapSettings(self._world.path.parent)))

    def stop(self) -> None:
        """Stop the server; Envoy is its own keeper's to stop."""
        self._call(self._world.server.stop())

    def _call(self, work: Coroutine[None, None, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _publish(self, snapshot: Snapshot) -> None:
        self._world.server.publish(snapshot)

    async def _offer(self, snapshot: Snapshot) -> NodeStatus:
        def is_decided() -> bool:
            status = self._world.newest
            # An older refusal stands until Envoy has answered to what is offered now.
            refused = status.rejection is not None and status.rejection.generation == snapshot.generation
            return refused or status.acknowledged == snapshot.generation

        self._world.server.publish(snapshot)
        await self._world.until(is_decided)
        return self._world.newest


@contextmanager
def xds_gateway(first: Snapshot) -> Iterator[XdsGateway]:
    """Run a gateway with one worker, so that what one connection was told every other is told too."""
    with private_directory() as directory, EnvoyProcess(directory, concurrency=1) as envoy, _loop() as loop:
        gateway = XdsGateway(World(directory / XDS_SOCKET), envoy, loop)
        gateway.start(first)
        try:
            yield gateway
        finally:
            gateway.stop()


@contextmanager
def in_a_loop() -> "Iterator[Callable[[Coroutine[None, None, None]], None]]":
    """Give a function that does asynchronous work in another thread, and returns when it is done."""
    with _loop() as loop:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result()


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="test-loop")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def request(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, str]:
    """Send a request on a connection that is kept; give the answer and its body."""
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    return response, response.read().decode()
