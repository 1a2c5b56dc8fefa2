"""The embedded Kubernetes API by the clock, and etcd with a kube-apiserver where ``KUBEBUILDER_ASSETS`` names them.

Each server runs in processes of its own, keeps its state on disk and is spoken to over TLS by one client here:
HTTP/1.1 on connections that stay open, so that neither handshakes nor a library's ways are counted. What the client
needs itself is in all figures, and shares the machine with the server.

Objects are ConfigMaps with three entries, some 700 bytes as JSON. A watch's latency is the time from the moment a write
is sent to the moment each of the watchers, on a connection of its own, holds its event. Memory is what all processes of
a server hold (RSS), history for watches included.

How much a large write holds others up is told by a client that reads one small object again and again beside it.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.http_client import Connection, connect
from benchmarks.processes import in_other_process
from benchmarks.report import Report, median, milliseconds, percentile
from tests.cluster.real_server import ASSETS, Served, real_server

CREATES = 4_000
GETS = 8_000
CONNECTIONS = (1, 16)
LISTED = 10_000
LISTS = 15
WATCHERS = 100
CHANGES = 200
PACE = 0.05  # seconds from one change to the next
KEPT = 20_000
PORTS = 10_000
PAUSE = 0.001  # seconds from an answer to the next request of who reads beside a large write

_MAPS = "/api/v1/namespaces/{}/configmaps"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one server does: each second, seconds, and bytes."""

    creates: dict[int, float]
    gets: dict[int, float]
    lists: tuple[float, ...]
    latencies: tuple[float, ...]
    beside: "dict[str, Beside]"
    empty: int
    full: int


@dataclass(frozen=True, slots=True)
class Beside:
    """A large write, and what small reads beside it take: all in seconds."""

    took: float
    reads: tuple[float, ...]


def run() -> list[Report]:
    """Measure ours, and a real one where it is there."""
    servers: dict[str, Callable[[], AbstractContextManager[Served]]] = {"embedded": _embedded}
    if ASSETS:
        servers["etcd and kube-apiserver"] = real_server
    figures = {}
    for name, serve in servers.items():
        with serve() as served:
            figures[name] = asyncio.run(_measure(served))
    return [_report(figures)]


@contextmanager
def _embedded() -> Iterator[Served]:
    with in_other_process(_kube_server) as served:
        yield served


@contextmanager
def _kube_server() -> Iterator[Served]:
    from kfambassador.local.kube.server import KubeServer

    with TemporaryDirectory() as state, KubeServer(state=Path(state)) as server:
        yield Served(server.url, server.token, server.authority, (os.getpid(),))


async def _measure(served: Served) -> Figures:
    empty = _memory(served)
    creates = {number: await _create(served, f"creates-{number}", CREATES, number) for number in CONNECTIONS}
    gets = {number: await _get(served, "creates-16", number) for number in CONNECTIONS}
    await _create(served, "listed", LISTED, 16)
    lists = [await _list(served, "listed") for _ in range(LISTS)]
    latencies = await _watch(served)
    made = len(CONNECTIONS) * CREATES + LISTED
    await _create(served, "kept", KEPT - made, 16)
    full = _memory(served)
    return Figures(creates, gets, tuple(lists), tuple(latencies), await _disturb(served), empty, full)


def _memory(served: Served) -> int:
    return sum(
        int(line.split()[1]) * 1024
        for pid in served.pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )


@asynccontextmanager
async def _connections(served: Served, number: int) -> AsyncIterator[list[Connection]]:
    found = [await connect(served.url, served.token) for _ in range(number)]
    yield found
    for connection in found:
        connection.close()


async def _create(served: Served, namespace: str, number: int, connections: int) -> float:
    """Create a namespace with so many objects; give how many were created each second."""
    async with _connections(served, connections) as found:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await found[0].ask("POST", "/api/v1/namespaces", json.dumps(body).encode())
        bodies = [_config_map(f"map-{each}") for each in range(number)]
        path = _MAPS.format(namespace)
        return await _rate(found, [("POST", path, body) for body in bodies])


async def _get(served: Served, namespace: str, connections: int) -> float:
    async with _connections(served, connections) as found:
        path = _MAPS.format(namespace)
        return await _rate(found, [("GET", f"{path}/map-{each % CREATES}", b"") for each in range(GETS)])


async def _rate(connections: list[Connection], requests: list[tuple[str, str, bytes]]) -> float:
    rest = iter(requests)

    async def ask_on(connection: Connection) -> None:
        for request in rest:
            await connection.ask(*request)

    began = time.perf_counter()
    await asyncio.gather(*map(ask_on, connections))
    return len(requests) / (time.perf_counter() - began)


async def _list(served: Served, namespace: str) -> float:
    async with _connections(served, 1) as (connection,):
        began = time.perf_counter()
        answer = await connection.ask("GET", _MAPS.format(namespace))
        took = time.perf_counter() - began
    assert answer.count(b'"name":"map-') == LISTED
    return took


async def _watch(served: Served) -> list[float]:
    """Change an object again and again; give the seconds until each of the watchers had each change."""
    path = _MAPS.format("watched")
    await _create(served, "watched", 1, 1)
    sent: list[float] = []
    async with _connections(served, WATCHERS) as watchers, _connections(served, 1) as (writer,):
        version = json.loads(await writer.ask("GET", f"{path}/map-0"))["metadata"]["resourceVersion"]
        for watcher in watchers:
            watcher.listen(f"{path}?watch=true&resourceVersion={version}")
        await asyncio.sleep(1)
        for number in range(CHANGES):
            patch = json.dumps({"data": {"changed": str(number)}}).encode()
            sent.append(time.perf_counter())
            await writer.ask("PATCH", f"{path}/map-0", patch, media="application/merge-patch+json")
            await asyncio.sleep(max(0.0, PACE - (time.perf_counter() - sent[-1])))
        await asyncio.sleep(1)
    arrived = [list(_list_arrivals(watcher)) for watcher in watchers]
    assert all(len(times) == CHANGES for times in arrived)
    return [there - began for times in arrived for began, there in zip(sent, times, strict=True)]


def _list_arrivals(watcher: Connection) -> Iterator[float]:
    """The time of each event: an event is a line, and there once its end is."""
    for arrived, part in watcher.arrivals or ():
        yield from [arrived] * part.count(b"}\n")


async def _disturb(served: Served) -> dict[str, Beside]:
    """Ask for large writes, and read a small object beside each."""
    large = "/api/v1/namespaces/watched/services/large"
    apply, strategic = "application/apply-patch+yaml", "application/strategic-merge-patch+json"
    return {
        f"apply of {PORTS:,} ports": await _beside(
            served, "PATCH", f"{large}?fieldManager=a", _service(shift=0), media=apply
        ),
        "another's apply of all of them": await _beside(
            served, "PATCH", f"{large}?fieldManager=b&force=true", _service(shift=1), media=apply
        ),
        "strategic patch of all of them": await _beside(served, "PATCH", large, _service(shift=2), media=strategic),
        f"deletecollection of {LISTED:,}": await _beside(served, "DELETE", _MAPS.format("listed")),
    }


async def _beside(
    served: Served, method: str, target: str, body: bytes = b"", *, media: str = "application/json"
) -> Beside:
    reads: list[float] = []

    async def read(reader: Connection) -> None:
        while True:
            began = time.perf_counter()
            await reader.ask("GET", f"{_MAPS.format('watched')}/map-0")
            reads.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)

    async with _connections(served, 2) as (writer, reader):
        reading = asyncio.create_task(read(reader))
        began = time.perf_counter()
        await writer.ask(method, target, body, media=media)
        took = time.perf_counter() - began
        reading.cancel()
        await asyncio.wait({reading})
    return Beside(took, tuple(reads))


def _service(*, shift: int) -> bytes:
    ports = [
        {"name": f"p{each}", "port": 1 + each, "protocol": "TCP", "targetPort": 1 + each + shift}
        for each in range(PORTS)
    ]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "large"}, "spec": {"ports": ports}}
    return json.dumps(service).encode()


def _config_map(name: str) -> bytes:
    data = {key: f"{key} of {name}: " + "x" * 60 for key in ("address", "model", "version")}
    metadata = {"name": name, "labels": {"app": name}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}).encode()


_PICKS: Final[dict[str, Callable[[tuple[float, ...]], float]]] = {
    "p50": lambda times: percentile(times, 0.5),
    "p99": lambda times: percentile(times, 0.99),
    "worst": max,
}


def _report(figures: dict[str, Figures]) -> Report:
    rows = [
        *(
            (f"creates/s, {number} connections", *(f"{each.creates[number]:,.0f}" for each in figures.values()))
            for number in CONNECTIONS
        ),
        *(
            (f"gets/s, {number} connections", *(f"{each.gets[number]:,.0f}" for each in figures.values()))
            for number in CONNECTIONS
        ),
        (f"list of {LISTED:,}, ms, median", *(milliseconds(median(each.lists)) for each in figures.values())),
        *(
            (
                f"watch with {WATCHERS} watchers, ms, p{share * 100:.0f}",
                *(milliseconds(percentile(each.latencies, share)) for each in figures.values()),
            )
            for share in (0.5, 0.99)
        ),
        ("memory, MB, when empty", *(f"{each.empty / 1e6:,.0f}" for each in figures.values())),
        (f"memory, MB, with {KEPT:,} objects", *(f"{each.full / 1e6:,.0f}" for each in figures.values())),
    ]
    for write in next(iter(figures.values())).beside:
        each = [figure.beside[write] for figure in figures.values()]
        rows.append((f"{write}, ms", *(milliseconds(one.took) for one in each)))
        rows += [
            (f"a read beside it, ms, {name}", *(milliseconds(pick(one.reads)) for one in each))
            for name, pick in _PICKS.items()
        ]
    notes = ("The client shares the machine with the server, and speaks TLS like any other.",)
    return Report("The Kubernetes API", ("what", *figures), tuple(rows), notes)
