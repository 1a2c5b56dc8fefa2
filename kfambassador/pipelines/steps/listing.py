"""Listing what the gateway serves."""

import json
from typing import NamedTuple

from kfambassador.pipelines.steps.running import open_gateway, say, write
from kfambassador.sdk.faces.html import page
from kfambassador.sdk.faces.routes import show_routes
from kfambassador.sdk.views import RouteList, Split


class Listed(NamedTuple):
    """What was listed.

    Attributes:
        number: How many routes there are.
    """

    number: int


def write_routes(
    name: str | None = None,
    *,
    routes_path: str,
    report_path: str,
    namespace: str | None = None,
    target: str | None = None,
) -> Listed:
    """Write the routes of the gateway, of a namespace, or of one model; see ``list_routes`` for what is said.

    Raises:
        NotFound: Nothing is published by that name.
    """
    with open_gateway(target) as gateway:
        routes = gateway.routes()
        if namespace and not name:
            routes = RouteList(route for route in routes if any(_is_of(split, namespace) for split in route.receivers))
        if name:
            exposure = gateway.get_exposure(name, namespace=namespace or None)
            own = {f"{exposure.namespace}/{mapping.name}" for mapping in exposure.mappings}
            routes = RouteList(route for route in routes if own & {split.mapping for split in route.receivers})
    say(routes)
    if namespace and not routes:
        say(f"the gateway serves no route of namespace {namespace!r}")
    write(routes_path, json.dumps([route.model_dump(mode="json") for route in routes], indent=2) + "\n")
    write(report_path, page("Routes", show_routes(routes)))
    return Listed(len(routes))


def _is_of(split: Split, namespace: str) -> bool:
    return split.mapping.startswith(f"{namespace}/")
