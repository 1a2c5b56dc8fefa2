"""What an import costs, in milliseconds of the clock: the median of five fresh interpreters, files in the page cache.

``kfambassador`` itself must stay light, because every notebook and every pipeline step pays for it, and so must
``kfa.connect``: what a gateway is used with (``kfambassador.sdk.gateway``) is imported while the gateway starts. What
Python compiles is kept between the runs, as it is by everybody. The last column tells which of the heavy packages came
along.
"""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from benchmarks.report import Report, median, milliseconds

MODULES = (
    "kfambassador",
    "kfambassador.resources.manifests",
    "kfambassador.routing.compile",
    "kfambassador.sdk.connecting",
    "kfambassador.sdk.gateway",
    "kfambassador.kube.client",
    "kfambassador.kube.official",
    "kfambassador.envoy.translate",
    "kfambassador.xds.server",
    "kfambassador.controller.runtime",
    "kfambassador.local.kube.server",
)
HEAVY = ("pydantic", "requests", "kubernetes", "aiohttp", "google.protobuf", "grpc", "kfp", "ipywidgets")
RUNS = 5

_PROGRAM = f"""
import sys, time
began = time.perf_counter()
import {{module}}
took = time.perf_counter() - began
print(took, *(name for name in {HEAVY!r} if name in sys.modules))
"""


def run() -> list[Report]:
    """Import each module in fresh interpreters."""
    rows = []
    with TemporaryDirectory() as compiled:
        for module in MODULES:
            _import(module, compiled)
            answers = [_import(module, compiled) for _ in range(RUNS)]
            rows.append((module, milliseconds(median([took for took, _ in answers])), answers[0][1]))
    return [Report("Import time, ms", ("module", "ms", "comes with"), tuple(rows))]


def _import(module: str, compiled: str) -> tuple[float, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    program = [sys.executable, "-c", _PROGRAM.format(module=module)]
    took, _, heavy = subprocess.run(
        program, check=True, capture_output=True, text=True, env=kept | {"PYTHONPYCACHEPREFIX": compiled}
    ).stdout.partition(" ")
    return float(took), heavy.strip()
