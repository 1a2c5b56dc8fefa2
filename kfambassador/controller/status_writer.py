"""Writing what became of each Mapping into its status: only what changed, at a measured pace, in its own thread."""

import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from kfambassador.controller.state import Work
from kfambassador.controller.status import Verdict, judge, says, write_status
from kfambassador.errors import ApiError, Conflict, Forbidden, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.kube.objects import EventType, Manifest, is_as_new
from kfambassador.kube.reflector import Changed, Listed, News
from kfambassador.problems import ObjectKey
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.objects import object_key

_log = logging.getLogger(__name__)

_READ_TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class StatusPace:
    """How fast statuses are written; in seconds.

    Attributes:
        gather: What changes within so long is looked at together.
        between: The pause after each write: statuses are news for people, and many may change at once.
        shortest: A Mapping's status is not written again before so long; each time it is, twice as long.
        longest: The longest of these pauses; after a calm of twice that they begin anew.
        forbidden: After a refusal for want of a permission nothing is tried for so long.
    """

    gather: float = 0.1
    between: float = 0.02
    shortest: float = 1.0
    longest: float = 60.0
    forbidden: float = 300.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """A Mapping as the cluster holds it."""

    version: str
    generation: int
    status: Dict[str, object]


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of a Mapping, what was kept of that, and when it may be written again."""

    verdict: Verdict
    generation: int
    status: Dict[str, object]
    last: float = field(default=0.0, compare=False)
    pause: float = field(default=0.0, compare=False)


@dataclass(slots=True)
class _Plan:
    """What the threads share; under a lock."""

    seen: dict[ObjectKey, _Seen] = field(default_factory=dict)
    open: dict[ObjectKey, None] = field(default_factory=dict)
    work: Work | None = None
    served: int | None = None


class StatusWriter:
    """Writes statuses between ``start`` and ``stop``.

    It is told what the cluster holds and what the controller made of it, both by one thread and at once; the writing is
    done by another, ``kfa-status``. A status that somebody else wrote meanwhile is looked at anew and never fought over
    faster than the pace allows.

    Args:
        client: The cluster; the writer makes itself a copy with connections of its own.
        pace: How fast to write.
        clock: Seconds that never go back.
        tell_time: The time as Kubernetes writes it.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        pace: StatusPace = StatusPace(),
        clock: Callable[[], float] = time.monotonic,
        tell_time: Callable[[], str] = lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ) -> None:
        self._client = client.clone(read_timeout=_READ_TIMEOUT)
        self._pace = pace
        self._clock = clock
        self._tell_time = tell_time
        self._lock = threading.Lock()
        self._plan = _Plan()
        self._written: dict[ObjectKey, _Written] = {}
        self._later: dict[ObjectKey, float] = {}
        self._pending: set[ObjectKey] = set()
        self._judged: tuple[Work, int | None] | None = None
        self._failures = 0
        self._blocked = 0.0
        self._is_warned = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kfa-status", daemon=True)

    def start(self) -> None:
        """Begin to write; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; a write under way is cut off."""
        self._stopping.set()
        self._wake.set()
        self._client.close()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def see(self, news: News) -> None:
        """Note what the cluster holds now."""
        if news.kind != MAPPING:
            return
        with self._lock:
            if isinstance(news, Listed):
                before, self._plan.seen = self._plan.seen, {object_key(item): _read(item) for item in news.items}
                self._plan.open = dict.fromkeys([*before, *self._plan.seen])
            elif isinstance(news, Changed):
                self._see_event(news)
        self._wake.set()

    def _see_event(self, news: Changed) -> None:
        key = object_key(news.event.manifest)
        if news.event.type is EventType.DELETED:
            self._plan.seen.pop(key, None)
            self._plan.open[key] = None
        elif news.event.type is not EventType.BOOKMARK:
            self._plan.seen[key] = _read(news.event.manifest)
            self._plan.open[key] = None

    def report(self, work: Work, served: int | None) -> None:
        """Note what was made of it, and how far that has come."""
        with self._lock:
            if self._plan.work is work and self._plan.served == served:
                return
            self._plan.work, self._plan.served = work, served
        self._wake.set()

    def write_open(self) -> float | None:
        """Bring every status up to date that may be written now.

        Returns:
            When to come back for the others, by the clock; None when there are none.
        """
        with self._lock:
            chosen = [*self._plan.open, *(key for key, due in self._later.items() if due <= self._clock())]
            self._plan.open = {}
            work, served = self._plan.work, self._plan.served
        chosen += self._find_affected(work, served)
        for key in dict.fromkeys(chosen):
            if self._stopping.is_set():
                return None
            self._later.pop(key, None)
            due = self._settle(key)
            if due is not None:
                self._later[key] = due
        return max(min(self._later.values()), self._blocked) if self._later else None

    def _find_affected(self, work: Work | None, served: int | None) -> list[ObjectKey]:
        """Find the objects of which something else may be said than last time: all others need no look."""
        before = self._judged
        if work is None or (before is not None and before[0] is work and before[1] == served):
            return []
        self._judged = (work, served)
        affected = set(self._pending)
        if before is None or before[0] is not work:
            known = before[0] if before is not None else Work()
            affected.update(key for key, since in work.since.items() if known.since.get(key) != since)
            problems = (*known.compiled.problems, *work.compiled.problems)
            affected.update(problem.origin.object for problem in problems if problem.origin.object is not None)
        return sorted(key for key in affected if key.kind == MAPPING.kind)

    def _run(self) -> None:
        due: float | None = None
        while not self._stopping.is_set():
            self._wake.wait(None if due is None else max(0.0, due - self._clock()))
            self._wake.clear()
            self._stopping.wait(self._pace.gather)
            due = self.write_open()

    def _settle(self, key: ObjectKey) -> float | None:
        """Bring one status up to date; say when to come back to it, if it has to wait."""
        with self._lock:
            seen, work, served = self._plan.seen.get(key), self._plan.work, self._plan.served
        self._pending.discard(key)
        if seen is None:
            self._written.pop(key, None)
            return None
        source = None if work is None else work.source(key, served=served)
        # Of a version that was not yet compiled nothing is known; the next report comes back to it.
        verdict = judge(source) if source is not None and source.resource_version == seen.version else None
        if verdict is None:
            self._pending.add(key)
            return None
        if self._is_said(key, seen, verdict):
            return None
        written = self._written.get(key)
        due = max(self._blocked, written.last + written.pause if written else 0.0)
        if due > self._clock():
            return due
        return self._write(key, seen, verdict)

    def _is_said(self, key: ObjectKey, seen: _Seen, verdict: Verdict) -> bool:
        """Tell whether the status says so already, as far as the cluster's definition keeps what is written."""
        kept = _Written(verdict, seen.generation, seen.status)
        return self._written.get(key) == kept or says(seen.status, verdict, generation=seen.generation)

    def _write(self, key: ObjectKey, seen: _Seen, verdict: Verdict) -> float | None:
        status = write_status(verdict, generation=seen.generation, before=seen.status, now=self._tell_time())
        patch: Manifest = {"metadata": {"resourceVersion": seen.version}, "status": status}
        try:
            stored = self._client.patch_status(MAPPING, key.name, patch, namespace=key.namespace)
        except Conflict:
            # It has changed: its event is on the way, and with it another look.
            return None
        except NotFound:
            # It is gone, or the cluster's own definition has no status.
            self._note(key, seen, verdict, seen.status)
            return None
        except ApiError as error:
            return self._put_off(error)
        self._failures, self._is_warned = 0, False
        self._note(key, seen, verdict, as_object(stored.get("status")))
        with self._lock:
            known = self._plan.seen.get(key)
            if known is not None and not is_as_new(known.version, _version(stored)):
                self._plan.seen[key] = _read(stored)
        self._stopping.wait(self._pace.between)
        return None

    def _note(self, key: ObjectKey, seen: _Seen, verdict: Verdict, status: Dict[str, object]) -> None:
        now, before = self._clock(), self._written.get(key)
        is_calm = before is None or now - before.last > 2 * self._pace.longest
        pause = self._pace.shortest if before is None or is_calm else min(2 * before.pause, self._pace.longest)
        self._written[key] = _Written(verdict, seen.generation, status, now, pause)

    def _put_off(self, error: ApiError) -> float:
        """Write nothing for a while."""
        if self._stopping.is_set():
            return 0.0
        if isinstance(error, Forbidden):
            pause = self._pace.forbidden
            if not self._is_warned:
                _log.warning("Statuses of Mappings are not written: %s", error)
        else:
            pause = min(self._pace.shortest * 2.0 ** min(self._failures, 30), self._pace.longest)
            _log.info("Statuses of Mappings are written later: %s", error)
        self._failures += 1
        self._is_warned = self._is_warned or isinstance(error, Forbidden)
        self._blocked = self._clock() + pause
        return self._blocked


def _read(manifest: Manifest) -> _Seen:
    generation = as_object(manifest.get("metadata")).get("generation")
    return _Seen(
        version=_version(manifest),
        generation=generation if isinstance(generation, int) else 0,
        status=as_object(manifest.get("status")),
    )


def _version(manifest: Manifest) -> str:
    return as_text(as_object(manifest.get("metadata")).get("resourceVersion"))
