"""Routes as text, written once: describing thousands takes far longer than sending them."""

import json
from collections.abc import Sequence

from kfambassador.controller.collector import paused_collector
from kfambassador.routing.describe import describe_route
from kfambassador.routing.model import Route, RoutingTable


class RouteTexts:
    """Remembers the text of each route of the newest table that was asked for.

    A route that did not change is the very same object from one generation to the next, so after a change only what
    changed is written anew, for whoever asks.
    """

    def __init__(self) -> None:
        # The route is held with its text, or another could get its identity.
        self._known: dict[int, tuple[Route, str]] = {}
        self._all: tuple[RoutingTable, bytes] | None = None

    def write_all(self, table: RoutingTable) -> bytes:
        """Write all routes of a table, with its generation."""
        held = self._all
        if held is not None and held[0] is table:
            return held[1]
        with paused_collector():
            written = [(route, self._write(route)) for route in table.routes()]
        answer = _join([text for _, text in written], table.generation)
        self._known, self._all = {id(route): (route, text) for route, text in written}, (table, answer)
        return answer

    def write_some(self, table: RoutingTable) -> bytes:
        """Write what is left of a table for somebody, without remembering it."""
        return _join([self._write(route) for route in table.routes()], table.generation)

    def _write(self, route: Route) -> str:
        known = self._known.get(id(route))
        # What is no longer of the table may have left its identity to another.
        if known is not None and known[0] is route:
            return known[1]
        return json.dumps(describe_route(route), separators=(",", ":"))


def _join(texts: Sequence[str], generation: int) -> bytes:
    return f'{{"generation":{generation},"routes":[{",".join(texts)}]}}'.encode()
