"""TCP ports of this machine: which are free, and what to say of one that is not."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kfambassador.errors import ConfigurationError, PortInUse


def check_port(address: str, port: int) -> None:
    """Make sure that a server could listen here, before anything is started.

    Raises:
        PortInUse: Another process listens here.
        ConfigurationError: The address is not this machine's, or the port is not this user's to take.
    """
    try:
        _bound(address, port).close()
    except OSError as error:
        raise refusal(address, port, error=error) from error


@contextmanager
def reserved_port(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Keep a port for a server that will listen on it, now and whenever it is started anew.

    As long as it is kept, Linux gives it to nobody who asks for any free port. A server takes it as it would any other,
    if it sets SO_REUSEADDR as servers do. Other systems do not allow that: there the port is only said to be free.

    Args:
        address: The IP address.
        port: The port; 0 takes a free one.

    Raises:
        PortInUse: Another process listens here.
        ConfigurationError: The address is not this machine's, or the port is not this user's to take.

    Example:
        >>> with reserved_port() as port, socket.create_server(("127.0.0.1", port)) as server:
        ...     server.getsockname()[1] == port
        True
    """
    try:
        kept = _bound(address, port)
    except OSError as error:
        raise refusal(address, port, error=error) from error
    with kept:
        port = kept.getsockname()[1]
        if sys.platform != "linux":
            kept.close()
        yield port


def refusal(address: str, port: int, *, error: OSError, option: str = "--http-port") -> ConfigurationError:
    """Say in plain words why a server cannot listen here.

    Args:
        address: The IP address.
        port: The port.
        error: What the system said.
        option: The command's option that names another port.

    Example:
        >>> print(refusal("127.0.0.1", 8080, error=OSError(errno.EADDRINUSE, "Address already in use")))
        Port 8080 on 127.0.0.1 is in use by another process. Choose another with --http-port N; 0 takes any free one.
    """
    if error.errno == errno.EADDRINUSE:
        return PortInUse(
            f"Port {port} on {address} is in use by another process. "
            f"Choose another with {option} N; 0 takes any free one."
        )
    return ConfigurationError(f"Cannot listen on port {port} of {address}: {error.strerror}.")


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    probe = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As servers do: a port whose last connections still linger (TIME_WAIT) is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
    except OSError:
        probe.close()
        raise
    return probe
