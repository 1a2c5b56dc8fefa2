"""Port forwarding: connections to a pod's ports, carried over one websocket (``v4.channel.k8s.io``).

Each port has two channels: what is sent and received, and what went wrong. The first byte of a message is its channel;
the first message on each tells its port, in two bytes, the lower first.
"""

import asyncio
import contextlib
import ipaddress
import os
from collections.abc import Sequence
from typing import Final

from aiohttp import WSMsgType, hdrs, web

from kfambassador.local.kube import status
from kfambassador.local.kube.documents import Document, metadata_of, name_of

#: The protocol spoken; clients offer it as a websocket's subprotocol.
PROTOCOL: Final = "v4.channel.k8s.io"

_PORTS: Final = range(1, 65536)
_MOST_PORTS: Final = 100  # channels are numbered in one byte
_CHUNK: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0


async def forward(request: web.Request, pod: Document) -> web.StreamResponse:
    """Carry connections to a pod's ports until the client goes or all of them have ended.

    Args:
        request: The request that opens the websocket.
        pod: The pod. Its ``status.podIP`` is connected to where that is an address of this machine.

    Raises:
        StatusError: When the request is none for this protocol, or the pod does not run.
    """
    ports = _read_ports(request.query.getall("ports", []))
    _check_upgrade(request)
    address = str((pod.get("status") or {}).get("podIP") or "")
    metadata = metadata_of(pod)
    identity = f"{name_of(pod)}_{metadata['namespace']}, uid {metadata['uid']}"
    socket = web.WebSocketResponse(protocols=(PROTOCOL,))
    await socket.prepare(request)
    forwards = [_Forward(socket, address, port, channel=2 * place, pod=identity) for place, port in enumerate(ports)]
    for each in forwards:
        await each.announce()
    tasks = [asyncio.create_task(each.run()) for each in forwards]
    ending = asyncio.create_task(_close_after(socket, tasks))
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data:
                await _deliver(forwards, message.data)
    finally:
        for task in (ending, *tasks):
            task.cancel()
        await asyncio.gather(ending, *tasks, return_exceptions=True)
    return socket


async def _deliver(forwards: "Sequence[_Forward]", message: bytes) -> None:
    place, is_error = divmod(message[0], 2)
    if place < len(forwards) and not is_error:
        await forwards[place].send(message[1:])


async def _close_after(socket: web.WebSocketResponse, tasks: "list[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    await socket.close()


class _Forward:
    def __init__(self, socket: web.WebSocketResponse, address: str, port: int, *, channel: int, pod: str) -> None:
        self._socket = socket
        self._address = address
        self._port = port
        self._pod = pod
        self._data = bytes([channel])
        self._error = bytes([channel + 1])
        self._writer: asyncio.Future[asyncio.StreamWriter | None] = asyncio.get_running_loop().create_future()

    async def announce(self) -> None:
        """Tell the port on both channels, as the protocol begins."""
        for channel in (self._data, self._error):
            await self._socket.send_bytes(channel + self._port.to_bytes(2, "little"))

    async def run(self) -> None:
        """Connect, and pass on what comes from the pod until it ends."""
        writer: asyncio.StreamWriter | None = None
        try:
            _check_address(self._address)
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(self._address, self._port)
            self._writer.set_result(writer)
            while data := await reader.read(_CHUNK):
                await self._socket.send_bytes(self._data + data)
        except (OSError, ValueError) as error:
            await self._tell(_explain(error))
        finally:
            if not self._writer.done():
                self._writer.set_result(None)
            if writer:
                writer.close()

    async def send(self, data: bytes) -> None:
        """Pass on what comes from the client; what comes after the end is dropped."""
        writer = await self._writer
        if writer is None or writer.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()

    async def _tell(self, because: str) -> None:
        words = f"error forwarding port {self._port} to pod {self._pod}: {because}"
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(self._error + words.encode())


def _check_address(address: str) -> None:
    if not address:
        message = "the pod has no status.podIP: nothing of it runs yet"
        raise ValueError(message)
    if not ipaddress.ip_address(address).is_loopback:
        message = f"its status.podIP {address} is not on this machine; this server reaches loopback addresses only"
        raise ValueError(message)


def _explain(error: OSError | ValueError) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_CONNECT_SECONDS:g} seconds"
    return f"connect: {os.strerror(error.errno).lower()}" if isinstance(error, OSError) and error.errno else str(error)


def _read_ports(given: Sequence[str]) -> list[int]:
    # Official clients write several ports with commas; the parameter may be repeated too.
    texts = [text for one in given for text in one.split(",")]
    if not any(texts):
        raise status.bad_request('query parameter "ports" is required')
    for text in texts:
        if not (text.isascii() and text.isdecimal()) or int(text[:6]) not in _PORTS:
            raise status.bad_request(f'ports: Invalid value: "{text}": must be a port between 1 and 65535')
    if len(texts) > _MOST_PORTS:
        raise status.bad_request(f"ports: at most {_MOST_PORTS} ports may be forwarded at once")
    return [int(text) for text in texts]


def _check_upgrade(request: web.Request) -> None:
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise status.bad_request("you must specify Upgrade: websocket; SPDY is not spoken here")
    offered = [each.strip() for each in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    if PROTOCOL not in offered:
        raise status.bad_request(
            f"no protocol in common: the client speaks {', '.join(offered)}, the server {PROTOCOL}"
        )
