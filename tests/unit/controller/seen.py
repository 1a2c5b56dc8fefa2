"""What was compiled of a few mappings, as the read API sees it."""

from pathlib import Path

from kfambassador.controller.envoy_view import EnvoyView
from kfambassador.controller.history import History
from kfambassador.controller.overview import Seen
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.sight import Sight, find_shared_clusters, narrow_work
from kfambassador.controller.state import Work
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, resource_set


def sight_of(*namespaces: str) -> Sight:
    """Somebody who sees these namespaces."""
    return Sight(frozenset(namespaces))


def work_of(*items: Manifest, policy: TenancyPolicy) -> Work:
    """What becomes of these objects."""
    resources = resource_set(*items, generation=1)
    return Work(resources, compile_routes(resources, policy), since=dict.fromkeys(resources.sources, 1))


def seen_by(sight: Sight, work: Work, counters: dict[str, dict[str, int]] | None = None) -> Seen:
    """What somebody may see of it."""
    return Seen(
        work=narrow_work(work, sight),
        settings=ControllerSettings(Path("xds.sock")),
        history=History(lambda: 0.0),
        served=1,
        nodes=(),
        lost={},
        envoy=EnvoyView(counters=counters or {}),
        shared=find_shared_clusters(work.compiled.table, sight),
    )
