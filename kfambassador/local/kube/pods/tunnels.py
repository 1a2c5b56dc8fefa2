"""Tunnels: port forwarding as kubectl does it, any number of connections in SPDY over one websocket.

Each connection has two streams that name the same request: one for what is said, one for what went wrong.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType, web

from kfambassador.local.kube.pods.pod_connections import PodAddress, PodConnection
from kfambassador.local.kube.pods.spdy import (
    Asked,
    BadSpdy,
    Came,
    Dropped,
    Frame,
    Opened,
    Reader,
    Writer,
    write_data,
    write_go_away,
)

_PORTS: Final = range(1, 65536)
_MOST_STREAMS: Final = 2000  # half as many connections, at once


@dataclass
class _Pair:
    """The two streams of one connection; 0 for one that is yet to come."""

    data: int = 0
    error: int = 0
    connection: PodConnection | None = None


class Tunnel:
    """Carries connections to one pod.

    Args:
        socket: The websocket, open.
        place: Where the pod is.
    """

    def __init__(self, socket: web.WebSocketResponse, place: PodAddress) -> None:
        self._socket = socket
        self._place = place
        self._reader, self._writer = Reader(), Writer()
        self._pairs: dict[str, _Pair] = {}
        self._streams: dict[int, _Pair] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Carry until the client goes or says what is no SPDY."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    for frame in self._reader.read(message.data):
                        await self._handle(frame)
        except BadSpdy:
            await self._send(write_go_away(0))
            await self._socket.close()
        except ConnectionError:
            """The client is gone, and with it all there is to do."""
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, frame: Frame) -> None:
        if isinstance(frame, Asked):
            await self._send(frame.echo)
        elif isinstance(frame, Opened):
            await self._open(frame)
        elif isinstance(frame, Came):
            await self._pass_on(frame)
        elif isinstance(frame, Dropped):
            await self._drop(frame)

    async def _open(self, opened: Opened) -> None:
        headers = opened.headers
        kind, port = headers.get("streamtype", ""), headers.get("port", "")
        if kind not in {"data", "error"} or not (port.isascii() and port.isdecimal()) or int(port[:6]) not in _PORTS:
            raise BadSpdy("a stream that is none of port forwarding")
        if len(self._streams) >= _MOST_STREAMS:
            raise BadSpdy("too many streams at once")
        pair = self._pairs.setdefault(headers.get("requestid", ""), _Pair())
        setattr(pair, kind, opened.stream)
        self._streams[opened.stream] = pair
        await self._send(self._writer.write_reply(opened.stream))
        if pair.data and pair.error:
            self._connect(pair, int(port))
            del self._pairs[headers.get("requestid", "")]

    def _connect(self, pair: _Pair, port: int) -> None:
        async def speak(data: bytes) -> None:
            await self._send(write_data(pair.data, data))

        async def complain(words: bytes) -> None:
            await self._send(write_data(pair.error, words))

        pair.connection = PodConnection(self._place, port, speak=speak, complain=complain)
        task = asyncio.create_task(self._carry(pair, pair.connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, pair: _Pair, connection: PodConnection) -> None:
        try:
            await connection.run()
        finally:
            for stream in (pair.data, pair.error):
                self._streams.pop(stream, None)
        with contextlib.suppress(ConnectionError):
            for stream in (pair.data, pair.error):
                await self._send(write_data(stream, b"", is_last=True))

    async def _pass_on(self, came: Came) -> None:
        pair = self._streams.get(came.stream)
        if pair is None or pair.connection is None or came.stream != pair.data:
            return
        if came.data:
            await pair.connection.send(came.data)
        if came.is_last:
            await pair.connection.end()

    async def _drop(self, dropped: Dropped) -> None:
        pair = self._streams.pop(dropped.stream, None)
        if pair and pair.connection and dropped.stream == pair.data:
            await pair.connection.end()

    async def _send(self, frame: bytes) -> None:
        await self._socket.send_bytes(frame)
