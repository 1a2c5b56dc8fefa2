"""Programs of a gateway as processes of their own: started, killed, frozen, thawed and weighed."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

#: Seconds a test waits for what has to happen; nothing is judged by how much of them it takes.
PATIENCE: Final = 180.0

#: The checkout: programs among the tests are run from here.
ROOT: Final = Path(__file__).parents[2]

_LAST_WORDS: Final = 4000
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


class Program:
    """One process, killed at the end of a ``with`` block.

    Args:
        command: What to run.
        log: Where it writes what it has to say; kept from one start to the next.
        environment: Variables it has beside this process's own.

    Attributes:
        process: The process.
    """

    def __init__(self, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self.kill()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it as ``kill -9`` does: it gets to do nothing more."""
        if self.is_running:
            self.process.kill()
        self.process.wait()

    def tell_to_end(self) -> None:
        """Tell it to end, as a kubelet does."""
        self.process.terminate()

    def wait(self) -> int:
        """Wait until it has ended; give its exit code."""
        return self.process.wait(timeout=PATIENCE)

    def freeze(self) -> None:
        """Let it do nothing while its connections stay open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self.is_running:
            self.process.send_signal(signal.SIGCONT)

    def resident(self) -> int:
        """The memory it holds, in MB; on Linux."""
        return resident(self.process.pid)

    def only_child(self) -> int:
        """The process id of its child; on Linux."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        [child] = task.read_text().split()
        return int(child)

    def words(self) -> str:
        """What it said last."""
        return self.log.read_text(errors="replace")[-_LAST_WORDS:]

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something holds that cannot come true without this process; see :func:`until`."""
        until(lambda: not self.is_running or condition(), what, tell=self.words)
        assert self.is_running, f"it ended with {self.process.returncode}:\n{self.words()}"


def resident(process: int) -> int:
    """The memory a process holds, in MB; on Linux."""
    found = _RESIDENT.search(Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def until(condition: Callable[[], bool], what: str, *, tell: Callable[[], str] = lambda: "") -> None:
    """Wait until something holds that is only to be had by asking.

    Args:
        condition: Tells whether it holds.
        what: What is waited for, in words.
        tell: More words, should it not come true.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in {PATIENCE:g} s it did not happen that {what}\n{tell()}"
        time.sleep(0.02)
