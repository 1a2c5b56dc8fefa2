"""TLS in front of a server of this machine that speaks none itself, as whatever has a cluster's address does."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trustme

HOST = "127.0.0.1"


@contextmanager
def tls_front(port: int, directory: Path) -> Iterator[tuple[str, Path]]:
    """Give the https address of a front before a port of this machine, and the file of the authority it goes by."""
    authority = trustme.CA()
    file = directory / "ca.crt"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = asyncio.run_coroutine_threadsafe(_serve(port, context), loop).result()
    try:
        yield f"https://{HOST}:{running.sockets[0].getsockname()[1]}", file
    finally:
        asyncio.run_coroutine_threadsafe(_stop(running), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(port: int, context: ssl.SSLContext) -> asyncio.Server:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(HOST, port)
        await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))

    return await asyncio.start_server(carry, HOST, 0, ssl=context)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError, asyncio.CancelledError):
        await writer.wait_closed()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
