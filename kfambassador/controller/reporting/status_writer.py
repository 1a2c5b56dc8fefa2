"""Writing what became of each Mapping into its status: only what changed, at a measured pace, in its own thread."""

import time
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kfambassador.controller.reporting.election import Leadership
from kfambassador.controller.reporting.limits import Limit
from kfambassador.controller.reporting.status import (
    Statement,
    Verdict,
    judge,
    read_statement,
    says,
    write_status,
)
from kfambassador.controller.reporting.teller import Pace, Teller
from kfambassador.controller.state import SourceState, Work
from kfambassador.errors import ApiError, BadRequest, Conflict, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.kube.objects import EventType, Manifest, is_as_new
from kfambassador.kube.reflector import Changed, Listed, News
from kfambassador.problems import ObjectKey
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.objects import object_key
from kfambassador.routing.policy import EVERY_GATEWAY, TenancyPolicy

# A definition of somebody else's, such as Ambassador's own, may know state and reason only.
_UNDECLARED: Final = "field not declared in schema"

#: How fast statuses are written altogether; ten thousand new ones take some minutes, and nobody else is held up.
STATUS_PACE: Final = Pace(limit=Limit(burst=100, rate=50))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a Mapping's status is waited with; in seconds.

    Attributes:
        shortest: A status is not written again before so long; each time it is, twice as long.
        longest: The longest of these pauses; after a calm of twice that they begin anew.
        pending: What no Envoy acknowledges is told as pending after so long.
    """

    shortest: float = 1.0
    longest: float = 60.0
    pending: float = 10.0


class _Seen(NamedTuple):
    """A Mapping as the cluster holds it."""

    version: str
    generation: int
    statement: Statement


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of a Mapping, what was kept of that, and when it may be written again."""

    verdict: Verdict
    generation: int
    statement: Statement
    last: float = field(default=0.0, compare=False)
    pause: float = field(default=0.0, compare=False)


class StatusWriter(Teller):
    """Writes statuses between ``start`` and ``stop``, by server-side apply.

    A status that somebody else wrote meanwhile is looked at anew and never fought over faster than the pace allows.
    Every write names the version that was judged, so whoever was deposed in the middle of one changes nothing that its
    successor wrote. Of several gateways that a Mapping is for, the one that it names first tells what became of it.

    Args:
        client: The cluster.
        leadership: Whether it may write.
        policy: Which gateway this is.
        pace: How fast to write.
        patience: How long to wait with a status.
        clock: Seconds that never go back.
        tell_time: The time as Kubernetes writes it; None is the time of day.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        leadership: Leadership | None = None,
        policy: TenancyPolicy | None = None,
        pace: Pace = STATUS_PACE,
        patience: Patience = Patience(),
        clock: Callable[[], float] = time.monotonic,
        tell_time: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(
            "Statuses of Mappings",
            client,
            thread="kfa-status",
            leadership=leadership,
            pace=pace,
            clock=clock,
            tell_time=tell_time,
        )
        self._policy = policy or TenancyPolicy()
        self._patience = patience
        # Shared between the threads, under the lock.
        self._seen: dict[ObjectKey, _Seen] = {}
        self._open: dict[ObjectKey, None] = {}
        # The writing thread's own.
        self._queue: dict[ObjectKey, None] = {}
        self._later: dict[ObjectKey, float] = {}
        self._undecided: dict[ObjectKey, float] = {}
        self._written: dict[ObjectKey, _Written] = {}
        self._others: tuple[Work, frozenset[ObjectKey]] | None = None
        self._is_plain = False

    def see(self, news: News) -> None:
        """Note what the cluster holds now."""
        if news.kind != MAPPING:
            return
        with self._lock:
            if isinstance(news, Listed):
                before, self._seen = self._seen, {object_key(item): _read(item) for item in news.items}
                self._open = dict.fromkeys([*before, *self._seen])
            elif isinstance(news, Changed):
                self._see_event(news)
        self._wake.set()

    def _see_event(self, news: Changed) -> None:
        key = object_key(news.event.manifest)
        if news.event.type is EventType.DELETED:
            self._seen.pop(key, None)
            self._open[key] = None
        elif news.event.type is not EventType.BOOKMARK:
            self._seen[key] = _read(news.event.manifest)
            self._open[key] = None

    def _begin_term(self) -> None:
        with self._lock:
            self._open = dict.fromkeys(self._seen)
        self._queue.clear()
        self._later.clear()
        self._is_plain = False

    def _write_all(self) -> float | None:
        with self._lock:
            opened, self._open = self._open, {}
            work, served = self._newest.work, self._newest.served
        now = self._clock()
        affected = self._find_affected(work, served)
        waited = () if affected is None else (*sorted(affected), *self._undecided)
        due = [key for key, moment in self._later.items() if moment <= now]
        for key in (*opened, *due, *waited):
            if key.kind == MAPPING.kind:
                self._later.pop(key, None)
                self._queue[key] = None
        return self._work_off(work, served)

    def _work_off(self, work: Work | None, served: int | None) -> float | None:
        """Settle what is in the queue, until it is empty or nothing may be written for a while."""
        while self._queue:
            key = next(iter(self._queue))
            if self._stopping.is_set():
                return None
            blocked = self._settle(key, work, served)
            if blocked is not None:
                return blocked
            self._queue.pop(key, None)
        return min(self._later.values(), default=None)

    def _settle(self, key: ObjectKey, work: Work | None, served: int | None) -> float | None:
        """Bring one status up to date; give until when nothing may be written, if nothing may."""
        with self._lock:
            seen = self._seen.get(key)
        if seen is None:
            self._written.pop(key, None)
            self._undecided.pop(key, None)
            return None
        verdict = self._judge(key, seen, work, served)
        if verdict is None or self._is_said(key, seen, verdict):
            return None
        written = self._written.get(key)
        due = written.last + written.pause if written else 0.0
        if due > self._clock():
            self._later[key] = due
            return None
        if blocked := self._may_write():
            return blocked
        return self._write(key, seen, verdict)

    def _judge(self, key: ObjectKey, seen: _Seen, work: Work | None, served: int | None) -> Verdict | None:
        """Say what became of a Mapping, None where nothing is to be said of it now."""
        source = None if work is None else work.source(key, served=served)
        # Of a version that was not yet compiled nothing is known; the next report comes back to it.
        if work is None or source is None or source.resource_version != seen.version:
            self._undecided.setdefault(key, self._clock())
            return None
        if source.state is SourceState.PENDING:
            since = self._undecided.setdefault(key, self._clock())
            # Where something was said of this spec, an Envoy that starts again is no reason to take it back.
            if seen.statement.generation == seen.generation:
                return None
            if self._clock() < since + self._patience.pending:
                self._later[key] = since + self._patience.pending
                return None
        else:
            self._undecided.pop(key, None)
        return None if key in self._find_others(work) else judge(source)

    def _find_others(self, work: Work) -> frozenset[ObjectKey]:
        """Find the Mappings whose status another gateway writes, because they name it before this one."""
        if self._others is None or self._others[0] is not work:
            found = (
                each.origin.object
                for each in work.resources.mappings
                if each.origin.object is not None and not self._is_ours(each.mapping.ambassador_id)
            )
            self._others = (work, frozenset(found))
        return self._others[1]

    def _is_ours(self, ids: tuple[str, ...]) -> bool:
        named = [each for each in ids if each != EVERY_GATEWAY]
        return len(named) <= 1 or self._policy.accepts(named[:1])

    def _is_said(self, key: ObjectKey, seen: _Seen, verdict: Verdict) -> bool:
        """Tell whether the status says so already, as far as the cluster's definition keeps what is written."""
        if self._is_plain:
            return (seen.statement.state, seen.statement.reason) == (verdict.state, verdict.reason)
        kept = _Written(verdict, seen.generation, seen.statement)
        return self._written.get(key) == kept or says(seen.statement, verdict, generation=seen.generation)

    def _write(self, key: ObjectKey, seen: _Seen, verdict: Verdict) -> float | None:
        client = self._connect()
        if client is None:
            return self._clock()
        status = write_status(verdict, generation=seen.generation, before=seen.statement, now=self._tell_time())
        if self._is_plain:
            del status["conditions"]
        try:
            stored = client.apply_status(_name(key, seen.version) | {"status": status})
        except Conflict:
            # It has changed: its event is on the way, and with it another look.
            return None
        except (NotFound, BadRequest):
            # It is gone, or the cluster's own definition has no such status.
            self._note(key, seen, verdict, seen.statement)
            return None
        except ApiError as error:
            if _UNDECLARED in str(error) and not self._is_plain:
                self._is_plain = True
                return self._write(key, seen, verdict)
            return self._put_off(error)
        self._succeed()
        self._note(key, seen, verdict, read_statement(as_object(stored.get("status"))))
        with self._lock:
            known = self._seen.get(key)
            if known is not None and not is_as_new(known.version, _version(stored)):
                self._seen[key] = _read(stored)
        return None

    def _note(self, key: ObjectKey, seen: _Seen, verdict: Verdict, statement: Statement) -> None:
        now, before = self._clock(), self._written.get(key)
        is_calm = before is None or now - before.last > 2 * self._patience.longest
        longest, shortest = self._patience.longest, self._patience.shortest
        pause = shortest if before is None or is_calm else min(2 * before.pause, longest)
        self._written[key] = _Written(verdict, seen.generation, statement, now, pause)


def _name(key: ObjectKey, version: str) -> Manifest:
    metadata = {"name": key.name, "namespace": key.namespace, "resourceVersion": version}
    return {"apiVersion": MAPPING.api_version, "kind": MAPPING.kind, "metadata": metadata}


def _read(manifest: Dict[str, object]) -> _Seen:
    generation = as_object(manifest.get("metadata")).get("generation")
    return _Seen(
        version=_version(manifest),
        generation=generation if isinstance(generation, int) else 0,
        statement=read_statement(as_object(manifest.get("status"))),
    )


def _version(manifest: Dict[str, object]) -> str:
    return as_text(as_object(manifest.get("metadata")).get("resourceVersion"))
