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

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
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
from kfambassador.routing.policy import TenancyPolicy

TREES = (10, 1_000, 10_000, 50_000)
LISTS = (10, 1_000, 10_000)
ROUNDS = 5
SECONDS = 2
SERVICE = "nobody"
_NO_ENDPOINTS = 503


@dataclass(frozen=True, slots=True)
class Case:
    """A table, and the request it is asked with.

    Attributes:
        table: The routes; all to the Service without endpoints.
        layout: ``tree`` as we serve it, or ``list``.
        path: What is asked for.
        host: The host it is asked of.
    """

    table: RoutingTable
    layout: str
    path: str
    host: str = "gateway"


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured of a case: requests a second, processor seconds of the worker a request, bytes Envoy holds."""

    rate: float
    worker: float
    memory: int


def run(*, trees: Sequence[int] = TREES, lists: Sequence[int] = LISTS, rounds: int = ROUNDS) -> list[Report]:
    """Measure all sizes and layouts side by side."""
    plan = [("tree", size) for size in trees] + [("list", size) for size in lists]
    costs = measure([Case(build_table(write_models(size)), layout, last_path(size)) for layout, size in plan], rounds)
    rows = tuple((layout, f"{size:,}", *tell(cost, costs[0])) for (layout, size), cost in zip(plan, costs, strict=True))
    return [Report("Finding the last route, one Envoy worker", ("layout", "routes", *COLUMNS), rows, tell_how(rounds))]


COLUMNS = ("requests/s", "ratio", "CPU, µs", "ratio", "Envoy, MB")


def tell(cost: Cost, first: Cost) -> tuple[str, ...]:
    """Write what was measured, beside the first case."""
    return (
        f"{cost.rate:,.0f}",
        f"{cost.rate / first.rate:.2f}",
        f"{cost.worker * 1e6:.1f}",
        f"{first.worker / cost.worker:.2f}",
        f"{cost.memory / 1e6:.0f}",
    )


def tell_how(rounds: int) -> tuple[str, ...]:
    """Write how it was measured."""
    return (
        f"By {generator()}, {CONNECTIONS} connections, {rounds} rounds of {SECONDS} s in turn; medians.",
        "Ratios are to the first row; 1.00 is as good as with that few routes.",
    )


def measure(cases: Sequence[Case], rounds: int) -> list[Cost]:
    """Measure all cases side by side."""
    with ExitStack() as stack:
        served = [stack.enter_context(serving(build_snapshot(case))) for case in cases]
        for each, case in zip(served, cases, strict=True):
            check(each, case)
        rates: list[list[float]] = [[] for _ in cases]
        costs: list[list[float]] = [[] for _ in cases]
        for _ in range(rounds):
            for index, (each, case) in enumerate(zip(served, cases, strict=True)):
                before = each.worker_seconds()
                rate = send(each.port, case.path, seconds=SECONDS, host=case.host)
                rates[index].append(rate)
                costs[index].append((each.worker_seconds() - before) / (rate * SECONDS))
        memory = [each.memory() for each in served]
    return [Cost(median(rate), median(cost), held) for rate, cost, held in zip(rates, costs, memory, strict=True)]


def write_models(size: int) -> list[Mapping]:
    """Write so many models' mappings, each with its own prefix."""
    return [
        Mapping(name=f"model-{number}", prefix=prefix(number), method="POST", service=SERVICE) for number in range(size)
    ]


def last_path(size: int) -> str:
    """The path of the route that is evaluated last."""
    return min(map(prefix, range(size)), key=lambda text: (len(text), text))


def build_table(mappings: Iterable[Mapping]) -> RoutingTable:
    """Compile mappings that all lead to one Service, which has no endpoints."""
    service = Service(ServiceKey("default", SERVICE), (ServicePort(80, ""),))
    sourced = tuple(
        SourcedMapping(mapping, Origin(document=number), namespace="default") for number, mapping in enumerate(mappings)
    )
    return compile_routes(ResourceSet(mappings=sourced, services={service.key: service}), TenancyPolicy.laptop()).table


def build_snapshot(case: Case) -> Snapshot:
    """Build what Envoy is given."""
    snapshot = translate(case.table, ListenerSettings(port=0))
    return snapshot if case.layout == "tree" else _flatten(snapshot, case.table)


def _flatten(snapshot: Snapshot, table: RoutingTable) -> Snapshot:
    """Put the same routes into a plain list, in the same order."""
    routes = RouteList.FromString(b"".join(map(build_routes, table.routes()))).routes
    plain = RouteConfiguration(name=ROUTES, virtual_hosts=[{"name": "all", "domains": ["*"], "routes": routes}])
    resource = XdsResource.of(ROUTES, plain.SerializeToString(deterministic=True))
    return replace(snapshot, resources={**snapshot.resources, TypeUrl.ROUTE_CONFIGURATION: {ROUTES: resource}})


def check(served: Served, case: Case) -> None:
    """Make sure that the request finds a route."""
    url = f"http://127.0.0.1:{served.port}{case.path}"
    request = Request(url, method="POST", data=b"", headers={"Host": case.host})
    try:
        urlopen(request, timeout=10).close()
    except HTTPError as answer:
        with answer:
            if answer.code == _NO_ENDPOINTS:
                return
    raise RuntimeError(f"{case.path} does not lead to the Service without endpoints")
