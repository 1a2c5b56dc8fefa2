"""What it costs Envoy to find a route among many hosts, and among many regular expressions beside many prefixes.

Measured as ``lookup`` does, and beside a table of ten routes: every case has an Envoy of its own with one worker,
all run at once and take turns. The request is for the last route in evaluation order that its host and path can reach.
The second table tells what the tables hold: a route that requests of several kinds could reach stands there as often.
"""

from collections.abc import Iterator

from benchmarks.lookup import (
    COLUMNS,
    ROUNDS,
    SERVICE,
    Case,
    build_table,
    last_path,
    measure,
    tell,
    tell_how,
    write_models,
)
from benchmarks.report import Report
from kfambassador.envoy.layout import find_limit, lay_out
from kfambassador.envoy.tables import TableBuilder, place_route
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.model import RoutingTable

HOSTS, PREFIXES_PER_HOST, BESIDE = 1_000, 10, 100
EXPRESSIONS, PREFIXES = 200, 5_000
_FEW = 10

_BASE = "10 prefixes"
_HOSTS = f"{HOSTS:,} hosts, {PREFIXES_PER_HOST} prefixes each"
_HOSTS_BESIDE = f"the same beside {BESIDE} prefixes for any host"
_EXPRESSIONS = f"{EXPRESSIONS} expressions, {PREFIXES:,} prefixes"
_ALL = "these hosts, expressions and prefixes"

_LAST_HOST = ("/part-0/", "tenant-0000.example.com")
_EXPRESSION = ("/models/team-0/version-1/experiment-000/", "gateway")


def run(*, rounds: int = ROUNDS) -> list[Report]:
    """Measure all cases side by side."""
    tables = {name: build_table(mappings) for name, mappings in _write_all().items()}
    few, many = (last_path(_FEW), "gateway"), (last_path(PREFIXES), "gateway")
    plan = (
        (_BASE, "tree", "a prefix", few),
        (_HOSTS, "tree", "a host's prefix", _LAST_HOST),
        (_HOSTS, "list", "a host's prefix", _LAST_HOST),
        (_HOSTS_BESIDE, "tree", "a host's prefix", _LAST_HOST),
        (_HOSTS_BESIDE, "tree", "a prefix for any host", (last_path(BESIDE), "tenant-0000.example.com")),
        (_EXPRESSIONS, "tree", "a prefix", many),
        (_EXPRESSIONS, "list", "a prefix", many),
        (_EXPRESSIONS, "tree", "an expression", _EXPRESSION),
        (_EXPRESSIONS, "list", "an expression", _EXPRESSION),
        (_ALL, "tree", "a host's prefix", _LAST_HOST),
        (_ALL, "tree", "a prefix", many),
    )
    costs = measure([Case(tables[name], layout, *request) for name, layout, _, request in plan], rounds)
    rows = tuple(
        (name, layout, asked, *tell(cost, costs[0])) for (name, layout, asked, _), cost in zip(plan, costs, strict=True)
    )
    title = "Finding a route among hosts and expressions, one Envoy worker"
    return [Report(title, ("table", "layout", "request for", *COLUMNS), rows, tell_how(rounds)), _tell_sizes(tables)]


def _tell_sizes(tables: dict[str, RoutingTable]) -> Report:
    rows = []
    for name, table in tables.items():
        routes, size = len(table.routes()), len(TableBuilder().build(table).body)
        entries = sum(
            layout.count_entries() for layout in lay_out([place_route(each).standing for each in table.routes()])
        )
        cells = (
            f"{routes:,}",
            f"{entries:,}",
            f"{entries / routes:.2f}",
            f"{find_limit(routes):,}",
            f"{size / 1e6:.2f}",
        )
        rows.append((name, *cells))
    columns = ("table", "routes", "entries", "a route", "at most", "MB")
    return Report("What the tables hold", columns, tuple(rows))


def _write_all() -> dict[str, list[Mapping]]:
    hosts, expressions, prefixes = list(_write_hosts()), list(_write_expressions()), write_models(PREFIXES)
    return {
        _BASE: write_models(_FEW),
        _HOSTS: hosts,
        _HOSTS_BESIDE: hosts + write_models(BESIDE),
        _EXPRESSIONS: expressions + prefixes,
        _ALL: hosts + expressions + prefixes,
    }


def _write_hosts() -> Iterator[Mapping]:
    for number in range(HOSTS):
        for part in range(PREFIXES_PER_HOST):
            name, host = f"tenant-{number}-{part}", f"tenant-{number:04}.example.com"
            yield Mapping(name=name, host=host, prefix=f"/part-{part}/", method="POST", service=SERVICE)


def _write_expressions() -> Iterator[Mapping]:
    """Expressions that no prefix can tell apart, and that are evaluated before the prefixes."""
    for number in range(EXPRESSIONS):
        text = f"/.*/version-[0-9]+/experiment-{number:03}/.*"
        yield Mapping(name=f"experiment-{number}", prefix=text, prefix_regex=True, method="POST", service=SERVICE)
