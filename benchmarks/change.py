"""One change to served: from the write to the Kubernetes API to the first answer that shows it, by the clock.

The whole gateway runs in a process of its own, as on a laptop: embedded API, controller, and Envoy beside it. As many
Services as the row says carry a mapping each. One of them is edited thirty times (its rewrite), and a client that
keeps one connection asks again every half millisecond until the backend is asked for the new path. So the write, the
watch, the store, compile, translate, xDS and Envoy's own work are all inside; so is up to one pause of the client. A
pause of 50 ms between two edits makes each one the first after a calm.

"shared": all mappings lead to one cluster. "own": each has a cluster of its own.
"""

import time
from collections.abc import Sequence
from itertools import count

from benchmarks.inputs import prefix
from benchmarks.report import Report, median, milliseconds, percentile
from benchmarks.world import World, ask, connection, running_world

ROWS = ((100, False), (1_000, False), (10_000, False), (1_000, True), (10_000, True))
CHANGES = 30
_CALM = 0.05
_PAUSE = 0.0005


def run(*, rows: Sequence[tuple[int, bool]] = ROWS) -> list[Report]:
    """Measure every row, each in a gateway of its own."""
    cells = []
    for size, own in rows:
        writes, served = measure(size, own=own)
        times = (median(writes), median(served), percentile(served, 0.9), max(served))
        cells.append((f"{size:,}", "own" if own else "shared", *map(milliseconds, times)))
    return [
        Report(
            "One change to served, ms",
            ("mappings", "clusters", "the write alone", "median", "p90", "worst"),
            tuple(cells),
            (f"{CHANGES} changes a row, from before the write to the first answer that shows it.",),
        )
    ]


def measure(size: int, *, own: bool) -> tuple[list[float], list[float]]:
    """Measure one size: the seconds of each write, and from each write's start to its being served."""
    with running_world() as world, connection(world.endpoint.port) as client:
        fill(world, size, own=own)
        edited = size // 2
        writes, served = [], []
        for change in count(1):
            time.sleep(_CALM)
            began = time.perf_counter()
            world.publish(edited, rewrite=f"/{change}/")
            written = time.perf_counter()
            while ask(client, prefix(edited)) != (200, b"/%d/" % change):
                time.sleep(_PAUSE)
            ended = time.perf_counter()
            writes.append(written - began)
            served.append(ended - began)
            if change == CHANGES:
                return writes, served
    raise AssertionError("unreachable")


def fill(world: World, size: int, *, own: bool = False) -> None:
    """Publish so many mappings, and wait until all of them are served."""
    version = ""
    for number in range(size):
        # Nobody listens there, and nobody asks: only the edited mapping is ever called.
        elsewhere = f"127.{1 + number // 65_536}.{number // 256 % 256}.{number % 256}:9" if own else ""
        version = world.publish(number, service=elsewhere)
    world.wait_served(size - 1, version)
