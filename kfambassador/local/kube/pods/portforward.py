"""Port forwarding: connections to a pod's ports, carried over one websocket.

kubectl carries them in SPDY (:mod:`.tunnels`), other clients in channels (``v4.channel.k8s.io``): each port has two,
for what is sent and received, and for what went wrong. The first byte of a message is its channel; the first message
on each tells its port, in two bytes, the lower first.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import WSMsgType, hdrs, web

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.pods.pod_connections import PodAddress, PodConnection
from kfambassador.local.kube.pods.tunnels import Tunnel

#: The protocols spoken; clients offer them as a websocket's subprotocols.
PROTOCOL: Final = "v4.channel.k8s.io"
TUNNEL: Final = "SPDY/3.1+portforward.k8s.io"

_PORTS: Final = range(1, 65536)
_MOST_PORTS: Final = 100  # channels are numbered in one byte


async def forward(request: web.Request, pod: Document) -> web.StreamResponse:
    """Carry connections to a pod's ports until the client goes or all of them have ended.

    Args:
        request: The request that opens the websocket.
        pod: The pod. Its ``status.podIP`` is connected to where that is an address of this machine.

    Raises:
        StatusError: When the request is none for this protocol.
    """
    offered = [each.strip() for each in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    protocol = TUNNEL if TUNNEL in offered else PROTOCOL
    ports = _read_ports(request.query.getall("ports", [])) if protocol == PROTOCOL else []
    _check_upgrade(request, offered)
    socket = web.WebSocketResponse(protocols=(protocol,))
    await socket.prepare(request)
    if protocol == TUNNEL:
        await Tunnel(socket, PodAddress.of(pod)).run()
    else:
        await _forward_ports(socket, PodAddress.of(pod), ports)
    return socket


async def _forward_ports(socket: web.WebSocketResponse, place: PodAddress, ports: list[int]) -> None:
    forwards = [_Channels(socket, place, port, channel=2 * number) for number, port in enumerate(ports)]
    for each in forwards:
        await each.announce()
    tasks = [asyncio.create_task(each.connection.run()) for each in forwards]
    ending = asyncio.create_task(_close_after(socket, tasks))
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data:
                await _deliver(forwards, message.data)
    finally:
        for task in (ending, *tasks):
            task.cancel()
        await asyncio.gather(ending, *tasks, return_exceptions=True)


async def _deliver(forwards: "Sequence[_Channels]", message: bytes) -> None:
    place, is_error = divmod(message[0], 2)
    if place < len(forwards) and not is_error:
        await forwards[place].connection.send(message[1:])


async def _close_after(socket: web.WebSocketResponse, tasks: "list[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    await socket.close()


class _Channels:
    """The two channels of one port."""

    def __init__(self, socket: web.WebSocketResponse, place: PodAddress, port: int, *, channel: int) -> None:
        self._socket = socket
        self._port = port
        self._data = bytes([channel])
        self._error = bytes([channel + 1])
        self.connection = PodConnection(place, port, speak=self._speak, complain=self._complain)

    async def announce(self) -> None:
        """Tell the port on both channels, as the protocol begins."""
        for channel in (self._data, self._error):
            await self._socket.send_bytes(channel + self._port.to_bytes(2, "little"))

    async def _speak(self, data: bytes) -> None:
        await self._socket.send_bytes(self._data + data)

    async def _complain(self, words: bytes) -> None:
        await self._socket.send_bytes(self._error + words)


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


def _check_upgrade(request: web.Request, offered: list[str]) -> None:
    if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
        raise status.bad_request("you must specify Upgrade: websocket; SPDY is spoken inside a websocket only")
    if not {TUNNEL, PROTOCOL} & set(offered):
        spoken = f"{TUNNEL} and {PROTOCOL}"
        raise status.bad_request(f"no protocol in common: the client speaks {', '.join(offered)}, the server {spoken}")
