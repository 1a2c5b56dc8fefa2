"""An aiohttp application served from a thread of its own, for parts that live beside synchronous code."""

import asyncio
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Final, Self, cast

from aiohttp import web

from kfambassador.local.ports import refusal

#: Connections that may wait to be taken, as aiohttp has it.
_BACKLOG: Final = 128


class BackgroundServer:
    """Serves an application between ``start`` and ``stop``, or inside ``with``.

    Args:
        app: The application; it belongs to this server from now on.
        address: The IP address to bind. The default can be reached from this machine only.
        port: The TCP port; 0 takes any free one.

    Attributes:
        address: The IP address.
        port: The TCP port; the real one after ``start``.

    Raises:
        PortInUse: On start, when another process holds the port.
        ConfigurationError: On start, when the address or the port cannot be had.
    """

    def __init__(self, app: web.Application, *, address: str = "127.0.0.1", port: int = 0) -> None:
        self.address = address
        self.port = port
        self._app = app
        self._thread: Thread | None = None
        self._closing: Future[None] = Future()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The server's base, as in ``http://127.0.0.1:8501``."""
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        """Start serving; when this returns the server answers."""
        started: Future[int] = Future()
        name = f"kfa-{type(self).__name__}"
        self._thread = Thread(target=lambda: asyncio.run(self._serve(started)), name=name, daemon=True)
        self._thread.start()
        try:
            self.port = started.result()
        except OSError as error:
            self._thread.join()
            raise refusal(self.address, self.port, error=error, option="--port") from error

    def stop(self) -> None:
        """Stop serving and close every connection. Does nothing the second time."""
        if self._thread is None or self._closing.done():
            return
        self._closing.set_result(None)
        self._thread.join()

    async def _serve(self, started: Future[int]) -> None:
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        loop = asyncio.get_running_loop()
        try:
            protocols = cast("web.Server", runner.server)  # the set-up made it
            listening = await loop.create_server(protocols, self.address, self.port, backlog=_BACKLOG)
        except OSError as error:
            started.set_exception(error)
        else:
            started.set_result(listening.sockets[0].getsockname()[1])
            await asyncio.wrap_future(self._closing)
            await _stop_listening(listening)
        finally:
            await runner.cleanup()


async def _stop_listening(server: asyncio.Server) -> None:
    """Take no more connections, and close the socket once those that were taken are known.

    A server that is closed first forgets connections of the same moment, and leaves their sockets open (CPython 3.11).
    """
    loop = asyncio.get_running_loop()
    for socket in server.sockets:
        loop.remove_reader(socket)
    # One turn begins with a connection, and the next tells the server of it.
    for _ in range(2):
        await asyncio.sleep(0)
    server.close()
