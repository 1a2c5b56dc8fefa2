"""What Prometheus is told: the one door to its client library.

Numbers are of the gateway as a whole, or by words there are few of: kinds, types, codes. Nothing is told for each
mapping, route or service, so ten thousand of them cost a time series database no more than ten. What a mapping's
requests come to is in the read API's statistics, and in Envoy's own.
"""

import platform
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from kfambassador import __version__
from kfambassador.controller.observing import Observer
from kfambassador.controller.state import Work
from kfambassador.envoy.snapshot import TypeUrl

_PREFIX: Final = "kfambassador"
#: Seconds: a small change is compiled in a few milliseconds, ten thousand mappings in a few seconds.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: The types as people call them.
_TYPES: Final[Dict[TypeUrl, str]] = {
    TypeUrl.LISTENER: "listener",
    TypeUrl.ROUTE_CONFIGURATION: "route_configuration",
    TypeUrl.CLUSTER: "cluster",
    TypeUrl.ENDPOINTS: "endpoints",
}
#: What Envoy refused, and what is held back for it.
_QUARANTINED: Final = "envoy-rejected"
#: So many tables wait for their acknowledgement at most.
_MOST_AWAITED: Final = 1000
# Each counter's birth as a series of its own would double them, and no question asks for it.
_BIRTH: Final = "_created"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a controller stands at the moment it is asked.

    Attributes:
        work: What was compiled.
        served: The newest generation that every connected Envoy acknowledged; None when there is none.
        connected: How many Envoys are connected.
        objects: How many objects of each kind are known.
        lost: The kinds that cannot be followed at present.
        refusals: How often Envoys refused something since the start, by its type.
        restarts: How often following each kind was begun anew since the start, by the reason.
        is_leader: Whether it is the one replica that writes to the cluster.
        uses_last_known_good: Whether it serves what an earlier run kept, because the cluster was not read yet.
        writes: How often statuses and events were written to the cluster, or failed to be, since the start.
    """

    work: Work = field(default_factory=Work)
    served: int | None = None
    connected: int = 0
    objects: Dict[str, int] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    refusals: Dict[TypeUrl, int] = field(default_factory=dict)
    restarts: Dict[str, Dict[str, int]] = field(default_factory=dict)
    is_leader: bool = True
    uses_last_known_good: bool = False
    writes: Dict[str, Dict[str, int]] = field(default_factory=dict)


class Metrics(Observer):
    """Measures a controller's work, and writes that and how it stands in the words of Prometheus.

    Args:
        clock: Seconds that never go back.
        wall: Seconds since 1970.

    Example:
        >>> text, content_type = Metrics().write(Standing(connected=2))
        >>> [line for line in text.decode().splitlines() if line.startswith("kfambassador_connected_envoys")]
        ['kfambassador_connected_envoys 2.0']
        >>> content_type.partition(";")[0]
        'text/plain'
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._wall = wall
        # Of our own: whoever else measures something in this process measures it for themselves.
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._due: list[float] = []
        self._published: dict[int, float] = {}
        self._compiled_at: float | None = None
        self._acknowledged_at: float | None = None
        self._adds = self._count("queue_adds", "Changes for which a new routing table was due.")
        self._waiting = self._measure("queue_duration_seconds", "How long the first of several changes waited.")
        self._compiling = self._measure("compile_duration_seconds", "How long a routing table took to be made.")
        self._failures = self._count("compile_failures", "Routing tables that could not be made: a fault of ours.")
        self._acknowledging = self._measure(
            "acknowledge_duration_seconds", "From publishing a routing table until every Envoy acknowledged it."
        )

    def note_due(self) -> None:
        """See :meth:`Observer.note_due`."""
        self._adds.inc()
        self._due.append(self._clock())

    def note_begun(self) -> None:
        """See :meth:`Observer.note_begun`."""
        if self._due:
            self._waiting.observe(self._clock() - self._due[0])
        self._due = []

    def note_compiled(self, before: Work, now: Work, *, seconds: float) -> None:
        """See :meth:`Observer.note_compiled`."""
        del before
        self._compiling.observe(seconds)
        self._compiled_at = self._wall()
        self._published[now.generation] = self._clock()
        if len(self._published) > _MOST_AWAITED:
            # No Envoy answers; the eldest are no longer worth a measurement.
            del self._published[next(iter(self._published))]

    def note_failed(self, generation: int, error: Exception) -> None:
        """See :meth:`Observer.note_failed`."""
        del generation, error
        self._failures.inc()

    def report(self, work: Work, served: int | None) -> None:
        """See :meth:`Observer.report`."""
        del work
        reached = [each for each in self._published if served is not None and each <= served]
        for generation in reached:
            self._acknowledging.observe(self._clock() - self._published.pop(generation))
        if reached:
            self._acknowledged_at = self._wall()

    def write(self, standing: Standing, *, accept: str = "") -> tuple[bytes, str]:
        """Write everything; whoever has thousands of problems has this done in a thread.

        Args:
            standing: How the controller stands.
            accept: Which formats the reader takes, as its ``Accept`` says: OpenMetrics where it asks for that.

        Returns:
            The text, and its content type.
        """
        encode, content_type = choose_encoder(accept)
        return encode(_Everything([*self._collect_measured(), *_collect_standing(standing)])), content_type

    def _collect_measured(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith(_BIRTH)]
            yield metric
        waiting = self._due
        yield _gauge("queue_depth", "Changes that wait for a new routing table.", len(waiting))
        age = self._clock() - waiting[0] if waiting else 0.0
        yield _gauge("queue_oldest_age_seconds", "How long the oldest of them waits.", age)
        if self._compiled_at is not None:
            name = "last_compile_timestamp_seconds"
            yield _gauge(name, "When a routing table was last made, in Unix time.", self._compiled_at)
        if self._acknowledged_at is not None:
            name = "last_acknowledge_timestamp_seconds"
            yield _gauge(name, "When every Envoy last acknowledged one, in Unix time.", self._acknowledged_at)

    def _count(self, name: str, told: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", told, registry=self._registry)

    def _measure(self, name: str, told: str) -> Histogram:
        return Histogram(f"{_PREFIX}_{name}", told, buckets=_BUCKETS, registry=self._registry)


@dataclass(frozen=True, slots=True)
class _Everything:
    """What the library's encoders ask."""

    metrics: list[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def _collect_standing(standing: Standing) -> Iterator[Metric]:
    work, problems = standing.work, standing.work.compiled.problems
    info = {"version": __version__, "python_version": platform.python_version()}
    yield _family(
        "build_info",
        "Which kfambassador this is; always 1.",
        ("version", "python_version"),
        [(tuple(info.values()), 1)],
    )
    yield _gauge("generation", "Which routing table is the newest, counted since the start.", work.generation)
    yield _gauge("served_generation", "The newest that every Envoy acknowledged; 0 is none.", standing.served or 0)
    yield _gauge("connected_envoys", "Envoys that are connected.", standing.connected)
    yield _gauge("leader", "1 on the one replica that writes statuses and events.", standing.is_leader)
    told = "1 while routes of an earlier run are served because the cluster could not be read yet."
    yield _gauge("last_known_good_in_use", told, standing.uses_last_known_good)
    yield _gauge(
        "routes", "Routes in the newest table.", sum(len(each.routes) for each in work.compiled.table.virtual_hosts)
    )
    yield _gauge("clusters", "Clusters in the newest table.", len(work.compiled.table.clusters))
    yield _gauge("mappings", "Mappings that were read.", len(work.resources.mappings))
    yield _gauge(
        "quarantined", "What Envoy refused and is held back.", sum(each.code == _QUARANTINED for each in problems)
    )
    told = "Objects some of whose mappings wait while it is found out what Envoy refuses."
    yield _gauge("withheld_objects", told, len(work.undecided))
    yield _gauge("conflicts", "Problems of two who want the same.", sum(each.is_conflict for each in problems))
    found = Tally((each.severity.value, each.code) for each in problems)
    yield _family("problems", "What is wrong with configuration.", ("severity", "code"), sorted(found.items()))
    kinds = [((kind,), count) for kind, count in standing.objects.items()]
    yield _family("objects", "Objects of the cluster that are known.", ("kind",), kinds)
    lost = [((kind,), kind in standing.lost) for kind in standing.objects]
    yield _family("watch_lost", "1 while a kind cannot be followed.", ("kind",), lost)
    told = "How often following a kind was begun anew, and why: a watch that ended in peace is among them."
    yield _collect_pairs("watch_restarts", told, ("kind", "reason"), standing.restarts)
    told = "What was to be told to the cluster, a status or an event, and whether it could be."
    yield _collect_pairs("cluster_writes", told, ("what", "outcome"), standing.writes)
    refusals = CounterMetricFamily(f"{_PREFIX}_xds_nacks", "Updates that an Envoy refused.", labels=["type"])
    for type_url, word in _TYPES.items():
        refusals.add_metric([word], standing.refusals.get(type_url, 0))
    yield refusals


def _collect_pairs(name: str, told: str, labels: tuple[str, str], counts: Dict[str, Dict[str, int]]) -> Metric:
    family = CounterMetricFamily(f"{_PREFIX}_{name}", told, labels=labels)
    for first, inner in counts.items():
        for second, count in inner.items():
            family.add_metric([first, second], count)
    return family


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", told, value=value)


def _family(name: str, told: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", told, labels=labels)
    for words, value in values:
        family.add_metric(words, value)
    return family
