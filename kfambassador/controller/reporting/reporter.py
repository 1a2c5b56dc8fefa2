"""Statuses, Events and the election joined: what a controller is given to tell the cluster by."""

import socket
from collections import Counter
from collections.abc import Callable

from kfambassador.controller.observing import Observer
from kfambassador.controller.reporting.election import Alone, Election, Leadership, make_identity
from kfambassador.controller.reporting.event_writer import EventWriter
from kfambassador.controller.reporting.settings import ReportSettings
from kfambassador.controller.reporting.status_writer import StatusWriter
from kfambassador.controller.reporting.teller import Teller
from kfambassador.controller.state import Work
from kfambassador.kube.client import KubeClient
from kfambassador.kube.reflector import News
from kfambassador.problems import Problem
from kfambassador.routing.policy import TenancyPolicy


class Reporter(Observer):
    """Tells the cluster what became of what people wrote, while its replica leads; an observer of the controller.

    Args:
        client: The cluster.
        settings: What is told, and by whom.
        policy: Which gateway this is.

    Attributes:
        on_problem: Called in any thread when :meth:`problems` are others.
    """

    def __init__(self, client: KubeClient, settings: ReportSettings, *, policy: TenancyPolicy) -> None:
        identity = settings.identity or socket.gethostname()
        self.on_problem: Callable[[], None] = _do_nothing
        self._election: Election | None = None
        leadership: Leadership = Alone()
        if settings.lease is not None and (settings.statuses or settings.events):
            unique = make_identity(identity)
            self._election = Election(
                client,
                settings.lease,
                identity=unique,
                on_change=self._change_leadership,
                on_problem=self._change_problems,
            )
            leadership = self._election
        self._leadership = leadership
        self._tellers: dict[str, Teller] = {}
        if settings.statuses:
            self._tellers["status"] = StatusWriter(client, leadership=leadership, policy=policy)
        if settings.events:
            pace = settings.event_pace
            self._tellers["event"] = EventWriter(client, identity=identity, leadership=leadership, event_pace=pace)
        for teller in self._tellers.values():
            teller.on_problem = self._change_problems

    @property
    def is_leading(self) -> bool:
        """Whether this replica may write now."""
        return bool(self._tellers) and self._leadership.remaining() > 0

    def count_writes(self) -> dict[str, Counter[str]]:
        """Count what was "written" and what "failed" since the start, for "status" and for "event"."""
        return {name: Counter(teller.counts) for name, teller in self._tellers.items()}

    def problems(self) -> tuple[Problem, ...]:
        """Say what keeps anything from being written for want of a permission, with what to do."""
        found = [self._election.problem if self._election else None]
        found += [teller.problem for teller in self._tellers.values()]
        return tuple(problem for problem in found if problem is not None)

    def start(self) -> None:
        """Take part in the election, and write while this replica leads; returns at once."""
        for teller in self._tellers.values():
            teller.start()
        if self._election is not None:
            self._election.start()

    def stop(self) -> None:
        """Stop writing, and only then let another replica begin."""
        for teller in self._tellers.values():
            teller.stop()
        if self._election is not None:
            self._election.stop()

    def see(self, news: News) -> None:
        """See :meth:`Observer.see`."""
        for teller in self._tellers.values():
            teller.see(news)

    def report(self, work: Work, served: int | None) -> None:
        """See :meth:`Observer.report`."""
        for teller in self._tellers.values():
            teller.report(work, served)

    def _change_problems(self) -> None:
        self.on_problem()

    def _change_leadership(self) -> None:
        for teller in self._tellers.values():
            teller.change_leadership()


def _do_nothing() -> None:
    """Stand for a listener that nobody gave."""
