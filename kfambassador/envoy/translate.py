"""The whole routing table in Envoy's words."""

from functools import partial

from kfambassador.envoy.asking import build_asking_listener
from kfambassador.envoy.clusters import build_cluster
from kfambassador.envoy.listeners import ListenerSettings, build_listener
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.envoy.tables import TableBuilder
from kfambassador.resources.module import Module
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Authorization, RoutingTable


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
        self._build_listeners = Memo(partial(_build_listeners, settings))
        self._tables = TableBuilder()
        # One for each way to write headers, the one thing a Module says of all clusters alike.
        self._builders = {proper: Memo(partial(build_cluster, proper_case=proper)) for proper in (False, True)}

    def translate(self, table: RoutingTable) -> Snapshot:
        """Translate one table; see :func:`translate`."""
        routes = self._tables.build(table)
        built = self._builders[table.module.proper_case].each(table.clusters)
        listeners = self._build_listeners(table.module, table.authorization)
        for builder in self._builders.values():
            builder.end_round()
        self._build_listeners.end_round()
        return Snapshot(
            resources={
                TypeUrl.LISTENER: listeners,
                TypeUrl.ROUTE_CONFIGURATION: {routes.name: routes},
                TypeUrl.CLUSTER: {each.cluster.name: each.cluster for each in built},
                TypeUrl.ENDPOINTS: {each.endpoints.name: each.endpoints for each in built if each.endpoints},
            },
            generation=table.generation,
        )


def _build_listeners(
    settings: ListenerSettings, module: Module, authorization: Authorization | None
) -> dict[str, XdsResource]:
    listener = build_listener(settings, module, authorization)
    listeners = {listener.name: listener}
    if settings.asking_socket is not None:
        asking = build_asking_listener(listener, settings.asking_socket)
        listeners[asking.name] = asking
    return listeners
