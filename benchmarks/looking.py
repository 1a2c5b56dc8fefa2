"""Looking at a gateway from Python, by the clock: whole calls, from the question to the objects in hand.

``routes()`` and ``explain()`` among 5,000 mappings of a hundred Services: the first time, right after a change, and
when asked again. ``statistics()`` of one model and of all, where a thousand mappings have a cluster each. And the same
table where no read API can be asked, so that the caller lists and compiles it itself, from a thousand Services.

The gateway is a process of its own. What the first call of a kind has to import is part of it.
"""

import time
from collections.abc import Callable, Iterable

from benchmarks.fresh import in_fresh_process, resident_memory
from benchmarks.inputs import annotated_service, mapping_text, prefix
from benchmarks.processes import gateway, in_other_process
from benchmarks.report import Report, median, milliseconds
from kfambassador.problems import ObjectKey
from kfambassador.sdk.gateway import Gateway

MAPPINGS = 5000
A_SERVICE = 50
CLUSTERS = 1000
TIMES = 10

#: Seconds by what was called.
Times = dict[str, tuple[float, ...]]


def run() -> list[Report]:
    """Measure each in a fresh process."""
    routes, held = in_fresh_process(measure_routes)
    tables = {
        f"{MAPPINGS:,} mappings": routes,
        f"{CLUSTERS:,} clusters": in_fresh_process(measure_statistics),
        f"{CLUSTERS:,} Services, no read API": in_fresh_process(measure_own_reading),
    }
    rows = [
        (among, call, str(len(times)), milliseconds(times[0]), milliseconds(median(times)))
        for among, measured in tables.items()
        for call, times in measured.items()
    ]
    note = f"What routes() gives holds {held / 2**20:.0f} MB."
    return [Report("Looking from Python, ms", ("among", "call", "times", "first", "median"), tuple(rows), (note,))]


def measure_routes() -> tuple[Times, int]:
    """Measure routes() and explain() in this process; give also the bytes that the routes hold."""
    with in_other_process(gateway) as endpoint, Gateway.at(endpoint, quiet=True) as connected:
        for number in range(0, MAPPINGS, A_SERVICE):
            _write(connected, number, map(_text, range(number, number + A_SERVICE)))
        connected.explain("GET", "/")
        before = resident_memory()
        began = time.perf_counter()
        routes = connected.routes()
        first, held = time.perf_counter() - began, resident_memory() - before
        changed: list[float] = []
        for number in range(TIMES):
            _write(connected, 0, [_text(0, f"/{number}/"), *map(_text, range(1, A_SERVICE))])
            changed += _time(connected.routes, times=1)
        path = prefix(len(routes) - 1)
        times: Times = {
            "routes(), the first": (first,),
            "routes() after a change": tuple(changed),
            "routes() again": _time(connected.routes),
            "explain()": _time(lambda: connected.explain("POST", path)),
            "explain(ask_envoy=True)": _time(lambda: connected.explain("POST", path, ask_envoy=True)),
        }
    return times, held


def measure_statistics() -> Times:
    """Measure statistics() in this process."""
    with in_other_process(gateway) as endpoint, Gateway.at(endpoint, quiet=True) as connected:
        _publish_apart(connected)
        reader = connected._access.reader  # noqa: SLF001 - an exposure asks in the same way
        return {
            "statistics()": _time(connected.statistics),
            "statistics() of one": _time(lambda: reader.statistics([f"default/model-{CLUSTERS - 1}"])),
        }


def measure_own_reading() -> Times:
    """Measure what takes the read API's place, in this process."""
    from kfambassador.routing.policy import TenancyPolicy
    from kfambassador.sdk.reaching.own_reading import OwnReading

    with in_other_process(gateway) as endpoint, Gateway.at(endpoint, quiet=True) as connected:
        _publish_apart(connected)
        reader = OwnReading(connected.client, TenancyPolicy.laptop(), reason="it is measured without one")
        key = ObjectKey("Service", "default", "model-0")
        return {
            "routes()": _time(reader.routes),
            "explain()": _time(lambda: reader.explain("POST", prefix(0), {})),
            "an object's state": _time(lambda: reader.source(key)),
        }


def _publish_apart(connected: Gateway) -> None:
    """Publish mappings with a Service and a cluster each."""
    for number in range(CLUSTERS):
        text = mapping_text(number, service=f"127.0.0.1:{10_000 + number}", rewrite="/v1/models/model/")
        connected.client.apply(annotated_service(number, text), force=True)
    _await_served(connected, CLUSTERS - 1, "")


def _write(connected: Gateway, number: int, texts: Iterable[str]) -> None:
    """Write the Service of that number, and wait until what it says is served."""
    written = connected.client.apply(annotated_service(number, "".join(texts)), force=True)
    _await_served(connected, number, str(written["metadata"]["resourceVersion"]))


def _await_served(connected: Gateway, number: int, version: str) -> None:
    key = ObjectKey("Service", "default", f"model-{number}")
    connected._access.reader.source(key, resource_version=version, wait=30.0)  # noqa: SLF001 - as expose() waits


def _text(number: int, rewrite: str = "/v1/models/model/") -> str:
    return mapping_text(number, service="127.0.0.1:8501", rewrite=rewrite)


def _time(act: Callable[[], object], *, times: int = TIMES) -> tuple[float, ...]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return tuple(taken)
