"""Opening a port for one of the controller's servers."""

from aiohttp import web

from kfambassador.errors import PortInUse


async def listen(runner: web.AppRunner, host: str, port: int, *, called: str) -> web.AppRunner:
    """Begin to answer at a port.

    Args:
        runner: The server.
        host: The address.
        port: The port; 0 takes a free one.
        called: What the port is called in words: ``health``.

    Returns:
        The runner; its ``addresses`` tell the port. The caller cleans it up.

    Raises:
        PortInUse: Another process holds the port.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise PortInUse(f"The {called} port {host}:{port} is taken by another process: {error}") from error
    return runner
