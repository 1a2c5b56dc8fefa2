"""Who draws things in notebooks: looked up by name, so that the floors below never import the room that draws.

A room offers a display by an entry point of the group ``kfambassador.displays`` (``pyproject.toml``). Nothing here
draws, and nothing is loaded before it is asked for.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

_GROUP: Final = "kfambassador.displays"


@cache
def find_display(name: str) -> Callable[..., Any] | None:
    """Find who draws a thing; None where nobody does, or what they need is not installed.

    Args:
        name: What is to be drawn, such as ``gateway``.

    Example:
        >>> find_display("nothing of ours") is None
        True
    """
    # It takes longer to import than all else that a program without a notebook needs of this.
    from importlib.metadata import entry_points

    for offered in entry_points(group=_GROUP, name=name):
        try:
            loaded: Callable[..., Any] = offered.load()
        except ImportError:
            return None
        return loaded
    return None
