"""Runs benchmarks: ``python -m benchmarks [NAME ...] [--peer FILE]``."""

import argparse
from collections.abc import Callable
from functools import partial

from rich.console import Console

from benchmarks import (
    change,
    churn,
    compile,  # noqa: A004 - named for what it measures
    hosts,
    imports,
    kube_api,
    looking,
    lookup,
    notebook,
    route_browser,
    scale,
    sdk,
)
from benchmarks.report import Report, print_report


def main() -> None:
    """Run the benchmarks that were named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and print tables.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="import, compile, change, lookup, hosts, churn, sdk, look, notebook, browser, kube or scale",
    )
    parser.add_argument("--peer", type=compile.Peer.read, metavar="FILE", help="a peer's figures, as JSON")
    options = parser.parse_args()
    benchmarks: dict[str, Callable[[], list[Report]]] = {
        "import": imports.run,
        "compile": partial(compile.run, peer=options.peer),
        "change": change.run,
        "lookup": lookup.run,
        "hosts": hosts.run,
        "churn": churn.run,
        "sdk": sdk.run,
        "look": looking.run,
        "notebook": notebook.run,
        "browser": route_browser.run,
        "kube": kube_api.run,
        "scale": scale.run,
    }
    unknown = sorted(set(options.names) - benchmarks.keys())
    if unknown:
        parser.error(f"{', '.join(unknown)} is no benchmark; there are {', '.join(benchmarks)}")
    console = Console()
    for name in options.names or benchmarks:
        with console.status(f"{name} ..."):
            reports = benchmarks[name]()
        for report in reports:
            print_report(report, console)


if __name__ == "__main__":
    main()
