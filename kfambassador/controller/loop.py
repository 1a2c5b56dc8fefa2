"""The loop: events, settle, compile, translate, publish, report. Everything here belongs to one event loop's thread."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from kfambassador.controller.collector import LongLived, paused_collector
from kfambassador.controller.debounce import Debounce
from kfambassador.controller.expiring import Alarm, read_wall_clock
from kfambassador.controller.history import History
from kfambassador.controller.quarantine import Common, Quarantine, Served, find_reason
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import Work, follow_sources
from kfambassador.controller.status_writer import StatusWriter
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import Translator
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import FOLLOWED, SECRET, SERVICE, Kind
from kfambassador.kube.reflector import Changed, News, Reflector
from kfambassador.kube.store import Store
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.problems import Severity
from kfambassador.resources.fields import as_object
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import Compiler
from kfambassador.routing.model import Compiled
from kfambassador.xds.server import XdsServer
from kfambassador.xds.session import NodeStatus

_log = logging.getLogger(__name__)

# A gateway that may not read Secrets serves everything that needs none.
_OPTIONAL = (SECRET,)
_MOST_LOGGED = 20
# Endpoints are watched apart from their Service, and pods take their time: no fault of what anybody wrote.
_COMES_AND_GOES = "no-endpoints"


class Controller:
    """Follows a cluster and serves what it says to every Envoy that asks.

    Args:
        client: The cluster.
        settings: How to run.
        clock: Seconds that never go back.
        wall: The time of day, in UTC, by which configuration expires.

    Attributes:
        work: What was made of the newest state that was compiled.
        store: What is known of the cluster.
        history: What happened until now.
    """

    def __init__(
        self,
        client: KubeClient,
        settings: ControllerSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = read_wall_clock,
    ) -> None:
        self.work = Work()
        self.store = Store(FOLLOWED, optional=_OPTIONAL)
        self.history = History(clock)
        self._clock = clock
        self._wall = wall
        self._alarm = Alarm(self._touch, wall=wall)
        self._debounce = Debounce(settings.pace)
        self._quarantine = Quarantine()
        self._compiler = Compiler(settings.policy)
        self._translator = Translator(settings.listener)
        self._server = XdsServer(f"unix:{settings.xds_socket}", clock=clock)
        self._server.on_status = self._on_status
        self._reflectors = [
            Reflector(client, kind, self._receive, namespace=_where(kind, settings), settings=settings.reflector)
            for kind in FOLLOWED
        ]
        self._statuses = StatusWriter(client, clock=clock) if settings.write_statuses else None
        self._published: dict[int, Served] = {}
        self._judged = 0
        self._long_lived = LongLived()
        self._touched = asyncio.Event()
        self._news: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the xDS socket and begin to follow the cluster."""
        self._loop = asyncio.get_running_loop()
        self._news = self._loop.create_future()
        await self._server.start()
        self._settling = asyncio.create_task(self._settle_forever(), name="kfa-settle")
        if self._statuses is not None:
            self._statuses.start()
        for reflector in self._reflectors:
            reflector.start()

    async def stop(self) -> None:
        """Stop following and serving. Envoy goes on with what it holds."""
        stops = [reflector.stop for reflector in self._reflectors]
        if self._statuses is not None:
            stops.append(self._statuses.stop)
        await asyncio.gather(*map(asyncio.to_thread, stops))
        self._alarm.cancel()
        if self._settling is not None:
            self._settling.cancel()
            with suppress(asyncio.CancelledError):
                await self._settling
        await self._server.stop()

    def nodes(self) -> tuple[NodeStatus, ...]:
        """How far each connected Envoy is."""
        return self._server.nodes()

    @property
    def served(self) -> int | None:
        """The newest generation that every connected Envoy acknowledged; None when there is none."""
        acknowledged = [node.acknowledged for node in self.nodes()]
        newest = [each for each in acknowledged if each is not None]
        return min(newest) if newest and len(newest) == len(acknowledged) else None

    async def news(self, *, timeout: float) -> None:  # noqa: ASYNC109 - the caller's patience is part of its question
        """Return when anything was compiled or acknowledged since, or when the time (in seconds) is up."""
        if self._news is not None:
            await asyncio.wait({self._news}, timeout=timeout)

    def _receive(self, news: News) -> None:
        """Take news from a reflector's thread into the loop: the only crossing of threads."""
        if self._loop is not None:
            # A loop that is already closed needs no news.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._on_news, news)

    def _on_news(self, news: News) -> None:
        if self.store.apply(news):
            self._touch(can_wait=_is_bare_service(news))
        elif isinstance(news, Changed):
            # Nothing to compile; but somebody may wait for this very version of the object.
            self._tell()
        if self._statuses is not None:
            self._statuses.see(news)

    def _touch(self, *, can_wait: bool = False) -> None:
        self._debounce.touch(self._clock(), can_wait=can_wait)
        self._touched.set()

    async def _settle_forever(self) -> None:
        while True:
            await self._touched.wait()
            while (pause := self._debounce.pause(self._clock())) > 0:
                # Events move the end, also to now.
                self._touched.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._touched.wait(), pause)
            self._touched.clear()
            self._debounce.settle(self._clock())
            if self.store.is_complete:
                try:
                    await self._settle()
                except Exception:  # noqa: BLE001
                    # Our own fault, never a configuration's: what was served last goes on being served.
                    _log.exception("Generation %d could not be compiled", self.work.generation + 1)

    async def _settle(self) -> None:
        """Compile what is known and publish it."""
        now = self._wall()
        known = self.store.resources(generation=self.work.generation + 1, now=now)
        self._alarm.set(known.expiries.values(), now)
        self._long_lived.note(len(known.mappings))
        admitted = self._quarantine.admit(known.mappings, Common.of(known))
        resources = replace(
            known,
            mappings=admitted.mappings,
            shared=admitted.common.shared,
            secrets=admitted.common.secrets,
            problems=(*known.problems, *self._quarantine.problems),
        )
        # Pure functions: a thread of their own keeps the loop free to answer Envoy meanwhile.
        compiled, snapshot = await asyncio.to_thread(self._build, resources)
        before = self.work
        self.work = Work(
            resources=resources,
            compiled=compiled,
            since=follow_sources(self.work, resources),
            undecided=frozenset(each.origin.object for each in self._quarantine.withheld if each.origin.object),
            renewed=self.store.renewed,
        )
        self.history.note_compiled()
        self._published[resources.generation] = admitted
        self._server.publish(snapshot)
        _log_new_problems(before, self.work)
        self._tell()

    def _build(self, resources: ResourceSet) -> tuple[Compiled, Snapshot]:
        with paused_collector():
            compiled = self._compiler.compile(resources)
            return compiled, self._translator.translate(compiled.table)

    def _on_status(self, status: NodeStatus) -> None:
        """Judge the generations that Envoy has answered for, each once."""
        rejection = status.rejection
        if rejection is not None and rejection.generation > self._judged:
            self._judged = rejection.generation
            served = self._published[rejection.generation]
            reason = find_reason(rejection.message)
            self.history.note_refusal(generation=rejection.generation, node=status.node_id, words=reason)
            _log.warning("Envoy %s refuses generation %d: %s", status.node_id, rejection.generation, reason)
            if self._quarantine.refuse(served, rejection.message):
                self._touch()
        served_by_all = self.served
        if rejection is None and served_by_all is not None and served_by_all > self._judged:
            self._judged = served_by_all
            if self._quarantine.accept(self._published[served_by_all]):
                self._touch()
        for generation in [each for each in self._published if each < self._judged]:
            del self._published[generation]
        self._tell()

    def _tell(self) -> None:
        """Wake everybody who waits for news, and have statuses written."""
        if self._statuses is not None:
            self._statuses.report(self.work, self.served)
        if self._loop is not None and self._news is not None:
            self._news.set_result(None)
            self._news = self._loop.create_future()


def _is_bare_service(news: News) -> bool:
    """Tell whether a Service says nothing to the gateway.

    It matters only to those who point at it, and what it was made for is mostly written in the next moment.
    """
    if not isinstance(news, Changed) or news.kind != SERVICE:
        return False
    metadata = as_object(news.event.manifest.get("metadata"))
    return CONFIG_ANNOTATION not in as_object(metadata.get("annotations"))


def _where(kind: Kind, settings: ControllerSettings) -> str | None:
    """Say in which namespace a kind is followed; None is all.

    Other people's Secrets are not the gateway's to read. On a laptop, where no namespace is the gateway's own, all are
    one person's.
    """
    return (settings.policy.gateway_namespace or settings.namespace) if kind == SECRET else settings.namespace


def _log_new_problems(before: Work, now: Work) -> None:
    """Tell each problem once, as it comes up; an edit that leaves it as it was brings nothing new."""
    # Most are the very same objects as before, and comparing those costs the same however many there are.
    kept = frozenset(map(id, before.compiled.problems))
    fresh = [problem for problem in now.compiled.problems if id(problem) not in kept]
    told = frozenset(map(str, before.compiled.problems)) if fresh else frozenset()
    new = [problem for problem in fresh if str(problem) not in told]
    for problem in new[:_MOST_LOGGED]:
        passing = problem.severity is Severity.NOTICE or problem.code == _COMES_AND_GOES
        level = logging.INFO if passing else logging.WARNING
        _log.log(level, "%s", problem)
    if len(new) > _MOST_LOGGED:
        _log.warning("%d more problems; the read API has them all", len(new) - _MOST_LOGGED)
