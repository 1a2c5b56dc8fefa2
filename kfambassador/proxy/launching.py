"""From settings to a running Envoy: this process turns into the one that watches over it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.errors import ConfigurationError
from kfambassador.proxy.admin import check_socket_path
from kfambassador.proxy.command import LOG_LEVEL, LogLevel, build_command
from kfambassador.proxy.memory import CONTROL_GROUPS, read_memory_limit

#: Share of a container's memory that Envoy's heap may have; the rest is for buffers of the kernel and for this process.
HEAP_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Launch:
    """What is run.

    Attributes:
        binary: Envoy.
        bootstrap: What it is told before it has asked anybody anything.
        drain_time: Seconds between being told to end and ending, whoever is connected.
        min_drain_time: Seconds of these for which it accepts connections in any case.
        concurrency: Worker threads; None leaves it to Envoy.
        log_level: What Envoy logs at.
    """

    binary: Path
    bootstrap: BootstrapSettings
    drain_time: float
    min_drain_time: float
    concurrency: int | None = None
    log_level: LogLevel = LOG_LEVEL

    @property
    def admin_socket(self) -> Path:
        """Where Envoy makes its admin socket."""
        return Path(self.bootstrap.directory / self.bootstrap.admin_socket)

    def command(self) -> list[str]:
        """Write the command line of the process that watches over Envoy.

        Example:
            >>> launch = Launch(Path("/bin/envoy"), BootstrapSettings(Path("/run")), drain_time=30, min_drain_time=5)
            >>> launch.command()[4:8]
            ['kfambassador.proxy.supervisor', '/run/admin.sock', '30', '5']
        """
        # On the command line and not in a file: nothing in it is a secret, and there may be nowhere to write.
        bootstrap = ["--config-yaml", write_bootstrap(self.bootstrap)]
        envoy = build_command(self.binary, bootstrap, concurrency=self.concurrency, log_level=self.log_level)
        watching = [sys.executable, "-I", "-B", "-m", "kfambassador.proxy.supervisor"]
        return [*watching, str(self.admin_socket), f"{self.drain_time:g}", f"{self.min_drain_time:g}", *envoy]


def choose_max_heap(groups: Path = CONTROL_GROUPS) -> int | None:
    """Choose at how many bytes of heap Envoy defends itself: a share of what its container may take.

    Args:
        groups: Where control groups are.

    Returns:
        The bytes; None where there is no limit.

    Example:
        >>> choose_max_heap(Path("/nowhere")) is None
        True
    """
    limit = read_memory_limit(groups)
    return None if limit is None else int(limit * HEAP_SHARE)


def become(launch: Launch) -> NoReturn:
    """Turn this process into the one that runs Envoy.

    Raises:
        ConfigurationError: There is no place for Envoy's admin socket.
    """
    _check_place(launch.admin_socket)
    command = launch.command()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def _check_place(admin: Path) -> None:
    check_socket_path(admin)
    if not _exists(admin.parent):
        raise ConfigurationError(
            f"Envoy cannot make its admin socket {admin}: there is no directory {admin.parent}. Mount one there that "
            "the controller sees too, or name another place with --admin-socket."
        )
    if not os.access(admin.parent, os.W_OK | os.X_OK, effective_ids=True):
        raise ConfigurationError(
            f"Envoy cannot make its admin socket {admin}: user {os.geteuid()} may not write to {admin.parent}. Let the "
            "directory be its own (in a pod: securityContext.fsGroup), or name another place with --admin-socket."
        )


def _exists(directory: Path) -> bool:
    try:
        return directory.is_dir()
    except PermissionError:
        return True
