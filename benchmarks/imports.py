"""What an import costs, in milliseconds of the clock: the median of five fresh interpreters, files in the page cache.

``kfambassador`` itself must stay light, because every notebook and every pipeline step pays for it. The last column
tells which of the heavy packages came along.
"""

import subprocess
import sys

from benchmarks.report import Report, median, milliseconds

MODULES = (
    "kfambassador",
    "kfambassador.resources.manifests",
    "kfambassador.routing.compile",
    "kfambassador.sdk",
    "kfambassador.kube.client",
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
    for module in MODULES:
        answers = [_import(module) for _ in range(RUNS)]
        rows.append((module, milliseconds(median([took for took, _ in answers])), answers[0][1]))
    return [Report("Import time, ms", ("module", "ms", "comes with"), tuple(rows))]


def _import(module: str) -> tuple[float, str]:
    program = [sys.executable, "-c", _PROGRAM.format(module=module)]
    took, _, heavy = subprocess.run(program, check=True, capture_output=True, text=True).stdout.partition(" ")
    return float(took), heavy.strip()
