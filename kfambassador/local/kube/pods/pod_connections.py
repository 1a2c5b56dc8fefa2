"""Connections to a pod's port, whatever carries them to the client."""

import asyncio
import contextlib
import ipaddress
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

from kfambassador.local.kube.documents.document import Document, metadata_of, name_of

_CHUNK: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0

#: Passes bytes on to the client.
Send = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PodAddress:
    """Where a pod is.

    Attributes:
        address: Its IP address, "" when nothing of it runs.
        pod: What it is called in messages.
    """

    address: str
    pod: str

    @classmethod
    def of(cls, pod: Document) -> Self:
        """Read it from the pod."""
        metadata = metadata_of(pod)
        address = str((pod.get("status") or {}).get("podIP") or "")
        return cls(address, f"{name_of(pod)}_{metadata['namespace']}, uid {metadata['uid']}")


class PodConnection:
    """A connection to a port of a pod.

    Args:
        place: Where the pod is; only addresses of this machine are connected to.
        port: The port.
        speak: Passes on what the pod says.
        complain: Passes on what went wrong.
    """

    def __init__(self, place: PodAddress, port: int, *, speak: Send, complain: Send) -> None:
        self._place = place
        self._port = port
        self._speak = speak
        self._complain = complain
        self._writer: asyncio.Future[asyncio.StreamWriter | None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Connect, and pass on what comes from the pod until it ends."""
        writer: asyncio.StreamWriter | None = None
        try:
            _check_address(self._place.address)
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(self._place.address, self._port)
            self._writer.set_result(writer)
            while data := await reader.read(_CHUNK):
                await self._speak(data)
        except (OSError, ValueError) as error:
            words = f"error forwarding port {self._port} to pod {self._place.pod}: {_explain(error)}"
            with contextlib.suppress(ConnectionError):
                await self._complain(words.encode())
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

    async def end(self) -> None:
        """Tell the pod that the client says no more."""
        writer = await self._writer
        if writer and not writer.is_closing():
            with contextlib.suppress(OSError):
                writer.write_eof()


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
