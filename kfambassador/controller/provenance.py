"""Which mappings of a table came from which object."""

from collections.abc import Iterable
from threading import Lock

from kfambassador.problems import ObjectKey
from kfambassador.routing.model import Route, RoutingTable


class Provenance:
    """Finds the mappings of a table that one object carries; may be asked from several threads.

    It remembers the table it was asked about last. Of the next one it looks at the routes that are new only: after a
    change among thousands a few, since a route that nothing changed is the very same object.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._table: RoutingTable | None = None
        # They live as long as they are known by their identity, so nothing else can have that.
        self._routes: tuple[Route, ...] = ()
        self._places: dict[int, int] = {}
        self._routes_of: dict[ObjectKey | None, list[Route]] = {}

    def find(self, table: RoutingTable, key: ObjectKey) -> tuple[str, ...]:
        """Name the mappings of an object, as ``namespace/name``, in the order in which the table judges them."""
        with self._lock:
            if table is not self._table:
                self._go_on_to(table)
            routes = sorted(self._routes_of.get(key, ()), key=lambda route: self._places[id(route)])
        splits = (split for route in routes for split in route.splits)
        return tuple(f"{split.namespace}/{split.mapping.name}" for split in splits if split.origin.object == key)

    def _go_on_to(self, table: RoutingTable) -> None:
        routes, before = table.routes(), self._places
        places = {id(route): place for place, route in enumerate(routes)}
        gone = [route for route in self._routes if id(route) not in places]
        come = [route for route in routes if id(route) not in before]
        for key in _list_sources(gone):
            kept = [route for route in self._routes_of.pop(key) if id(route) in places]
            if kept:
                self._routes_of[key] = kept
        for route in come:
            for key in _list_sources([route]):
                self._routes_of.setdefault(key, []).append(route)
        self._table, self._routes, self._places = table, routes, places


def _list_sources(routes: Iterable[Route]) -> set[ObjectKey | None]:
    return {split.origin.object for route in routes for split in route.splits}
