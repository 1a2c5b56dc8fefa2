"""A gateway of 10,000 Services with an endpoint each, in its own processes: starts, memory, changes and lost requests.

The embedded API, two pods of ``kfambassador controller`` and ``kfambassador envoy`` each, and two model servers run as
they do in a cluster, each in a process of its own, all on this machine. Every Service carries one mapping that leads to
itself, so there are 10,000 clusters.

*Ready* is what the controller's probe says: the cluster was read, and Envoy acknowledged what was made of it. A change
is *served* once both Envoys have acknowledged it, counted from before the write, and a move of an endpoint once both
answer from where it moved. Writes begin at even times, whether or not earlier ones are served yet. Requests are sent by
another process throughout, on four connections to a hundred of the paths; lost is every answer but 200, and every
connection that breaks.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from urllib.parse import urlencode

from benchmarks.report import Report, median, milliseconds, percentile
from tests.faults.api import Manifest, carrier, endpoints, mapping
from tests.faults.load import Load, Target, ask
from tests.faults.pod import Pod
from tests.faults.programs import resident, until
from tests.faults.scene import MODELS, Scene

SIZE = 10_000
CHANGES = 400
CHANGE_RATE = 20.0
CHURNS = 500
CHURN_RATE = 1_000 / 60
_WAITERS = 64
_ASKED = 100
#: Seconds between two requests of one of four clients: some two hundred a second.
_PAUSE = 0.02
#: Seconds between two looks at where an endpoint's requests go.
_LOOK = 0.01


@dataclass(frozen=True, slots=True)
class Gateway:
    """Two pods that serve so many Services."""

    scene: Scene
    size: int

    def memory(self, when: str) -> tuple[str, ...]:
        """The memory of each process as cells of a table."""
        controllers = [pod.controller.resident() for pod in self.scene.pods]
        envoys = [resident(pod.envoy.only_child()) for pod in self.scene.pods]
        return (when, *map(str, (*controllers, *envoys)))


def run(*, size: int = SIZE, changes: int = CHANGES, churns: int = CHURNS) -> list[Report]:
    """Measure everything, on one gateway."""
    with TemporaryDirectory() as directory, Scene(Path(directory)) as scene:
        scene.api.fill(_objects(scene, size))
        gateway, first = Gateway(scene, size), scene.pod("first")
        starts = [_measure_cold_start(first)]
        scene.pod("second").start().wait_ready()
        memory = [gateway.memory("ready")]
        with _load(gateway, "a controller starts anew") as restarted:
            starts.append(_measure_restart(first))
        with _load(gateway, f"{CHANGE_RATE:g} changes a second") as changed:
            edits = _change(gateway, _edit, changes, CHANGE_RATE)
        memory.append(gateway.memory("after the changes"))
        with _load(gateway, "1,000 endpoints a minute move") as churned:
            moves = _change(gateway, _move, churns, CHURN_RATE)
        memory.append(gateway.memory("after the churn"))
        starts.append(_measure_start_without_api(scene))
    heads = ("what is written", "a second", "times", "median", "p90", "p99", "worst")
    rows = (_row("a mapping is edited", CHANGE_RATE, edits), _row("an endpoint moves", CHURN_RATE, moves))
    processes = ("when", "first controller", "second", "first Envoy", "second")
    return [
        Report(f"Starts among {size:,} Services, s", ("start", "after", "controller, MB"), tuple(starts)),
        Report("From before a write until both Envoys serve it, ms", heads, rows),
        Report("Memory, MB", processes, tuple(memory)),
        Report("Requests", ("while", "sent", "lost", "how"), tuple(map(_tell, (restarted, changed, churned)))),
    ]


def _objects(scene: Scene, size: int) -> Iterator[Manifest]:
    for number in range(size):
        yield _service(number)
        yield endpoints(f"model-{number}", [scene.places["one"]])


def _service(number: int, rewrite: str = "/") -> Manifest:
    name = f"model-{number}"
    return carrier(name, mapping(name, name, f"rewrite: {rewrite}"))


def _measure_cold_start(gateway: Pod) -> tuple[str, str, str]:
    """Time a start with nothing kept and an Envoy that knows nothing."""
    began = time.perf_counter()
    gateway.start().wait_ready()
    return _start_row("nothing kept, Envoy new", gateway, began)


def _measure_restart(gateway: Pod) -> tuple[str, str, str]:
    """Time a start beside Envoys that have everything."""
    gateway.controller.kill()
    began = time.perf_counter()
    gateway.start_controller()
    gateway.wait_ready()
    return _start_row("the controller alone, Envoy has everything", gateway, began)


def _measure_start_without_api(scene: Scene) -> tuple[str, str, str]:
    """Time how long it takes until what was kept is served by an Envoy that knows nothing, with the API away."""
    gateway = scene.gateway
    until(gateway.kept_file.exists, "what Envoy acknowledged is kept")
    scene.api.program.kill()
    gateway.controller.kill()
    gateway.envoy.kill()
    began = time.perf_counter()
    gateway.start()
    until(gateway.envoy_is_ready, "Envoy has what was kept")
    row = _start_row("the API away, Envoy new: kept routes served", gateway, began)
    scene.api.start()
    gateway.wait_ready()
    return row


def _start_row(name: str, gateway: Pod, began: float) -> tuple[str, str, str]:
    return name, f"{time.perf_counter() - began:.1f}", str(gateway.controller.resident())


def _edit(gateway: Gateway, number: int, turn: int) -> str:
    """Give a mapping another rewrite; give its Service's version."""
    written = gateway.scene.api.client.apply(_service(number, f"/{turn}/"), force=True)
    return str(written["metadata"]["resourceVersion"])


def _move(gateway: Gateway, number: int, turn: int) -> str:
    """Have a Service's endpoint move to the other model server, and back; give no version: its source is another."""
    places = gateway.scene.places
    gateway.scene.api.apply(endpoints(f"model-{number}", [places[MODELS[turn % 2]]]))
    return ""


def _change(gateway: Gateway, write: Callable[[Gateway, int, int], str], times: int, rate: float) -> list[float]:
    """Write at even times; give the seconds from before each write until it is served."""
    chance, began = random.Random(1), time.perf_counter()

    def once(turn: int) -> float:
        number = chance.randrange(gateway.size)
        time.sleep(max(0.0, began + turn / rate - time.perf_counter()))
        start = time.perf_counter()
        version = write(gateway, number, turn)
        _wait_served(gateway, number, version, turn)
        return time.perf_counter() - start

    with ThreadPoolExecutor(_WAITERS) as pool:
        return list(pool.map(once, range(times)))


def _wait_served(gateway: Gateway, number: int, version: str, turn: int) -> None:
    """Wait until an edit is acknowledged, or until requests reach the endpoint that a move named."""
    name = f"model-{number}"
    query = urlencode({"resource_version": version, "wait": 60})
    for pod in gateway.scene.pods:
        if version:
            assert json.loads(pod.read(f"sources/Service/default/{name}?{query}"))["state"] == "serving"
            continue
        while ask(pod.http_port, f"/{name}/")[1] != MODELS[turn % 2]:
            time.sleep(_LOOK)


@dataclass(slots=True)
class _Sent:
    """What became of the requests that were sent while something happened."""

    meanwhile: str
    ends: Counter[str] = field(default_factory=Counter)


@contextmanager
def _load(gateway: Gateway, meanwhile: str) -> Iterator[_Sent]:
    """Send requests from another process while the block lasts."""
    names = random.Random(2).sample(range(gateway.size), _ASKED)
    paths = [f"/model-{number}/" for number in names]
    context, sent = get_context("spawn"), _Sent(meanwhile)
    with SyncManager(ctx=context) as manager, ProcessPoolExecutor(1, mp_context=context) as pool:
        started, over = manager.Event(), manager.Event()
        client = pool.submit(_send, [pod.http_port for pod in gateway.scene.pods], paths, started, over)
        started.wait()
        try:
            yield sent
        finally:
            # Whoever sends would go on for ever, and be waited for.
            over.set()
        sent.ends = client.result()


def _send(ports: list[int], paths: list[str], started: Event, over: Event) -> Counter[str]:
    with Load([Target(port) for port in ports], paths, pause=_PAUSE).running() as load:
        started.set()
        over.wait()
    return load.answers


def _row(name: str, rate: float, seconds: list[float]) -> tuple[str, ...]:
    figures = (median(seconds), percentile(seconds, 0.9), percentile(seconds, 0.99), max(seconds))
    return (name, f"{rate:.1f}", str(len(seconds)), *map(milliseconds, figures))


def _tell(sent: _Sent) -> tuple[str, ...]:
    lost = {end: count for end, count in sent.ends.items() if end != "200"}
    told = ", ".join(f"{count} times {end}" for end, count in lost.items())
    return (sent.meanwhile, f"{sent.ends.total():,}", f"{sum(lost.values()):,}", told)
