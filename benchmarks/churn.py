"""Requests lost while the very route they use changes a thousand times, and its cluster is swapped four hundred times.

A whole laptop gateway holds a thousand mappings. Three clients in processes of their own, a connection each, ask for
one of them as fast as they can. Meanwhile its rewrite is edited through the Kubernetes API, each edit as soon as the
last one is served; then its service is moved back and forth between two backends, which takes the old cluster away each
time. Lost is every answer but 200, and every connection that breaks.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from threading import Barrier, Event

from benchmarks.change import fill
from benchmarks.inputs import prefix
from benchmarks.processes import echo_server, in_other_process
from benchmarks.report import Report
from benchmarks.world import World, ask, connection, running_world

SIZE = 1_000
EDITS = 1_000
SWAPS = 400
CLIENTS = 3
_CHURNED = 500


@dataclass(frozen=True, slots=True)
class Losses:
    """What the clients saw: how many requests had which end."""

    changes: int
    ends: Counter[str]

    def row(self, name: str) -> tuple[str, ...]:
        """The losses as cells of a table."""
        lost = self.ends - Counter({"200": self.ends["200"]})
        told = ", ".join(f"{count} times {end}" for end, count in lost.items())
        return (name, f"{self.changes:,}", f"{self.ends.total():,}", f"{lost.total():,}", told)


def run(*, size: int = SIZE, edits: int = EDITS, swaps: int = SWAPS) -> list[Report]:
    """Churn a route, then its cluster."""
    with running_world() as world, in_other_process(echo_server) as second:
        fill(world, size)
        backends = (f"127.0.0.1:{world.backend}", f"127.0.0.1:{second}")
        edited = _churn(world, [{"rewrite": f"/{number}/"} for number in range(edits)])
        swapped = _churn(world, [{"service": backends[number % 2]} for number in range(swaps)])
    rows = (edited.row("the route is edited"), swapped.row("its cluster is swapped"))
    heads = ("what changes", "changes", "requests", "lost", "how")
    return [Report(f"Requests lost among {size:,} mappings, {CLIENTS} clients", heads, rows)]


def _churn(world: World, changes: Sequence[dict[str, str]]) -> Losses:
    context = get_context("spawn")
    with SyncManager(ctx=context) as manager, ProcessPoolExecutor(CLIENTS, mp_context=context) as pool:
        started, over = manager.Barrier(CLIENTS + 1), manager.Event()
        clients = [pool.submit(_hammer, world.endpoint.port, started, over) for _ in range(CLIENTS)]
        started.wait()
        for change in changes:
            world.wait_served(_CHURNED, world.publish(_CHURNED, **change))
        over.set()
        return Losses(len(changes), sum((client.result() for client in clients), Counter()))


def _hammer(port: int, started: Barrier, over: Event) -> Counter[str]:
    """Ask until told that it is over; count how each request ended."""
    ends: Counter[str] = Counter()
    with connection(port) as client:
        started.wait()
        while not over.is_set():
            for _ in range(100):  # asking whether it is over takes longer than a request
                ends[_end_of(client)] += 1
    return ends


def _end_of(client: HTTPConnection) -> str:
    """Send one request and tell how it ended; after a broken connection the next one opens another."""
    try:
        status, _ = ask(client, prefix(_CHURNED))
    except (OSError, HTTPException) as error:
        client.close()
        return type(error).__name__
    return str(status)
