"""The one door to the template engine: values in, a page out, everything escaped."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kfambassador import __version__
from kfambassador.controller.page import addresses
from kfambassador.resources.secrecy import hide_forms, hide_message

if TYPE_CHECKING:
    from jinja2 import Environment

#: What is sent as it is, by name: its content type.
STATIC: Final = {"page.css": "text/css", "icon.svg": "image/svg+xml"}

_HERE: Final = Path(__file__).parent


def draw(template: str, **values: object) -> str:
    """Draw a page.

    Args:
        template: Its name, without ``.html``.
        **values: What its placeholders stand for. A placeholder without a value is a fault of ours, and raises.

    Example:
        >>> "&lt;b&gt;" in draw("fault", standing=None, is_owner=False, title="<b>", words="Not here.", advice="")
        True
    """
    return _environment().get_template(f"{template}.html").render(**values)


@cache
def read_static(name: str) -> bytes:
    """Read what is sent as it is."""
    return (_HERE / "static" / name).read_bytes()


@cache
def _environment() -> "Environment":
    # Most controllers are never looked at; those that are load the engine then.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        finalize=_finish,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(addresses=addresses, version=__version__)
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["age"] = write_age
    environment.filters["told"] = lambda problem: hide_message(problem.message, problem.path)
    return environment


def _finish(value: object) -> object:
    """Look at each value once more before it is written: whatever led to it, a secret's form is left out."""
    if value is None:
        return ""
    # What a macro drew was looked at when it was drawn.
    return hide_forms(value) if type(value) is str else value


def write_age(seconds: float | None) -> str:
    """Write how long ago something was.

    Example:
        >>> [write_age(seconds) for seconds in (None, 0.2, 59, 60, 7300, 200_000)]
        ['never', 'just now', '59 s ago', '1 min ago', '2 h ago', '2 days ago']
    """
    if seconds is None:
        return "never"
    if seconds < 1:
        return "just now"
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= (2 if unit == "days" else 1) * size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds)} s ago"
