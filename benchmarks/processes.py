"""The parts of a measurement in processes of their own, so that none takes another's processor time for its own."""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing.connection import Connection
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

# Who measures a first import must not find it done.
if TYPE_CHECKING:
    from kfambassador.local.endpoint import GatewayEndpoint

T = TypeVar("T")


@contextmanager
def in_other_process(part: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter a part in a process of its own, and leave it there at the end; gives what the part gives."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_hold, args=(part, there))
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        here.close()
        process.join()


def _hold(part: Callable[[], AbstractContextManager[object]], pipe: Connection) -> None:
    with part() as value:
        pipe.send(value)
        # Nothing is ever sent: the pipe ends when the measurement does, however it does.
        with suppress(EOFError):
            pipe.recv()


@contextmanager
def gateway() -> "Iterator[GatewayEndpoint]":
    """A whole laptop gateway: Kubernetes API, controller and Envoy."""
    from kfambassador.local.stack import LocalStack

    with LocalStack() as stack:
        yield stack.endpoint


@contextmanager
def model_server() -> Iterator[int]:
    """A model server that speaks TensorFlow Serving's paths, with the model ``half_plus_two``; gives its port."""
    from kfambassador.local.models import ModelServer

    with ModelServer() as model:
        yield model.port


@contextmanager
def echo_server() -> Iterator[int]:
    """A backend that answers every request with the path it was asked for; gives its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(_Echo, "127.0.0.1", 0))
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Echo(asyncio.Protocol):
    """Just enough HTTP for requests without a body, one after another on a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            path = request.split(b" ", 2)[1]
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(path), path))
