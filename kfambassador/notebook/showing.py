"""How a gateway shows itself at the end of a cell: the route browser, and HTML and words where there is none."""

from typing import TYPE_CHECKING, Any, Final

from IPython.core.getipython import get_ipython

from kfambassador.errors import KfAmbassadorError
from kfambassador.notebook.feed import Feed, feed_of
from kfambassador.sdk.faces.html import fill, frame
from kfambassador.sdk.faces.routes import show_routes
from kfambassador.sdk.faces.states import show_gateway as draw_gateway
from kfambassador.sdk.faces.states import show_problems
from kfambassador.sdk.views import RouteList

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

#: Said where the widget's packages are missing.
NO_WIDGET: Final = "For a table that can be filtered and tried out: pip install 'kfambassador[notebook]'"

Shown = tuple[dict[str, Any], dict[str, Any]]


def show_gateway(gateway: "Gateway") -> Shown | None:
    """Show a gateway at the end of a cell; None where there is no notebook, and its words are enough.

    Args:
        gateway: The gateway.

    Returns:
        What IPython takes: forms by their media types, and metadata.
    """
    shell = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    try:
        from kfambassador.notebook.browser import browser_of
    except ImportError:
        html = show_routes_at(gateway, feed_of(gateway), note=NO_WIDGET)
        return {"text/plain": repr(gateway), "text/html": html}, {}
    shown = browser_of(gateway)._repr_mimebundle_()
    if shown is None:
        return None
    data, metadata = shown
    return {**data, "text/plain": repr(gateway)}, metadata


def show_routes_at(gateway: "Gateway", feed: Feed, *, note: str = "") -> str:
    """Show a gateway, its routes and what is wrong, as HTML without any script.

    Args:
        gateway: The gateway.
        feed: What is live of it; it is told what was read.
        note: Words to end with.
    """
    facts = draw_gateway(gateway.url, place=str(gateway.place), namespace=gateway.namespace)
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
