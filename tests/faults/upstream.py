"""A model server: ``python -m tests.faults.upstream ADDRESS PORT NAME``; answers every request with its name."""

import asyncio
import sys


class _Model(asyncio.Protocol):
    """Just enough HTTP for requests without a body, one after another on connections that stay open."""

    def __init__(self, name: bytes) -> None:
        self._answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(name), name)
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(self._answer * len(requests))


async def main(address: str, port: str, name: str) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: _Model(name.encode()), address, int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
