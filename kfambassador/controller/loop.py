"""The loop: events, settle, compile, translate, publish, report. Everything here belongs to one event loop's thread."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from kfambassador.controller.causes import ACCEPTED, EXPIRED, NOTICED, REFUSED, Causes, find_cause
from kfambassador.controller.collector import LongLived, paused_collector
from kfambassador.controller.debounce import Debounce
from kfambassador.controller.expiring import Alarm, read_wall_clock
from kfambassador.controller.history import History
from kfambassador.controller.keeping.fallback import Fallback
from kfambassador.controller.keeping.keeper import Kept
from kfambassador.controller.observing import Observer, Observers
from kfambassador.controller.quarantine import Common, Quarantine, Served, find_reason
from kfambassador.controller.selecting import Selection
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import Cause, Work, follow_sources
from kfambassador.envoy.snapshot import EARLIER, Snapshot, TypeUrl
from kfambassador.envoy.translate import Translator
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import FOLLOWED, GATEWAY_KINDS, SECRET, SERVICE, Kind
from kfambassador.kube.reflector import Changed, Lost, News, Reflector
from kfambassador.kube.store import Store
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.fields import as_object
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import Compiler
from kfambassador.routing.model import Compiled
from kfambassador.xds.server import XdsServer
from kfambassador.xds.session import NodeStatus
from kfambassador.xds.subscription import Rejection

_log = logging.getLogger(__name__)

# A gateway that may not read Secrets serves everything that needs none.
_OPTIONAL = (SECRET,)


class _Published(NamedTuple):
    """A generation that is on its way to Envoy."""

    made_from: Served
    snapshot: Snapshot


class Controller:
    """Follows a cluster and serves what it says to every Envoy that asks.

    Args:
        client: The cluster.
        settings: How to run.
        observers: Who is told what it does.
        kept: What an earlier run kept, to be served while the cluster cannot be read at the start; None is nothing.
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
        observers: Iterable[Observer] = (),
        kept: Kept | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = read_wall_clock,
    ) -> None:
        self.work = Work()
        self.store = Store(FOLLOWED, optional=_OPTIONAL)
        self.history = History(clock)
        self._clock = clock
        self._wall = wall
        self._alarm = Alarm(partial(self._touch, EXPIRED), wall=wall)
        self._causes = Causes()
        self._debounce = Debounce(settings.pace)
        self._quarantine = Quarantine()
        self._compiler = Compiler(settings.policy)
        self._translator = Translator(settings.listener)
        self._selection = Selection(settings.selector, settings.policy)
        self._server = XdsServer(f"unix:{settings.xds_socket}", clock=clock)
        self._server.on_status = self._on_status
        self._reflectors = [
            Reflector(
                client,
                kind,
                self._receive,
                namespace=_where(kind, settings),
                label_selector=self._selection.query(kind),
                settings=settings.reflector,
            )
            for kind in FOLLOWED
        ]
        self._observers = Observers(observers)
        self._fallback = Fallback(kept, self._server.publish)
        self._published: dict[int, _Published] = {}
        self._judged = 0
        self._acknowledged = EARLIER
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
        self._observers.start()
        self._fallback.start()
        for reflector in self._reflectors:
            reflector.start()

    async def stop(self) -> None:
        """Stop following and serving. Envoy goes on with what it holds."""
        stops = [*(reflector.stop for reflector in self._reflectors), self._observers.stop]
        await asyncio.gather(*map(asyncio.to_thread, stops))
        self._alarm.cancel()
        self._fallback.end()
        if self._settling is not None:
            self._settling.cancel()
            with suppress(asyncio.CancelledError):
                await self._settling
        await self._server.stop()

    def nodes(self) -> tuple[NodeStatus, ...]:
        """How far each connected Envoy is."""
        return self._server.nodes()

    @property
    def has_ended(self) -> bool:
        """Whether nothing is compiled any more: it was stopped, or its own task came to an end nobody meant."""
        return self._settling is not None and self._settling.done()

    def count_refusals(self) -> dict[TypeUrl, int]:
        """How often Envoys refused something since the start, by the type of what they refused."""
        return dict(self._server.refusals)

    def count_restarts(self) -> dict[Kind, dict[str, int]]:
        """How often following each kind was begun anew since the start, by the reason."""
        return {reflector.kind: dict(reflector.restarts) for reflector in self._reflectors}

    @property
    def uses_kept(self) -> bool:
        """Whether what an earlier run kept is served, because the cluster was not read yet."""
        return self._fallback.is_used

    @property
    def served(self) -> int | None:
        """The newest generation that every connected Envoy acknowledged; None when there is none."""
        # What an earlier run kept says nothing about anything that is asked now.
        newest = min((node.acknowledged or EARLIER for node in self.nodes()), default=EARLIER)
        return None if newest == EARLIER else newest

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
        news = self._selection.hear(news)
        if isinstance(news, Lost) and not (news.is_forbidden and news.kind in _OPTIONAL):
            self._fallback.use(news.error)
        if self.store.apply(news):
            self._touch(find_cause(news), can_wait=_is_bare_service(news))
        elif isinstance(news, Changed):
            # Nothing to compile; but somebody may wait for this very version of the object.
            self._tell()
        self._observers.see(news)

    def look_again(self) -> None:
        """Have everything compiled once more, because of what no news tells of; from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._touch, NOTICED)

    def _touch(self, cause: Cause, *, can_wait: bool = False) -> None:
        self._causes.note(cause)
        self._debounce.touch(self._clock(), can_wait=can_wait)
        self._observers.note_due()
        self._touched.set()

    async def _settle_forever(self) -> None:
        while True:
            await self._touched.wait()
            while (pause := self._debounce.pause(self._clock())) > 0:
                # Events move the end, also to now.
                self._touched.clear()
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes with an event.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._touched.wait()
            self._touched.clear()
            self._debounce.settle(began := self._clock())
            if self.store.is_complete:
                try:
                    await self._settle()
                except Exception as error:  # noqa: BLE001
                    # Our own fault, never a configuration's: what was served last goes on being served.
                    _log.exception("Generation %d could not be compiled", self.work.generation + 1)
                    self._observers.note_failed(self.work.generation + 1, error)
                self._debounce.rest(now := self._clock(), worked=now - began)

    async def _settle(self) -> None:
        """Compile what is known and publish it."""
        self._observers.note_begun()
        began, now, causes = self._clock(), self._wall(), self._causes.take()
        with paused_collector():
            known = self.store.resources(generation=self.work.generation + 1, now=now)
        self._alarm.set(known.expiries.values(), now)
        self._long_lived.note(len(known.mappings))
        admitted = self._quarantine.admit(known.mappings, Common.of(known))
        resources = replace(
            known,
            mappings=admitted.mappings,
            shared=admitted.common.shared,
            secrets=admitted.common.secrets,
            problems=(*known.problems, *self._quarantine.problems, *self._observers.problems()),
        )
        # Pure functions: a thread of their own keeps the loop free to answer Envoy meanwhile.
        compiled, snapshot = await asyncio.to_thread(self._build, resources)
        took = self._clock() - began
        before = self.work
        self.work = Work(
            resources=resources,
            compiled=compiled,
            since=follow_sources(self.work, resources),
            undecided=frozenset(each.origin.object for each in self._quarantine.withheld if each.origin.object),
            renewed=self.store.renewed,
            causes=causes,
            provenance=self.work.provenance,
        )
        self.history.note_compiled()
        self._published[resources.generation] = _Published(admitted, snapshot)
        self._forget_published()
        self._server.publish(snapshot)
        self._fallback.end()
        self._observers.note_compiled(before, self.work, seconds=took)
        self._tell()

    def _build(self, resources: ResourceSet) -> tuple[Compiled, Snapshot]:
        with paused_collector():
            compiled = self._compiler.compile(resources)
            return compiled, self._translator.translate(compiled.table)

    def _on_status(self, status: NodeStatus) -> None:
        """Judge the generations that Envoy has answered for, each once."""
        rejection, served = status.rejection, self.served
        if rejection is not None and rejection.generation > self._judged:
            self._judged = rejection.generation
            self._refuse(status, rejection)
        if served is not None and (published := self._published.get(served)) is not None:
            if served > self._acknowledged:
                self._acknowledged = served
                self._observers.note_acknowledged(published.snapshot)
            if rejection is None and served > self._judged:
                self._judged = served
                if self._quarantine.accept(published.made_from):
                    self._touch(ACCEPTED)
        self._forget_published()
        self._observers.note_status(status)
        self._tell()

    def _forget_published(self) -> None:
        """Keep the newest generation and those that an Envoy may yet answer for, however slow it is, and no others."""
        awaited = {self.work.generation}.union(*(node.generations for node in self.nodes()))
        for generation in [each for each in self._published if each < self._judged or each not in awaited]:
            del self._published[generation]

    def _refuse(self, status: NodeStatus, rejection: Rejection) -> None:
        reason = find_reason(rejection.message)
        self.history.note_refusal(generation=rejection.generation, node=status.node_id, words=reason)
        _log.warning("Envoy %s refuses generation %d: %s", status.node_id, rejection.generation, reason)
        if self._quarantine.refuse(self._published[rejection.generation].made_from, rejection.message):
            self._touch(REFUSED)

    def _tell(self) -> None:
        """Wake everybody who waits for news, and tell the observers."""
        self._observers.report(self.work, self.served)
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

    Other people's Secrets are not the gateway's to read. What counts in the gateway's own namespace only is followed
    there, also where only another one is followed; where all are, in all, so that what is misplaced can be told. On a
    laptop, where no namespace is the gateway's own, all are one person's.
    """
    home = settings.policy.gateway_namespace or settings.namespace
    only_at_home = kind == SECRET or (kind in GATEWAY_KINDS and settings.namespace is not None)
    return home if only_at_home else settings.namespace
