"""A server in a thread of its own: it ends with all its connections, whenever they came."""

import gc
import socket
from contextlib import suppress
from threading import Event, Thread

from aiohttp import web

from kfambassador.local.background import BackgroundServer


def test_what_connects_in_the_last_moment_is_closed_too() -> None:
    # What is left open warns when it is collected, and warnings are errors.
    for _ in range(20):
        server = BackgroundServer(web.Application())
        server.start()
        ended, knocked = Event(), Event()

        def knock(port: int = server.port, ended: Event = ended, knocked: Event = knocked) -> None:
            while not ended.is_set():
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    knocked.set()

        caller = Thread(target=knock)
        caller.start()
        assert knocked.wait(10)
        server.stop()
        ended.set()
        caller.join()
        gc.collect()
