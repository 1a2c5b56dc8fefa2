"""How a gateway shows itself at the end of a cell: the route browser, and HTML and words where there is none."""

from typing import TYPE_CHECKING, Any, Final

from IPython.core.getipython import get_ipython

from kfambassador.notebook.fallback import show_routes_at
from kfambassador.notebook.feed import feed_of

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
