"""What it costs Envoy to find the last of so many routes: the tree we serve, beside a plain list of the same routes.

Every size and layout has an Envoy of its own with one worker thread, fed by our own xDS server. All run at once and
take turns in rounds, so that what else happens on the machine falls on all of them; medians count. The request is
for the last route in evaluation order: the worst one of a list, any one of a tree.

The route leads to a Service without endpoints, so Envoy does all of a request's own work (parsing, filters, finding the
route and the cluster), and then answers 503 itself. A backend would only add its own cost to every row and hide the
difference: this is the comparison that is hardest on the tree.

Processor time is that of Envoy's worker thread alone, from ``/proc``, so the load generator's does not count. Requests
per second are what the generator and one worker reach together on this machine.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from benchmarks.inputs import prefix
from benchmarks.load import CONNECTIONS, generator, send
from benchmarks.report import Report, median
from benchmarks.served import Served, serving
from kfambassador.envoy.listeners import ROUTES, ListenerSettings
from kfambassador.envoy.protos import RouteConfiguration, RouteList
from kfambassador.envoy.routes import build_routes
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.envoy.translate import translate
from kfambassador.problems import Origin
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.resources.service import Service, ServiceKey, ServicePort
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.model import RoutingTable

TREES = (10, 1_000, 10_000, 50_000)
LISTS = (10, 1_000, 10_000)
ROUNDS = 5
SECONDS = 2
_NO_ENDPOINTS = 503


def run(*, trees: Sequence[int] = TREES, lists: Sequence[int] = LISTS, rounds: int = ROUNDS) -> list[Report]:
    """Measure all sizes and layouts side by side."""
    plan = [("tree", size) for size in trees] + [("list", size) for size in lists]
    with ExitStack() as stack:
        served = [stack.enter_context(serving(build_snapshot(size, layout=layout))) for layout, size in plan]
        paths = [check(each, size) for each, (_, size) in zip(served, plan, strict=True)]
        rates: list[list[float]] = [[] for _ in plan]
        costs: list[list[float]] = [[] for _ in plan]
        for _ in range(rounds):
            for index, each in enumerate(served):
                before = each.worker_seconds()
                rate = send(each.port, paths[index], seconds=SECONDS)
                rates[index].append(rate)
                costs[index].append((each.worker_seconds() - before) / (rate * SECONDS))
        memory = [each.memory() for each in served]
    return [_tell(plan, [median(each) for each in rates], [median(each) for each in costs], memory)]


def _tell(
    plan: Sequence[tuple[str, int]], rates: Sequence[float], costs: Sequence[float], memory: Sequence[int]
) -> Report:
    rows = tuple(
        (layout, f"{size:,}", f"{rate:,.0f}", f"{rate / rates[0]:.2f}", f"{cost * 1e6:.1f}", f"{costs[0] / cost:.2f}",
         f"{held / 1e6:.0f}")
        for (layout, size), rate, cost, held in zip(plan, rates, costs, memory, strict=True)
    )  # fmt: skip
    return Report(
        "Finding the last route, one Envoy worker",
        ("layout", "routes", "requests/s", "ratio", "CPU, µs", "ratio", "Envoy, MB"),
        rows,
        (
            f"By {generator()}, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s in turn; medians.",
            "Ratios are to the first row; 1.00 is as good as with that few routes.",
        ),
    )


def build_snapshot(size: int, *, layout: str) -> Snapshot:
    """Build a gateway with so many routes to one Service that has no endpoints."""
    service = Service(ServiceKey("default", "nobody"), (ServicePort(80, ""),))
    mappings = tuple(
        SourcedMapping(
            Mapping(name=f"model-{number}", prefix=prefix(number), method="POST", service="nobody"),
            Origin(document=number),
            namespace="default",
        )
        for number in range(size)
    )
    table = compile_routes(ResourceSet(mappings=mappings, services={service.key: service})).table
    snapshot = translate(table, ListenerSettings(port=0))
    return snapshot if layout == "tree" else _flatten(snapshot, table)


def _flatten(snapshot: Snapshot, table: RoutingTable) -> Snapshot:
    """Put the same routes into a plain list, in the same order."""
    routes = RouteList.FromString(b"".join(map(build_routes, table.routes()))).routes
    plain = RouteConfiguration(name=ROUTES, virtual_hosts=[{"name": "all", "domains": ["*"], "routes": routes}])
    resource = XdsResource.of(ROUTES, plain.SerializeToString(deterministic=True))
    return replace(snapshot, resources={**snapshot.resources, TypeUrl.ROUTE_CONFIGURATION: {ROUTES: resource}})


def check(served: Served, size: int) -> str:
    """Give the path of the last route, once a request for it has found that route."""
    path = min(map(prefix, range(size)), key=lambda text: (len(text), text))
    request = Request(f"http://127.0.0.1:{served.port}{path}", method="POST", data=b"")
    try:
        urlopen(request, timeout=10).close()
    except HTTPError as answer:
        with answer:
            if answer.code == _NO_ENDPOINTS:
                return path
    raise RuntimeError(f"{path} does not lead to the Service without endpoints")
