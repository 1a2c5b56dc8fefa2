"""The whole routing table in Envoy's words."""

from kfambassador.envoy.clusters import build_cluster
from kfambassador.envoy.listeners import ListenerSettings, build_listener
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.envoy.tables import TableBuilder
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import RoutingTable


def translate(table: RoutingTable, settings: ListenerSettings) -> Snapshot:
    """Say a routing table in Envoy's words.

    Pure: the same table always gives the same bytes.

    Args:
        table: What was decided.
        settings: Where the gateway listens; no mapping has a say in it.
    """
    return Translator(settings).translate(table)


class Translator:
    """Translates one table after another, doing again only what a change reaches.

    The answers are those of :func:`translate`, byte for byte; only work already done is remembered.
    """

    def __init__(self, settings: ListenerSettings) -> None:
        self._listener = build_listener(settings)
        self._tables = TableBuilder()
        self._build_cluster = Memo(build_cluster)

    def translate(self, table: RoutingTable) -> Snapshot:
        """Translate one table; see :func:`translate`."""
        routes = self._tables.build(table)
        built = self._build_cluster.each(table.clusters)
        self._build_cluster.end_round()
        return Snapshot(
            resources={
                TypeUrl.LISTENER: {self._listener.name: self._listener},
                TypeUrl.ROUTE_CONFIGURATION: {routes.name: routes},
                TypeUrl.CLUSTER: {each.cluster.name: each.cluster for each in built},
                TypeUrl.ENDPOINTS: {each.endpoints.name: each.endpoints for each in built if each.endpoints},
            },
            generation=table.generation,
        )
