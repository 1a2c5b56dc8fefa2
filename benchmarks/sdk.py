"""The Python SDK as a notebook meets it, by the clock: ``expose()``, the first and the next, and a canary.

First: a process that has imported nothing of ours, and no gateway running, from ``import kfambassador`` over
``connect()`` to an ``expose()`` that has returned, so that the model answers. Imports, the embedded Kubernetes API, the
controller and Envoy's start are inside; the shared gateway is a process of its own, as it is for everybody. The model
server is there already, and all files are in the page cache.

Next: more models exposed one after another, each returning once it is served and probed, in a namespace with so many
exposures of other names. Then the share of a canary is changed again and again, with the same wait.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory

from benchmarks.fresh import in_fresh_process
from benchmarks.processes import gateway, in_other_process, model_server
from benchmarks.report import Report, median, milliseconds, percentile

RUNS = 5
NEXT = 50
OTHERS = (0, 1000)
SHARES = 30

#: Of another process that starts the shared gateway, where nobody else's is.
_RUNTIME = "KFAMBASSADOR_RUNTIME_DIR"


@dataclass(frozen=True, slots=True)
class First:
    """Seconds from the first import until the gateway was connected, and until the first model answered."""

    imported: float
    connected: float
    exposed: float


@dataclass(frozen=True, slots=True)
class Changes:
    """Seconds that each ``expose()`` and each change of a canary took."""

    exposed: tuple[float, ...]
    shifted: tuple[float, ...]


def run() -> list[Report]:
    """Measure the first in fresh processes, and what follows beside few and many others."""
    with in_other_process(model_server) as port, _compiled_kept():
        in_fresh_process(measure_first, port)  # files come into the page cache, and what was compiled is kept
        firsts = [in_fresh_process(measure_first, port) for _ in range(RUNS)]
        changes = {others: in_fresh_process(measure_changes, port, others) for others in OTHERS}
    return [_report_firsts(firsts), _report_changes(changes)]


def measure_first(port: int) -> First:
    """Measure in this process, which has a shared gateway of its own."""
    with _nobodys_gateway() as stop:
        began = time.perf_counter()
        import kfambassador as kfa

        imported = time.perf_counter() - began
        with kfa.connect("local", quiet=True) as connected:
            there = time.perf_counter() - began
            connected.expose("first", service=port, server=kfa.TFServing(model="half_plus_two"))
            exposed = time.perf_counter() - began
        stop()
    return First(imported, there, exposed)


def measure_changes(port: int, others: int) -> Changes:
    """Measure in this process, with a gateway in another."""
    import kfambassador as kfa

    server = kfa.TFServing(model="half_plus_two")
    with in_other_process(gateway) as endpoint, kfa.Gateway.at(endpoint, quiet=True) as connected:
        for number in range(others):
            for manifest in kfa.render(f"other-{number}", service=port, server=server):
                connected.client.apply(manifest)
        model = connected.expose("model", service=port, server=server)
        exposed = [
            _time(partial(connected.expose, f"model-{number}", service=port, server=server)) for number in range(NEXT)
        ]
        model.canary(port, 1)
        shifted = [_time(partial(model.canary, weight=2 + number)) for number in range(SHARES)]
    return Changes(tuple(exposed), tuple(shifted))


@contextmanager
def _compiled_kept() -> Iterator[None]:
    """Let the processes that are started keep what Python compiles, as everybody's do."""
    with TemporaryDirectory() as directory:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = directory
        try:
            yield
        finally:
            del os.environ["PYTHONPYCACHEPREFIX"]


@contextmanager
def _nobodys_gateway() -> Iterator[Callable[[], object]]:
    """Let the shared gateway be one that nobody has started; give what ends it."""
    with TemporaryDirectory(prefix="kfa") as directory:
        os.environ[_RUNTIME] = directory

        def stop() -> object:
            from kfambassador.local.daemon import stop_gateway

            return stop_gateway()

        yield stop


def _time(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _report_firsts(firsts: list[First]) -> Report:
    rows = [
        (str(number), *map(milliseconds, (first.imported, first.connected, first.exposed)))
        for number, first in enumerate(firsts, start=1)
    ]
    middle = (median([first.imported for first in firsts]), median([first.connected for first in firsts]))
    rows.append(("median", *map(milliseconds, (*middle, median([first.exposed for first in firsts])))))
    return Report(
        "The first expose() on a laptop, with everything to start, ms",
        ("run", "imported", "connected", "exposed"),
        tuple(rows),
        ("All count from the first import in a fresh process.",),
    )


def _report_changes(changes: dict[int, Changes]) -> Report:
    rows = []
    for others, measured in changes.items():
        for what, times in (("expose()", measured.exposed), ("canary(weight=...)", measured.shifted)):
            figures = map(milliseconds, (median(times), percentile(times, 0.95), max(times)))
            rows.append((f"{what}, {others:,} others", str(len(times)), *figures))
    return Report(
        "Changes that are waited for, ms",
        ("call", "times", "median", "p95", "worst"),
        tuple(rows),
        ("Each returns when every Envoy has it and each of its servers has answered a probe.",),
    )
