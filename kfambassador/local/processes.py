"""Processes of this machine, told apart from others that get their number later."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

#: Fields of /proc/PID/stat, counted from the one behind the program's name: the state, and the time of the start.
_STATE, _STARTED = 0, 19


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    Attributes:
        pid: Its number.
        started: When it started, in whatever way the system says it; without spaces.

    Example:
        >>> process = Process.current()
        >>> process.pid == os.getpid(), process.is_alive, Process.read(str(process)) == process
        (True, True, True)
    """

    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.pid}-{self.started}"

    @classmethod
    def current(cls) -> Self:
        """The process that asks."""
        return cls(os.getpid(), _tell_start(os.getpid()) or "unknown")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what ``str`` wrote; None when the text is something else."""
        pid, _, started = text.partition("-")
        return cls(int(pid), started) if pid.isdecimal() and started else None

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return _tell_start(self.pid) == self.started


def _tell_start(pid: int) -> str | None:
    """When the process that has a number now started; None when there is none, or only its exit code is left."""
    return _read_start(pid) if sys.platform == "linux" else _ask_start(pid)


def _read_start(pid: int) -> str | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The program's name stands in parentheses and may hold anything, parentheses too.
    fields = status.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else fields[_STARTED]


def _ask_start(pid: int) -> str | None:
    answer = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False, text=True, env={"LC_ALL": "C"}
    )
    return "_".join(answer.stdout.split()) or None
