"""Those who are told what a controller does, and do something of their own about it: write statuses, count, log.

None of them decides what is served, and none can hinder it: what one raises is logged and goes no further.
"""

import logging
from collections.abc import Callable, Iterable

from kfambassador.controller.state import Work
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.kube.reflector import News
from kfambassador.problems import Problem
from kfambassador.xds.session import NodeStatus

_log = logging.getLogger(__name__)


class Observer:
    """Told what a controller does. Does nothing about it itself: a subclass answers to what it cares for.

    All methods but ``stop`` are called in the event loop's thread, so they must be quick; what takes longer is for a
    thread of the observer's own.
    """

    def start(self) -> None:
        """The controller starts: begin whatever runs beside it. Must return at once."""

    def stop(self) -> None:
        """The controller stops: end it. Called in a thread of its own, and may take a moment."""

    def see(self, news: News) -> None:
        """The cluster said something."""

    def note_due(self) -> None:
        """Something happened for which a generation is due."""

    def note_begun(self) -> None:
        """A generation is being compiled, of all that happened until now."""

    def note_compiled(self, before: Work, now: Work, *, seconds: float) -> None:
        """A generation was compiled and is being served.

        Args:
            before: The generation before it.
            now: The generation.
            seconds: How long it took to compile and translate.
        """

    def note_failed(self, generation: int, error: Exception) -> None:
        """A generation could not be compiled, for a fault of our own; the one before it goes on being served."""

    def note_status(self, status: NodeStatus) -> None:
        """An Envoy acknowledged a generation, refused one, or went away."""

    def problems(self) -> tuple[Problem, ...]:
        """Give what keeps the observer itself from its work, to be told with all other problems."""
        return ()

    def note_acknowledged(self, snapshot: Snapshot) -> None:
        """Every connected Envoy acknowledged a snapshot; told once of each, and of none older than one told before."""

    def report(self, work: Work, served: int | None) -> None:
        """Anything of the above happened; called after it.

        Args:
            work: The newest generation.
            served: The newest generation that every connected Envoy acknowledged; None when there is none.
        """


class Observers(Observer):
    """Tells several observers, one after the other.

    Args:
        observers: Whom.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def start(self) -> None:
        """See :meth:`Observer.start`."""
        self._tell(lambda each: each.start())

    def stop(self) -> None:
        """Stop them, the last one first; see :meth:`Observer.stop`."""
        for observer in reversed(self._observers):
            _tell(observer, lambda each: each.stop())

    def see(self, news: News) -> None:
        """See :meth:`Observer.see`."""
        self._tell(lambda each: each.see(news))

    def note_due(self) -> None:
        """See :meth:`Observer.note_due`."""
        self._tell(lambda each: each.note_due())

    def note_begun(self) -> None:
        """See :meth:`Observer.note_begun`."""
        self._tell(lambda each: each.note_begun())

    def note_compiled(self, before: Work, now: Work, *, seconds: float) -> None:
        """See :meth:`Observer.note_compiled`."""
        self._tell(lambda each: each.note_compiled(before, now, seconds=seconds))

    def note_failed(self, generation: int, error: Exception) -> None:
        """See :meth:`Observer.note_failed`."""
        self._tell(lambda each: each.note_failed(generation, error))

    def note_status(self, status: NodeStatus) -> None:
        """See :meth:`Observer.note_status`."""
        self._tell(lambda each: each.note_status(status))

    def problems(self) -> tuple[Problem, ...]:
        """See :meth:`Observer.problems`."""
        return tuple(problem for observer in self._observers for problem in observer.problems())

    def note_acknowledged(self, snapshot: Snapshot) -> None:
        """See :meth:`Observer.note_acknowledged`."""
        self._tell(lambda each: each.note_acknowledged(snapshot))

    def report(self, work: Work, served: int | None) -> None:
        """See :meth:`Observer.report`."""
        self._tell(lambda each: each.report(work, served))

    def _tell(self, what: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            _tell(observer, what)


def _tell(observer: Observer, what: Callable[[Observer], None]) -> None:
    try:
        what(observer)
    except Exception:  # noqa: BLE001 - whatever it is, nobody's route may depend on it
        _log.exception("%s failed", type(observer).__name__)
