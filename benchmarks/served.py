"""One Envoy that holds a given snapshot and is left alone with it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kfambassador.envoy.bootstrap import BootstrapSettings, write_bootstrap
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.local.envoy_process import EnvoyProcess, private_directory
from kfambassador.xds.server import XdsServer

_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Served:
    """A running Envoy.

    Attributes:
        port: Where it listens.
        process: Its entry in ``/proc``.
    """

    port: int
    process: Path

    def worker_seconds(self) -> float:
        """The processor time its worker threads have used so far."""
        threads = (self.process / "task").iterdir()
        workers = [thread for thread in threads if (thread / "comm").read_text().startswith("wrk:worker")]
        return sum(int((worker / "schedstat").read_text().split()[0]) for worker in workers) / _NANOSECONDS

    def memory(self) -> int:
        """The memory it holds, in bytes."""
        pages = int((self.process / "statm").read_text().split()[1])
        return pages * 4096


@contextmanager
def serving(snapshot: Snapshot) -> Iterator[Served]:
    """Run an Envoy with one worker thread that was given a snapshot."""
    with private_directory() as directory, EnvoyProcess(directory, concurrency=1) as envoy:
        asyncio.run(_feed(snapshot, envoy, directory))
        yield Served(envoy.address()[1], _find_process(directory))


async def _feed(snapshot: Snapshot, envoy: EnvoyProcess, directory: Path) -> None:
    """Start Envoy and give it the snapshot; without a control plane it then goes on with what it holds."""
    server = XdsServer(f"unix:{directory / 'xds.sock'}")
    await server.start()
    server.publish(snapshot)
    await asyncio.to_thread(envoy.start, write_bootstrap(BootstrapSettings(directory)))
    await server.stop()
    # gRPC's own tasks end a moment after the server; a loop that is closed before they do complains.
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left, timeout=1)


def _find_process(directory: Path) -> Path:
    for process in Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().split(b"\0")
        if words[0].endswith(b"envoy") and any(word.startswith(bytes(directory)) for word in words):
            return process
    raise RuntimeError(f"no Envoy runs from {directory}")
