"""The process of the shared gateway: ``python -m kfambassador.local.daemon_process DIRECTORY LOCK REPORT ORDERS``.

Only :mod:`kfambassador.local.daemon` starts it. It lives apart from whoever started it: with a session of its own, and
with nobody's terminal.
"""

import json
import logging
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, Self

from kfambassador.errors import KfAmbassadorError
from kfambassador.local.announcing import announce, retract
from kfambassador.local.idleness import Idleness
from kfambassador.local.leases import sweep_leases
from kfambassador.local.lock import GatewayLock
from kfambassador.local.runtime_directory import RuntimeDirectory
from kfambassador.local.stack import LocalStack

_log = logging.getLogger("kfambassador.local.daemon")

#: How often, in seconds, it is looked whether anybody uses the gateway; for a short time without use more often.
LOOK_EVERY: Final = 15.0

_ENDS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is told to be.

    Attributes:
        http_port: Where models answer; 0 takes a free port.
        api_port: Where the Kubernetes API answers; 0 takes that of the last time or a free one.
        state: The directory that keeps all objects; None keeps them in memory.
        idle_timeout: Seconds without use after which it ends.

    Example:
        >>> orders = Orders(http_port=0, api_port=0, state=Path("/data"), idle_timeout=60)
        >>> Orders.read(orders.write()) == orders
        True
    """

    http_port: int
    api_port: int
    state: Path | None
    idle_timeout: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what ``write`` wrote."""
        http_port, api_port, state, idle_timeout = json.loads(text)
        return cls(http_port, api_port, None if state is None else Path(state), idle_timeout)

    def write(self) -> str:
        """Write them as one argument."""
        return json.dumps([self.http_port, self.api_port, self.state, self.idle_timeout], default=str)


@dataclass(frozen=True, slots=True)
class Report:
    """Tells whoever started this process how the start goes, in lines of JSON; the last says how it ended."""

    descriptor: int

    def tell(self, words: str) -> None:
        """Tell what is done next."""
        self._write({"progress": words})

    def end(self, error: KfAmbassadorError | None = None) -> None:
        """Tell that the gateway is ready, or why there will be none."""
        self._write({"ready": True} if error is None else {"error": type(error).__name__, "message": str(error)})
        os.close(self.descriptor)

    def _write(self, line: dict[str, object]) -> None:
        # Whoever started this process may have ended; the gateway is for others too.
        with suppress(BrokenPipeError):
            os.write(self.descriptor, json.dumps(line).encode() + b"\n")


class Told(BaseException):
    """A signal told this process to end."""


def main(runtime: RuntimeDirectory, lock: GatewayLock, report: Report, *, orders: Orders) -> int:
    """Be the shared gateway until nobody uses it any more or a signal says so; answer with the exit code."""
    lock.sign()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        with _wakeful() as sleep:
            _live(runtime, report, orders, sleep)
    except KfAmbassadorError as error:
        _log.error("%s", error)
        report.end(error)
        return 1
    except Told:
        _log.info("Told to end.")
    return 0


@contextmanager
def _wakeful() -> Iterator[Callable[[float], None]]:
    """Give a sleep that a signal to end does not let come to its end: also one that came before the sleep began.

    Nothing but a sleep is broken off. A handler that raises does so in the middle of anything, of what puts things in
    order at the end too, and Python drops what is raised while an object is being cleaned up.
    """
    awaited, sending = socket.socketpair()
    with awaited, sending:
        sending.setblocking(False)  # noqa: FBT003 - the name is the library's
        before = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
        for number in _ENDS:
            signal.signal(number, _leave_to_sleep)
        try:
            yield lambda seconds: _wait_for(awaited, seconds)
        finally:
            signal.set_wakeup_fd(before)


def _wait_for(awaited: socket.socket, seconds: float) -> None:
    # What it holds stays: a process that was told to end needs no further sleep.
    told, _, _ = select.select([awaited], [], [], seconds)
    if told:
        raise Told


def _live(runtime: RuntimeDirectory, report: Report, orders: Orders, sleep: Callable[[float], None]) -> None:
    with _empty_directory(runtime.envoy), ExitStack() as parts:
        stack = LocalStack(
            http_port=orders.http_port, api_port=orders.api_port, state=orders.state, directory=runtime.envoy
        )
        parts.callback(stack.close)
        stack.start(partial(_take_step, report, sleep))
        # From here on a crash leaves the file, and who comes next learns from it what to go on with.
        parts.callback(retract, runtime)
        announce(runtime, stack.endpoint)
        report.end()
        _log.info("Ready at %s", stack.endpoint.url)
        _wait_until_idle(stack, runtime, sleep, timeout=orders.idle_timeout)


def _take_step(report: Report, sleep: Callable[[float], None], words: str) -> None:
    """Tell what is done next; instead, be done with it when told to end."""
    sleep(0)
    report.tell(words)


@contextmanager
def _empty_directory(path: Path) -> Iterator[None]:
    """Make a private directory, without what a crash left in it; it is gone afterwards."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(path)


def _wait_until_idle(
    stack: LocalStack, runtime: RuntimeDirectory, sleep: Callable[[float], None], *, timeout: float
) -> None:
    idleness = Idleness(limit=timeout, now=time.monotonic())
    while not idleness.is_over(time.monotonic()):
        sleep(min(LOOK_EVERY, timeout / 4))
        leased = sweep_leases(runtime.leases)
        idleness.note(time.monotonic(), leased=leased, activity=stack.activity())
    _log.info("Nobody has used the gateway for %g s: it ends.", timeout)


def _leave_to_sleep(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the sleep hears of the signal by itself, but of none that has no handler."""


if __name__ == "__main__":
    # A child of nobody: whoever started it has no exit code to wait for.
    if os.fork() == 0:
        os.chdir("/")
        _directory, _lock, _report, _orders = sys.argv[1:]
        sys.exit(
            main(
                RuntimeDirectory(Path(_directory)),
                GatewayLock(int(_lock)),
                Report(int(_report)),
                orders=Orders.read(_orders),
            )
        )
