"""The process that runs Envoy in a container, watches over it and ends it in good order.

    python -I -B -m kfambassador.proxy.supervisor ADMIN_SOCKET DRAIN_TIME MIN_DRAIN_TIME COMMAND...

It is what ``kfambassador envoy`` turns into once it knows what to run: with little more than the standard library it
takes a quarter of the memory, for as long as Envoy lives.

SIGTERM, SIGINT and SIGHUP let Envoy drain; a second one ends it at once. As the first process of a container it also
takes in the exit codes of orphans, which nobody else would. Should this process be killed, Linux ends Envoy (macOS does
not). The exit code is Envoy's, or 128 and its signal's number, as a shell would say it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

from kfambassador.proxy.admin import EnvoyAdmin
from kfambassador.proxy.guard import CANNOT_RUN, ENDS, as_shells_say, listen_for_signals, start_bound

#: Seconds between two looks at whether anybody is still connected.
LOOK_EVERY: Final = 0.25

#: Seconds Envoy has for an answer: who says a second time that it should end must not wait longer.
PATIENCE: Final = 2.0

#: Seconds Envoy has between being told to end and being made to.
END_GRACE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a drain takes, in seconds.

    Attributes:
        longest: After so long Envoy ends, whoever is connected.
        shortest: For so long it goes on accepting connections, even if there are none: the cluster takes a while to
            learn that it ends, and sends it new ones until then.
    """

    longest: float
    shortest: float


class Event(Enum):
    """What was waited for."""

    TIME = auto()
    TOLD = auto()
    ENDED = auto()


class Watch:
    """Waits for Envoy's end, for a signal or for time to pass, and leaves no dead child behind.

    Args:
        envoy: The process, just started.
        signals: Where :func:`kfambassador.proxy.guard.listen_for_signals` writes them.
    """

    def __init__(self, envoy: "subprocess.Popen[bytes]", signals: int) -> None:
        self._envoy = envoy
        self._signals = signals
        self._told = 0

    def wait(self, timeout: float | None = None) -> Event:
        """Wait until something happens.

        Args:
            timeout: Seconds; None waits as long as it takes.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._reap()
            if self._envoy.returncode is not None:
                return Event.ENDED
            if self._told:
                self._told -= 1
                return Event.TOLD
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([self._signals], [], [], left)
            if not readable:
                return Event.TIME
            self._told += sum(number in ENDS for number in os.read(self._signals, 64))

    def end(self) -> int:
        """End Envoy: tell it, then make it. Signals are late now.

        Returns:
            Its exit code.
        """
        self._envoy.terminate()
        deadline = time.monotonic() + END_GRACE
        while (left := deadline - time.monotonic()) > 0 and self.wait(left) is not Event.ENDED:
            pass
        if self._envoy.returncode is None:
            self._envoy.kill()
            while self.wait() is not Event.ENDED:
                pass
        return self.code

    @property
    def code(self) -> int:
        """Envoy's exit code, once it has ended; minus the number of the signal that ended it."""
        assert self._envoy.returncode is not None  # noqa: S101 - Event.ENDED says so
        return self._envoy.returncode

    def _reap(self) -> None:
        # Any child's, not only Envoy's: whoever is the first process of a container inherits all orphans.
        with suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == 0:
                    return
                if child == self._envoy.pid:
                    self._envoy.returncode = os.waitstatus_to_exitcode(status)


def main(admin: EnvoyAdmin, patience: Patience, command: Sequence[str]) -> int:
    """Run Envoy until it ends or a signal says so; answer with the exit code."""
    signals = listen_for_signals()
    try:
        envoy = start_bound(command)
    except OSError as error:
        _say(f"Cannot run {command[0]}: {error.strerror}")
        return CANNOT_RUN
    watch = Watch(envoy, signals)
    if watch.wait() is Event.TOLD and _drain(admin, patience, watch) is not Event.ENDED:
        return as_shells_say(watch.end())
    _say(f"Envoy has ended by itself, {_tell_end(watch.code)}. Its own words, if any, stand above.")
    return as_shells_say(watch.code)


def _drain(admin: EnvoyAdmin, patience: Patience, watch: Watch) -> Event:
    """Let clients go elsewhere; return when none is connected, when time is up, or when something happens."""
    begin = time.monotonic()
    if not _has_clients(admin):
        _say("Envoy ends at once: it was not ready, so it has no clients.")
        return Event.TIME
    _say(f"Envoy ends when its clients have left, in {patience.longest:g} s at the latest.")
    # An Envoy that is too busy to answer has its time all the same.
    with suppress(OSError):
        admin.begin_drain()
    while (gone := time.monotonic() - begin) < patience.longest:
        event = watch.wait(LOOK_EVERY)
        if event is not Event.TIME:
            return event
        if gone >= patience.shortest and _nobody_is_connected(admin):
            break
    return Event.TIME


def _has_clients(admin: EnvoyAdmin) -> bool:
    """Whether there may be any: an Envoy that was not told yet what to serve accepts no connections."""
    try:
        return not admin.read_state().endswith("INITIALIZING")
    except TimeoutError:
        # It is busy. Those who wait for it are not to be cut off for that.
        return True
    except OSError:
        return False


def _nobody_is_connected(admin: EnvoyAdmin) -> bool:
    try:
        return admin.count_connections() == 0
    except OSError:
        return False


def _tell_end(code: int) -> str:
    return f"with exit code {code}" if code >= 0 else f"by signal {-code} ({signal.Signals(-code).name})"


def _say(words: str) -> None:
    # Nobody may be there to read it, and that is no reason to end badly.
    with suppress(OSError):
        sys.stderr.write(f"kfambassador envoy: {words}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    _admin, _longest, _shortest, *_command = sys.argv[1:]
    sys.exit(
        main(
            EnvoyAdmin(Path(_admin), patience=PATIENCE),
            Patience(longest=float(_longest), shortest=float(_shortest)),
            _command,
        )
    )
