"""The golden cases: what somebody wrote, and beside it what we make of it.

For ``<topic>/<case>.in.yaml`` these stand beside it, each left out when it would hold nothing:
``<case>.routes.yaml`` the routes in evaluation order, ``<case>.envoy.yaml`` what Envoy is told, and
``<case>.problems.yaml`` what the author is told.
"""

from dataclasses import dataclass
from pathlib import Path

from kfambassador.envoy.listeners import ListenerSettings, build_listener
from kfambassador.envoy.protos import Cluster, ClusterLoadAssignment, Listener, Message, RouteConfiguration
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.envoy.telling import tell_message
from kfambassador.envoy.translate import translate
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.describe import describe_problem, describe_table
from kfambassador.routing.policy import TenancyPolicy

FOLDER = Path(__file__).parent

#: Whose rules hold.
POLICY = TenancyPolicy.laptop()

INPUT = ".in.yaml"

#: What is shown. The listener only where a Module changed it; it is no mapping's to change.
_SHOWN: dict[TypeUrl, type[Message]] = {
    TypeUrl.LISTENER: Listener,
    TypeUrl.ROUTE_CONFIGURATION: RouteConfiguration,
    TypeUrl.CLUSTER: Cluster,
    TypeUrl.ENDPOINTS: ClusterLoadAssignment,
}


_USUAL_LISTENER = build_listener(ListenerSettings())


@dataclass(frozen=True, slots=True)
class Case:
    """One golden case, by the path of its input."""

    path: Path

    @property
    def name(self) -> str:
        """The topic and the case, as in ``canary/two``."""
        return str(self.path.relative_to(FOLDER)).removesuffix(INPUT)

    def output(self, kind: str) -> Path:
        """Where one kind of output stands."""
        return FOLDER / f"{self.name}.{kind}.yaml"

    def read(self) -> ResourceSet:
        """Read what was written."""
        return read_manifests([(self.path.name, self.path.read_text())])

    def translate(self, policy: TenancyPolicy = POLICY) -> Snapshot:
        """Say it in Envoy's words."""
        return translate(compile_routes(self.read(), policy).table, ListenerSettings())

    def outputs(self) -> dict[str, str]:
        """Every kind of output as text; one that holds nothing is empty."""
        compiled = compile_routes(self.read(), POLICY)
        table = describe_table(compiled.table)
        problems = [describe_problem(problem) for problem in compiled.problems]
        return {
            "routes": write_documents(table) if compiled.table.routes() else "",
            "envoy": write_documents(describe_snapshot(self.translate())) if compiled.table.routes() else "",
            "problems": write_documents(problems) if problems else "",
        }


def find_cases() -> list[Case]:
    """Every case, in order."""
    return [Case(path) for path in sorted(FOLDER.glob(f"*/*{INPUT}"))]


def describe_snapshot(snapshot: Snapshot) -> dict[str, object]:
    """What a snapshot tells Envoy, as plain data by the short names of the types."""
    shown = {
        type_url: [each for each in snapshot.of_type(type_url).values() if each != _USUAL_LISTENER]
        for type_url in _SHOWN
    }
    return {
        _SHOWN[type_url].DESCRIPTOR.name: [tell_message(_SHOWN[type_url].FromString(each.body)) for each in resources]
        for type_url, resources in shown.items()
        if resources
    }
