"""Ports for servers that cannot choose one for themselves."""

import random
import socket
from contextlib import suppress

#: Systems give these to nobody by themselves: whoever connects, or asks for any port, gets one above them.
_QUIET = range(18_000, 30_000)
#: Workers of one run are often seeded alike.
_CHOOSE = random.SystemRandom().choice


def free_port(address: str = "127.0.0.1") -> int:
    """A port nobody has now, and that nobody gets by chance before it is taken."""
    while True:
        port = _CHOOSE(_QUIET)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((address, port))
            return port
