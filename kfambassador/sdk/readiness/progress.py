"""Showing how far a publication has come while somebody waits: in a terminal, in a notebook, in a log, or not at all.

What is quick shows nothing.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from kfambassador.sdk.readiness.status import ExposureStatus, Phase

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_LIVE_AFTER: Final = 0.4
_LINES_AFTER: Final = 2.0
_FRAMES_A_SECOND: Final = 8.0

#: What a step is called while it is not done.
_WAITING_FOR: Final = {
    "accepted": "waiting until the gateway reads it",
    "programmed": "waiting until every Envoy has it",
    "endpoints": "waiting for endpoints",
    "answering": "waiting for an answer of its own server",
}

Clock = Callable[[], float]


class Progress(Protocol):
    """Shows what is going on while a publication is waited for; give one of your own to show it elsewhere."""

    def show(self, status: ExposureStatus) -> None:
        """Show a status; it is called at every look, also when nothing has changed."""

    def close(self) -> None:
        """End, whatever has happened, Ctrl-C included."""


class Silence:
    """Shows nothing."""

    def show(self, status: ExposureStatus) -> None:
        """Show nothing."""

    def close(self) -> None:
        """End nothing."""


class Lines:
    """One line for each new step, once it takes longer than two seconds: for logs and pipes.

    Args:
        stream: Where to.
        after: Seconds that pass before anything is written.
        clock: Seconds that never go back.
    """

    def __init__(self, stream: TextIO, *, after: float = _LINES_AFTER, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._after = after
        self._clock = clock
        self._started: float | None = None
        self._said = ""

    def show(self, status: ExposureStatus) -> None:
        """Write a line when there is something new to say."""
        now = self._clock()
        self._started = now if self._started is None else self._started
        words = tell_step(status)
        # What has been said of the step before is not said again when only its message flickers.
        if now - self._started < self._after or not words or words == self._said:
            return
        self._said = words
        self._stream.write(f"kfambassador: {status.name}: {words}\n")
        self._stream.flush()

    def close(self) -> None:
        """End; what was written stays."""


class LiveLine:
    """One line that changes in place, for a terminal; it is gone at the end.

    Args:
        stream: The terminal.
        after: Seconds that pass before anything is shown.
        clock: Seconds that never go back.
    """

    def __init__(self, stream: TextIO, *, after: float = _LIVE_AFTER, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._after = after
        self._clock = clock
        self._started: float | None = None
        self._live: Live | None = None

    def show(self, status: ExposureStatus) -> None:
        """Show how far it is, and since when it is waited for."""
        now = self._clock()
        self._started = now if self._started is None else self._started
        if now - self._started < self._after:
            return
        line = _draw_line(status, since=now - self._started)
        if self._live is None:
            self._live = _start_live(self._stream, line)
        else:
            self._live.update(line)

    def close(self) -> None:
        """Take the line away and give the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None


#: Told of a publication that is waited for: its namespace and name, and how far it is; None when the wait is over.
Watcher = Callable[[tuple[str, str], ExposureStatus | None], None]

_WATCHERS: Final[list[Watcher]] = []


class Watched:
    """Shows progress as another does, and tells everybody who watches this process.

    Args:
        shown: Shows it.
    """

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._last: ExposureStatus | None = None

    def show(self, status: ExposureStatus) -> None:
        """Show a status, and tell of it where it is a new one."""
        self._shown.show(status)
        if status != self._last:
            self._last = status
            self._tell(status, status)

    def close(self) -> None:
        """End, and tell once that it is over, also where whoever shows it cannot end."""
        try:
            self._shown.close()
        finally:
            if self._last is not None:
                self._tell(self._last, None)
                self._last = None

    def _tell(self, about: ExposureStatus, status: ExposureStatus | None) -> None:
        for watcher in tuple(_WATCHERS):
            # Whoever watches must not stop what they watch.
            with suppress(Exception):
                watcher((about.namespace, about.name), status)


class _Handle(Protocol):
    """What IPython gives for something that is displayed and may change."""

    def update(self, shown: object) -> None: ...


class NotebookDisplay:
    """The steps ticking off below a cell of a notebook.

    Args:
        after: Seconds that pass before anything is shown.
        clock: Seconds that never go back.
    """

    def __init__(self, *, after: float = _LIVE_AFTER, clock: Clock = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._started: float | None = None
        self._handle: _Handle | None = None
        self._shown: ExposureStatus | None = None

    def show(self, status: ExposureStatus) -> None:
        """Display the steps, or bring them up to date."""
        now = self._clock()
        self._started = now if self._started is None else self._started
        if now - self._started < self._after or status == self._shown:
            return
        self._shown = status
        if self._handle is None:
            # Only ever reached inside IPython, which has imported it.
            self._handle = import_module("IPython.display").display(status, display_id=True)
        else:
            self._handle.update(status)

    def close(self) -> None:
        """Leave the steps as they are."""
        self._handle = None


def watch_progress(watcher: Watcher) -> Callable[[], None]:
    """Be told of every publication that this process waits for, from whichever thread it waits in.

    Args:
        watcher: Told each new status; it must return soon, and what it raises is passed over.

    Returns:
        What ends it.

    Example:
        >>> from kfambassador.sdk.readiness.status import Phase
        >>> stop = watch_progress(lambda place, status: print(place, status))
        >>> shown = Watched(Silence())
        >>> shown.show(ExposureStatus("mnist", "team", Phase.ANSWERING))
        ('team', 'mnist') <ExposureStatus team/mnist Answering>
        >>> shown.close()
        ('team', 'mnist') None
        >>> stop()
    """
    _WATCHERS.append(watcher)

    def end() -> None:
        with suppress(ValueError):
            _WATCHERS.remove(watcher)

    return end


def choose_progress(*, quiet: bool = False, stream: TextIO | None = None) -> Progress:
    """Choose how to show progress here: in a notebook, a terminal or a log.

    Args:
        quiet: Show nothing.
        stream: Where to; None means standard error.

    Example:
        >>> type(choose_progress(quiet=True)).__name__
        'Silence'
    """
    if quiet:
        return Silence()
    if is_notebook():
        return NotebookDisplay()
    where = sys.stderr if stream is None else stream
    return LiveLine(where) if where.isatty() and not _is_dumb() else Lines(where)


def is_notebook() -> bool:
    """Whether this runs in a notebook's kernel. IPython is never imported for that."""
    module = sys.modules.get("IPython")
    get_shell = getattr(module, "get_ipython", None)
    return get_shell is not None and getattr(get_shell(), "kernel", None) is not None


def tell_step(status: ExposureStatus) -> str:
    """Say what is waited for, or what has ended it; "" when it answers.

    Example:
        >>> from kfambassador.sdk.readiness.status import Step
        >>> steps = (Step("accepted", done=True), Step("programmed", done=False, message="no Envoy is connected"))
        >>> tell_step(ExposureStatus("mnist", "team", Phase.ACCEPTED, steps))
        'waiting until every Envoy has it: no Envoy is connected'
    """
    step = status.next_step
    if status.phase is Phase.ANSWERING or step is None:
        return ""
    words = _WAITING_FOR.get(step.name, step.name)
    why = status.cause.partition("\n")[0] or step.message or status.message
    if status.is_failure:
        return f"{status.phase}: {status.message}"
    return f"{words}: {why}" if why else words


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in {"", "dumb"}


def _draw_line(status: ExposureStatus, *, since: float) -> "Table":
    from rich.spinner import Spinner
    from rich.table import Table
    from rich.text import Text

    ticks = " ".join(f"{step.name} ✓" for step in status.steps if step.done)
    line = Text(f"{status.name}: {ticks + ' ' if ticks else ''}{tell_step(status)}", no_wrap=True, overflow="ellipsis")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True)
    grid.add_row(Spinner("dots"), line, f"{since:.0f} s")
    return grid


def _start_live(stream: TextIO, line: "Table") -> "Live":
    from rich.console import Console
    from rich.live import Live

    live = Live(line, console=Console(file=stream), transient=True, refresh_per_second=_FRAMES_A_SECOND)
    live.start(refresh=True)
    return live
