"""From text to Envoy's words: the processor time of each stage, and the peak of memory.

Each size runs in a fresh process, three times; the median counts. Times are processor seconds of that process, which a
busy machine lengthens less than the clock on the wall; everything here runs in one thread. What was read is frozen
before it is compiled, as the controller does, so that the collector does not look it through meanwhile. "One change" is
one mapping edited after a full compile: from the new set of mappings to the new snapshot, in a compiler and a
translator that have worked before, as the controller's have; the median of ten. Every mapping has its own prefix and
its own service, the costlier case: all of them sharing one service saves a cluster each.

The second table takes the same mappings as annotations of as many Services, through the controller's store: from the
listing as the API tells it to the snapshot, and from one Service's event to the next snapshot.

A peer's figures are printed beside ours when a file gives them: ``{"name": "...", "full": {"1000": 0.41}, "change":
{"1000": 0.23}}``, in seconds, from parsed objects to Envoy configuration.
"""

import gc
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from benchmarks.fresh import in_fresh_process, peak_memory
from benchmarks.inputs import annotated_service, mapping_text
from benchmarks.report import Report, median, milliseconds

SIZES = (1_000, 10_000, 50_000)
SERVICES = (1_000, 10_000)
RUNS = 3
CHANGES = 10


@dataclass(frozen=True, slots=True)
class Stages:
    """Processor seconds of each stage, and bytes at the peak."""

    documents: float
    mappings: float
    routes: float
    messages: float
    change: float
    peak: float


@dataclass(frozen=True, slots=True)
class Followed:
    """Processor seconds from listed Services to a snapshot, and from one event; bytes at the peak."""

    store: float
    routes: float
    messages: float
    change: float
    peak: float


Sample = TypeVar("Sample", Stages, Followed)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another compiler's seconds by size."""

    name: str
    full: dict[str, float]
    change: dict[str, float]

    @classmethod
    def read(cls, file: str) -> "Peer":
        """Read a peer's figures."""
        return cls(**json.loads(Path(file).read_text()))


def run(*, sizes: Sequence[int] = SIZES, services: Sequence[int] = SERVICES, peer: Peer | None = None) -> list[Report]:
    """Measure all sizes."""
    return [_tell_stages(sizes, peer), _tell_followed(services)]


def _tell_stages(sizes: Sequence[int], peer: Peer | None) -> Report:
    rows = []
    for size in sizes:
        stages = _middle([in_fresh_process(measure_stages, size) for _ in range(RUNS)])
        row = [f"{size:,}", *(f"{each:.3f}" for each in (stages.documents, stages.mappings))]
        row += [f"{each:.3f}" for each in (stages.routes, stages.messages, stages.routes + stages.messages)]
        row += [milliseconds(stages.change), f"{stages.peak / 1e6:.0f}"]
        if peer is not None:
            row += [f"{figures.get(str(size), '')}" for figures in (peer.full, peer.change)]
        rows.append(tuple(row))
    theirs = (f"{peer.name}: full", f"{peer.name}: change, s") if peer is not None else ()
    return Report(
        "Full compile of mappings, processor seconds",
        ("mappings", "YAML", "read", "compile", "translate", "both", "one change, ms", "peak, MB", *theirs),
        tuple(rows),
        ("YAML: text to documents; read: documents to mappings; compile: mappings to the routing table;",
         "translate: the table to Envoy's messages. 'both' is what a full compile costs once text is read."),
    )  # fmt: skip


def _tell_followed(sizes: Sequence[int]) -> Report:
    rows = []
    for size in sizes:
        got = _middle([in_fresh_process(measure_followed, size) for _ in range(RUNS)])
        whole = got.store + got.routes + got.messages
        cells = [f"{each:.3f}" for each in (got.store, got.routes, got.messages, whole)]
        rows.append((f"{size:,}", *cells, milliseconds(got.change), f"{got.peak / 1e6:.0f}"))
    return Report(
        "The same as annotated Services through the store, processor seconds",
        ("Services", "store", "compile", "translate", "all", "one change, ms", "peak, MB"),
        tuple(rows),
        ("store: Kubernetes objects to mappings, YAML included.",),
    )


def _middle(samples: Sequence[Sample]) -> Sample:
    names = [field.name for field in fields(samples[0])]
    return type(samples[0])(**{name: median([getattr(each, name) for each in samples]) for name in names})


def measure_stages(size: int) -> Stages:
    """Measure one size in this process."""
    from kfambassador.controller.collector import paused_collector
    from kfambassador.envoy.listeners import ListenerSettings
    from kfambassador.envoy.translate import Translator
    from kfambassador.problems import Origin
    from kfambassador.resources.annotation import read_object
    from kfambassador.resources.documents import FILE_LIMITS, read_documents
    from kfambassador.resources.meta import ResourceSet
    from kfambassador.routing.compile import Compiler
    from kfambassador.routing.policy import TenancyPolicy

    text = "".join(mapping_text(number, service=f"model-{number}:8501") for number in range(size))
    compiler, translator = Compiler(TenancyPolicy.laptop()), Translator(ListenerSettings())

    began = time.process_time()
    documents = read_documents(text, FILE_LIMITS)
    parsed = time.process_time()
    mappings = [
        mapping
        for each in documents
        for mapping in read_object(each.value, Origin(document=each.number), namespace="default").mappings
    ]
    read = time.process_time()
    gc.freeze()
    with paused_collector():
        compiled = compiler.compile(ResourceSet(mappings=tuple(mappings), generation=1))
        routed = time.process_time()
        translator.translate(compiled.table)
        ended = time.process_time()

    changes = []
    for change in range(CHANGES):
        edited = mappings[size // 2].mapping.model_copy(update={"rewrite": f"/{change}/"})
        mappings[size // 2] = replace(mappings[size // 2], mapping=edited)
        resources = ResourceSet(mappings=tuple(mappings), generation=change)
        start = time.process_time()
        with paused_collector():
            translator.translate(compiler.compile(resources).table)
        changes.append(time.process_time() - start)
    return Stages(parsed - began, read - parsed, routed - read, ended - routed, median(changes), peak_memory())


def measure_followed(size: int) -> Followed:
    """Measure one size of annotated Services in this process."""
    from kfambassador.controller.collector import paused_collector
    from kfambassador.envoy.listeners import ListenerSettings
    from kfambassador.envoy.translate import Translator
    from kfambassador.kube.kinds import SERVICE
    from kfambassador.kube.objects import Event, EventType
    from kfambassador.kube.reflector import Changed, Listed
    from kfambassador.kube.store import Store
    from kfambassador.routing.compile import Compiler
    from kfambassador.routing.policy import TenancyPolicy

    def service(number: int, *, rewrite: str, version: int) -> dict[str, object]:
        text = mapping_text(number, service=f"model-{number}:8501", rewrite=rewrite)
        return annotated_service(number, text, version=version)

    listed = Listed(SERVICE, tuple(service(number, rewrite="/", version=1) for number in range(size)), "1")
    store, compiler, translator = Store([SERVICE]), Compiler(TenancyPolicy.laptop()), Translator(ListenerSettings())

    began = time.process_time()
    store.apply(listed)
    resources = store.resources(generation=1)
    stored = time.process_time()
    gc.freeze()
    with paused_collector():
        compiled = compiler.compile(resources)
        routed = time.process_time()
        translator.translate(compiled.table)
        ended = time.process_time()

    changes = []
    for change in range(CHANGES):
        event = Event(EventType.MODIFIED, service(size // 2, rewrite=f"/{change}/", version=change + 2))
        start = time.process_time()
        store.apply(Changed(SERVICE, event))
        with paused_collector():
            translator.translate(compiler.compile(store.resources(generation=change + 2)).table)
        changes.append(time.process_time() - start)
    return Followed(stored - began, routed - stored, ended - routed, median(changes), peak_memory())
