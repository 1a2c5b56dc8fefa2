"""An open route browser, as the kernel of a notebook carries it: processor time, memory, and what travels to the page.

A real kernel shows a gateway at the end of a cell, with 5 routes and with 5,000. Then nothing is run in it any more.
First nothing changes either; then the routes of one Service, up to 50 of them, are rewritten ten times a second. Beside
it stand an empty kernel, and one that is connected and has read the routes once, without and with the same changes. The
page is only a client that reads what it is sent: what a browser does with it is measured by ``route_browser``. The
gateway is a process of its own; a Jupyter server is left out.
"""

import os
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.fresh import read_status
from benchmarks.inputs import annotated_service, mapping_text
from benchmarks.kernel import run_cell, running_kernel
from benchmarks.processes import gateway, in_other_process
from benchmarks.report import Report, milliseconds
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.sdk.gateway import Gateway

SIZES = (5, 5000)
SECONDS = 20.0
CHANGES_A_SECOND = 10
A_SERVICE = 50
_SETTLED = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Window:
    """What a kernel took in a while.

    Attributes:
        share: Of one processor, from 0 to 1.
        memory: Bytes it held at the end.
        messages: How many it sent to the page, a second.
        sent: Bytes of tables that it sent, a second.
        changes: How many were made, a second.
    """

    share: float
    memory: int
    messages: float
    sent: float
    changes: float = 0.0

    def row(self, routes: int, what: str) -> tuple[str, ...]:
        """The same as cells of a table."""
        said = (f"{self.messages:.1f}", f"{self.sent / 1000:.1f}")
        return (
            f"{routes:,}", what, f"{self.changes:.1f}", f"{self.share:.1%}", f"{self.memory / 2**20:.0f}", *said
        )  # fmt: skip


def run(*, seconds: float = SECONDS) -> list[Report]:
    """Measure with few and with many routes."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for routes in SIZES:
        shown, windows = measure(routes, seconds=seconds)
        rows += [window.row(routes, what) for what, window in windows.items()]
        notes.append(f"With {routes:,} routes the cell that shows the gateway takes {milliseconds(shown)} ms.")
    heads = ("routes", "what happens", "changes/s", "processor", "memory, MB", "messages/s", "tables, kB/s")
    return [Report(f"The kernel of an open route browser, {seconds:.0f} s each", heads, tuple(rows), tuple(notes))]


def measure(routes: int, *, seconds: float) -> tuple[float, dict[str, Window]]:
    """Measure with so many routes; give also the seconds that showing them took."""
    with in_other_process(gateway) as endpoint, Gateway.at(endpoint, quiet=True) as connected:
        for number in range(0, routes, A_SERVICE):
            _write(connected, number, range(number, min(number + A_SERVICE, routes)))
        change = partial(_keep_changing, connected, min(routes, A_SERVICE), seconds)
        with running_kernel() as (client, process):
            watch = partial(_watch, client, process, seconds=seconds)
            windows = {"an empty kernel": watch()}
            run_cell(client, _connecting(endpoint))
            windows["connected, nothing shown"] = watch()
            windows["the same, changes"] = _watch_changes(watch, change)
            began = time.perf_counter()
            run_cell(client, "gateway")
            shown = time.perf_counter() - began
            _drain(client, _SETTLED)
            windows["shown, nothing changes"] = watch()
            windows["shown, changes"] = _watch_changes(watch, change)
    return shown, windows


def _watch_changes(watch: Callable[[], Window], change: Callable[[], float]) -> Window:
    """Watch while changes are made."""
    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        return replace(watch(), changes=changing.result())


def _connecting(endpoint: GatewayEndpoint) -> str:
    # What is called away from a laptop's own directory is asked for by its parts.
    told = {**asdict(endpoint), "state": None}
    return (
        "import kfambassador as kfa\nfrom kfambassador.local.endpoint import GatewayEndpoint\n"
        f"gateway = kfa.Gateway.at(GatewayEndpoint(**{told!r}), quiet=True)\ngateway.routes();"
    )


def _write(connected: Gateway, carrier: int, numbers: range, rewrite: str = "/v1/models/model/") -> None:
    texts = (mapping_text(number, service="127.0.0.1:8501", rewrite=rewrite) for number in numbers)
    connected.client.apply(annotated_service(carrier, "".join(texts)), force=True)


def _keep_changing(connected: Gateway, mappings: int, seconds: float) -> float:
    """Change the rewrite of the first Service's mappings again and again; give how often a second it was done."""
    began = time.monotonic()
    times = round(seconds * CHANGES_A_SECOND)
    for number in range(times):
        time.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.monotonic()))
        _write(connected, 0, range(mappings), f"/{number}/")
    return times / max(seconds, time.monotonic() - began)


def _watch(client: Any, process: int, *, seconds: float) -> Window:  # noqa: ANN401 - it has no types
    """Listen for a while, and tell what the kernel took."""
    before = _processor_time(process)
    messages, sent = _drain(client, seconds)
    share = (_processor_time(process) - before) / seconds
    return Window(share, read_status("VmRSS", process), messages / seconds, sent / seconds)


def _drain(client: Any, seconds: float) -> tuple[int, int]:  # noqa: ANN401 - it has no types
    """Read what is sent to the page; give how many messages, and the bytes of tables."""
    messages = sent = 0
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            said = client.get_iopub_msg(timeout=left)
        except queue.Empty:
            break
        messages += 1
        sent += sum(map(len, said["buffers"]))
    return messages, sent


def _processor_time(process: int) -> float:
    """Seconds of processor time that a process has taken."""
    _, _, after = Path(f"/proc/{process}/stat").read_text().rpartition(") ")
    fields = after.split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
