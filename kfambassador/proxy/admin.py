"""Envoy's admin, asked over its Unix socket: how Envoy is, who is connected, and that it should drain."""

import json
import os
import socket
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from kfambassador.errors import ConfigurationError

#: The longest path of a Unix socket, in bytes, on the system that allows least (macOS; Linux allows 107).
LONGEST_SOCKET_PATH: Final = 103

# The gateway's own listener by the name under which Envoy counts it: this very question is a connection to the admin,
# and a probe is one to another listener.
_ACTIVE: Final = r"/stats?filter=^http\.http\.downstream_{}_active$"


def check_socket_path(path: Path) -> None:
    """Refuse a path at which no Unix socket can be.

    Raises:
        ConfigurationError: It is too long.

    Example:
        >>> check_socket_path(Path("/run/kfambassador/admin.sock"))
    """
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH:
        raise ConfigurationError(
            f"The path {path.parent} is too long: a Unix socket in it may have {LONGEST_SOCKET_PATH} bytes, "
            f"{path.name} would have {length}. Choose a shorter directory."
        )


class EnvoyAdmin:
    """The admin of one Envoy.

    Args:
        path: Its Unix socket.
        patience: Seconds it has for an answer; its main thread may be busy with a large table.
    """

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        self._path = path
        self._patience = patience

    def ask(self, path: str, *, method: str = "GET", timeout: float | None = None) -> str:
        """Ask for a path, and return the answer's text.

        Args:
            path: Path and query.
            method: The method.
            timeout: Seconds it has for this answer, instead of the usual ones.

        Raises:
            OSError: Nobody answers in time, or the answer is not 200.
        """
        connection = _UnixConnection(self._path, timeout=self._patience if timeout is None else timeout)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            text = answer.read().decode()
        except HTTPException as error:
            raise ConnectionError(f"Envoy's admin broke off its answer to {path}") from error
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004 - HTTP's word for success
            raise ConnectionError(f"Envoy's admin answered {answer.status} to {path}: {text.strip()}")
        return text

    def read_state(self) -> str:
        """Read Envoy's state: PRE_INITIALIZING or INITIALIZING until it was told what to serve, LIVE, or DRAINING.

        Raises:
            OSError: Envoy does not answer.
        """
        return str(json.loads(self.ask("/server_info"))["state"])

    def is_live(self) -> bool:
        """Whether Envoy serves: it answers, was told what to serve, and does not drain."""
        try:
            return self.read_state() == "LIVE"
        except OSError:
            return False

    def begin_drain(self) -> None:
        """Answer probes with 503, and close each connection with its next answer. New ones are still accepted.

        Raises:
            OSError: Envoy does not answer.
        """
        self.ask("/healthcheck/fail", method="POST")
        self.ask("/drain_listeners?graceful&skip_exit", method="POST")

    def count_requests(self) -> int:
        """How many requests of the gateway's clients are in flight.

        Raises:
            OSError: Envoy does not answer.
        """
        return self._count("rq")

    def count_connections(self) -> int:
        """How many connections the gateway's clients have, used or not.

        Raises:
            OSError: Envoy does not answer.
        """
        return self._count("cx")

    def _count(self, what: str) -> int:
        found = self.ask(_ACTIVE.format(what)).splitlines()
        return sum(int(line.rpartition(":")[2]) for line in found)


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
