"""The command line of Envoy, as every Envoy of ours is run."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Final


class LogLevel(StrEnum):
    """The levels Envoy logs at, from the most talkative."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"
    OFF = "off"


#: What it logs at when nothing is said: at "info" it tells of every change of clusters.
LOG_LEVEL: Final = LogLevel.WARNING


def build_command(
    binary: PurePath, configuration: Sequence[str], *, concurrency: int | None = None, log_level: LogLevel = LOG_LEVEL
) -> list[str]:
    """Write the command line.

    Args:
        binary: The program.
        configuration: The option that gives it its bootstrap.
        concurrency: Worker threads; None leaves it to Envoy: one for each processor it may use, in a container too.
        log_level: What it logs at.

    Example:
        >>> build_command(PurePath("/bin/envoy"), ["--config-path", "envoy.json"], concurrency=2)[:3]
        ['/bin/envoy', '--config-path', 'envoy.json']
    """
    workers = [] if concurrency is None else ["--concurrency", str(concurrency)]
    # What our own control plane sends is built for this very Envoy. Looking it through for fields it might not know
    # takes a third of the time of a change of routes.
    quiet = ["--log-level", log_level, "--disable-hot-restart", "--ignore-unknown-dynamic-fields"]
    return [str(binary), *configuration, *workers, *quiet]
