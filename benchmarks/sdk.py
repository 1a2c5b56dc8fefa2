"""``expose()`` as a notebook meets it, by the clock: the first with everything to start, and the next fifty.

First: from ``connect()`` in a process that has imported nothing of ours, with no gateway running, to an ``expose()``
that has returned, so that the model answers. Imports, the embedded Kubernetes API, the controller and Envoy's start are
inside. The model server is there already. Then fifty more models are exposed one after another, each returning once it
is served and probed.

The gateway lives in the same process as the caller, the worst case: both share one interpreter.
"""

import time
from dataclasses import dataclass

from benchmarks.fresh import in_fresh_process
from benchmarks.report import Report, median, milliseconds, percentile

NEXT = 50
RUNS = 3


@dataclass(frozen=True, slots=True)
class Exposures:
    """Seconds until the gateway was there, until the first model answered, and for each that followed."""

    connected: float
    first: float
    following: tuple[float, ...]


def run() -> list[Report]:
    """Measure in three fresh processes, and show each."""
    rows = []
    for number in range(1, RUNS + 1):
        got = in_fresh_process(measure)
        following = (median(got.following), percentile(got.following, 0.9), max(got.following))
        rows.append((str(number), *map(milliseconds, (got.connected, got.first, *following))))
    return [
        Report(
            "expose() on a laptop, ms",
            ("run", "gateway up", "first exposed", f"next {NEXT}: median", "p90", "worst"),
            tuple(rows),
            ("Both of the first two count from the first import.",),
        )
    ]


def measure() -> Exposures:
    """Measure in this process."""
    from kfambassador.local.models import ModelServer

    with ModelServer() as model:
        began = time.perf_counter()
        from kfambassador.local.stack import LocalStack
        from kfambassador.sdk.gateway import Gateway
        from kfambassador.sdk.servers import TFServing

        service, server = f"127.0.0.1:{model.port}", TFServing(model=model.name)
        with LocalStack() as stack, Gateway.at(stack.endpoint) as gateway:
            connected = time.perf_counter() - began
            gateway.expose("first", service=service, server=server)
            first = time.perf_counter() - began
            following = []
            for number in range(NEXT):
                start = time.perf_counter()
                gateway.expose(f"model-{number}", service=service, server=server)
                following.append(time.perf_counter() - start)
    return Exposures(connected, first, tuple(following))
