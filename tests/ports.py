"""Ports for servers that cannot choose one for themselves."""

import os
import random
import socket
from contextlib import suppress

#: Systems give these to nobody by themselves: whoever connects, or asks for any port, gets one above them.
_QUIET = range(18_000, 30_000)
#: Workers of one run are often seeded alike.
_CHOOSE = random.SystemRandom().choice
#: Each worker of a run has ports of its own: what one has found and not taken yet, no other can find.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_given: set[int] = set()


def free_port(address: str = "127.0.0.1", *, among: range = _QUIET) -> int:
    """A port nobody has now, that nobody gets by chance before it is taken, and that is given once."""
    while True:
        port = _CHOOSE(among)
        if port in _given or port % _WORKERS != _WORKER:
            continue
        with suppress(OSError), socket.socket() as probe:
            probe.bind((address, port))
            _given.add(port)
            return port
