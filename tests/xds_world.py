"""An xDS server for a test to live with: started, listened to, and stopped."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from kfambassador.envoy.snapshot import Snapshot
from kfambassador.local.envoy_process import private_directory
from kfambassador.names import XDS_SOCKET
from kfambassador.xds.server import XdsServer
from kfambassador.xds.session import NodeStatus


class World:
    """A server at a socket, and every status it told.

    Attributes:
        server: The server.
        path: Its socket.
        told: The statuses, in order.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[NodeStatus] = []
        self.server = self._build_server()
        self._changed = asyncio.Event()

    def _build_server(self) -> XdsServer:
        server = XdsServer(f"unix:{self.path}")
        server.on_status = self._hear
        return server

    async def restart(self, snapshot: Snapshot) -> None:
        """Replace the server by a new one, which knows this snapshot and no client."""
        await self.server.stop()
        self.told.clear()
        self.server = self._build_server()
        self.server.publish(snapshot)
        await self.server.start()

    def _hear(self, status: NodeStatus) -> None:
        self.told.append(status)
        self._changed.set()

    @property
    def newest(self) -> NodeStatus:
        """The status told last."""
        return self.told[-1] if self.told else NodeStatus()

    async def serve(self, snapshot: Snapshot) -> None:
        """Publish a snapshot and wait until a client serves it."""
        self.server.publish(snapshot)
        await self.until(lambda: self.newest.acknowledged == snapshot.generation)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, which only a change of some node's status can bring about."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


def in_a_world(test: Callable[[World], Coroutine[None, None, None]]) -> None:
    """Run a test against a started server."""

    async def run(path: Path) -> None:
        world = World(path)
        await world.server.start()
        try:
            await test(world)
        finally:
            await world.server.stop()

    with private_directory() as directory:
        asyncio.run(run(directory / XDS_SOCKET))
