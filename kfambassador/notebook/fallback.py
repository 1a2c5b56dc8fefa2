"""What is shown of a gateway where there are no widgets, in saved and exported notebooks: HTML without any script."""

from typing import TYPE_CHECKING

from kfambassador.errors import KfAmbassadorError
from kfambassador.notebook.feed import Feed
from kfambassador.sdk.faces.html import fill, frame
from kfambassador.sdk.faces.routes import show_routes
from kfambassador.sdk.faces.states import show_gateway, show_problems
from kfambassador.sdk.views import RouteList

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway


def show_routes_at(gateway: "Gateway", feed: Feed, *, note: str = "") -> str:
    """Show a gateway, its routes and what is wrong, as HTML without any script.

    Args:
        gateway: The gateway.
        feed: What is live of it; it is told what was read.
        note: Words to end with.
    """
    facts = show_gateway(gateway.url, place=str(gateway.place), namespace=gateway.namespace)
    try:
        look = feed.look()
    except KfAmbassadorError as error:
        return frame(facts, fill("words", text=str(error)))
    parts = [facts, show_routes(RouteList(look.routes))]
    if look.problems:
        parts.append(show_problems(look.problems))
    if note:
        parts.append(fill("note", text=note))
    return frame(*parts)
