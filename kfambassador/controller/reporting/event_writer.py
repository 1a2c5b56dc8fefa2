"""Writing Events about problems, on the objects they stand in: each once, at a measured pace, in its own thread."""

import logging
import time
from collections.abc import Callable, Collection
from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.controller.reporting.election import Leadership
from kfambassador.controller.reporting.event_book import Entry, EventBook, EventPace
from kfambassador.controller.reporting.events import Subject, name_event, remark, write_event
from kfambassador.controller.reporting.limits import Limit
from kfambassador.controller.reporting.teller import Pace, Teller
from kfambassador.controller.state import SourceState, Work
from kfambassador.errors import ApiError, BadRequest, Conflict, Forbidden, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import EVENT, GATEWAY_KINDS, INGRESS, MAPPING, SERVICE
from kfambassador.kube.objects import EventType, Manifest
from kfambassador.kube.permissions import read_denial
from kfambassador.kube.reflector import Changed, Listed, News
from kfambassador.problems import ObjectKey, Problem
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.objects import object_key

_log = logging.getLogger(__name__)

#: The kinds that Events are written on. What is wrong with a Secret is for its owner to be told by other ways.
TOLD_OF: Final = frozenset({SERVICE, INGRESS, MAPPING, *GATEWAY_KINDS})

#: How fast Events are written altogether: news for people, of which many may come at once.
EVENTS_PACE: Final = Pace(limit=Limit(burst=100, rate=10))


class EventWriter(Teller):
    """Writes Events between ``start`` and ``stop``.

    A problem is told when it comes up, when it comes back, and again while it stays; that nothing is wrong any more is
    told once, where a problem was told of in the same term. Nothing is told of what is gone.

    Args:
        client: The cluster.
        identity: Which replica this is, for people who read the Events.
        leadership: Whether it may write.
        pace: How fast to write altogether.
        event_pace: How fast on one object, and how often again.
        clock: Seconds that never go back.
        tell_time: The time as Kubernetes writes it; None is the time of day.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        identity: str,
        leadership: Leadership | None = None,
        pace: Pace = EVENTS_PACE,
        event_pace: EventPace | None = None,
        clock: Callable[[], float] = time.monotonic,
        tell_time: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(
            "Events", client, thread="kfa-events", leadership=leadership, pace=pace, clock=clock, tell_time=tell_time
        )
        self._identity = identity
        # Shared between the threads, under the lock.
        self._subjects: dict[ObjectKey, Subject] = {}
        # The writing thread's own.
        self._book = EventBook(event_pace or EventPace())
        self._is_first = True

    def see(self, news: News) -> None:
        """Note what the cluster holds now."""
        if news.kind not in TOLD_OF:
            return
        with self._lock:
            if isinstance(news, Listed):
                kept = {key: subject for key, subject in self._subjects.items() if key.kind != news.kind.kind}
                self._subjects = kept | {object_key(item): _read(item) for item in news.items}
            elif isinstance(news, Changed) and news.event.type is EventType.DELETED:
                self._subjects.pop(object_key(news.event.manifest), None)
            elif isinstance(news, Changed) and news.event.type is not EventType.BOOKMARK:
                self._subjects[object_key(news.event.manifest)] = _read(news.event.manifest)

    def _begin_term(self) -> None:
        self._book.clear()
        self._is_first = True

    def _write_all(self) -> float | None:
        with self._lock:
            work, served = self._newest.work, self._newest.served
        affected = self._find_affected(work, served)
        if work is not None and affected is not None:
            self._review(work, served, sorted(affected.union(self._book.mending())))
            self._is_first = False
        return self._work_off()

    def _review(self, work: Work, served: int | None, affected: Collection[ObjectKey]) -> None:
        """Note what is to be told of objects now."""
        now, found = self._clock(), _gather(work) if affected else {}
        for key in affected:
            subject, state = self._find(key), work.source(key, served=served).state
            if subject is None or state is SourceState.UNKNOWN:
                self._book.forget(key)
            else:
                self._book.note(key, subject.uid, remark(found.get(key, ())), now=now, may_exist=self._is_first)
        for key in self._book.mending():
            if work.source(key, served=served).state is SourceState.SERVING:
                self._book.note_mended(key, now=now)

    def _find(self, key: ObjectKey) -> Subject | None:
        with self._lock:
            return self._subjects.get(key)

    def _work_off(self) -> float | None:
        """Tell what is due; give when to come back."""
        while (entry := self._book.next(self._clock())) is not None:
            if self._stopping.is_set():
                return None
            subject = self._find(entry.key)
            if subject is None:
                self._book.forget(entry.key)
            elif blocked := self._may_write() or self._tell(entry, subject):
                return blocked
        return self._book.next_due()

    def _tell(self, entry: Entry, subject: Subject) -> float | None:
        """Tell one remark; give until when nothing may be written, if nothing may."""
        client = self._connect()
        if client is None:
            return self._clock()
        try:
            wrote = self._write(client, entry, subject)
        except (NotFound, BadRequest) as error:
            # The namespace is gone, or it is no Event to this cluster.
            _log.info("An Event is not written: %s", error)
            wrote = False
        except ApiError as error:
            if not isinstance(error, Forbidden) or read_denial(str(error)) is not None:
                return self._put_off(error)
            # No want of a permission: the namespace is being deleted, or its quota is used up.
            _log.info("An Event is not written: %s", error)
            wrote = False
        if wrote:
            self._succeed()
        self._book.settle(entry, now=self._clock(), count=entry.count, wrote=wrote)
        return None

    def _write(self, client: KubeClient, entry: Entry, subject: Subject) -> bool:
        """Write an Event, or a higher count into the one there is; say whether anything had to be written."""
        if entry.count and self._count_up(client, entry, subject):
            return True
        try:
            client.create(write_event(subject, entry.remark, identity=self._identity, now=self._tell_time()))
        except Conflict:
            # It was told before: by this replica before it started again, or by another.
            return not entry.may_exist and self._count_up(client, entry, subject)
        entry.count = 1
        return True

    def _count_up(self, client: KubeClient, entry: Entry, subject: Subject) -> bool:
        """Say that it happened once more; tell whether the Event is still there."""
        name, now = name_event(subject, entry.remark), self._tell_time()
        more: Manifest = {"lastTimestamp": now, "reportingInstance": self._identity}
        try:
            if not entry.count:
                entry.count = _count(client.patch(EVENT, name, more, namespace=subject.key.namespace))
            more = more | {"count": entry.count + 1}
            entry.count = _count(client.patch(EVENT, name, more, namespace=subject.key.namespace))
        except NotFound:
            entry.count = 0
            return False
        return True


def _gather(work: Work) -> Dict[ObjectKey, list[Problem]]:
    found: dict[ObjectKey, list[Problem]] = {}
    for problem in work.compiled.problems:
        if problem.origin.object is not None:
            found.setdefault(problem.origin.object, []).append(problem)
    return found


def _count(event: Dict[str, object]) -> int:
    count = event.get("count")
    return count if isinstance(count, int) and count > 0 else 1


def _read(manifest: Dict[str, object]) -> Subject:
    metadata = as_object(manifest.get("metadata"))
    return Subject(
        key=object_key(manifest),
        api_version=as_text(manifest.get("apiVersion")),
        uid=as_text(metadata.get("uid")),
        version=as_text(metadata.get("resourceVersion")),
    )
