"""Filling templates: every value is escaped unless a template made it."""

from collections.abc import Sequence
from functools import cache
from html import escape
from string import Template
from typing import Final

_PACKAGE: Final = "kfambassador.sdk.faces"

#: So many rows are shown; a notebook with more is slow, and nobody reads them there.
MOST_ROWS: Final = 200

#: What a badge says besides its colour.
_SIGNS: Final = {"good": "✓", "bad": "✗", "warn": "!", "plain": "…"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def fill(template: str, **values: object) -> Html:
    """Fill a template of this package.

    Args:
        template: Its name, without ``.html``.
        **values: What its placeholders stand for; all but :class:`Html` is escaped.

    Example:
        >>> fill("code", text="<b>")
        '<code>&lt;b&gt;</code>'
    """
    safe = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(_read(template).substitute(safe))


def frame(*parts: Html) -> Html:
    """Put parts into one face, with the style they need."""
    return fill("frame", style=_read_style(), body=join(parts))


def page(title: str, face: Html) -> Html:
    """Make a whole page of a face, for a file that is shown by itself.

    Args:
        title: What it is.
        face: As :func:`frame` makes it.
    """
    return Html(fill("page", title=title, face=face) + "\n")


def join(parts: Sequence[Html]) -> Html:
    """Put parts one after the other."""
    return Html("".join(parts))


def badge(text: str, *, tone: str) -> Html:
    """A word in a colour, and with a sign for whoever does not see the colour.

    Args:
        text: The word.
        tone: ``good``, ``bad``, ``warn`` or ``plain``.
    """
    return fill("badge", text=text, tone=tone, sign=_SIGNS[tone])


def code(text: object) -> Html:
    """Something as it is written."""
    return fill("code", text=text)


def link(url: str) -> Html:
    """An address to follow; what is no web address is only shown.

    Example:
        >>> link("javascript:alert(1)")
        '<code>javascript:alert(1)</code>'
    """
    return fill("link", url=url) if url.startswith(("http://", "https://")) else code(url)


def table(
    caption: object,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    name_column: str = "",
    more: str = "",
) -> Html:
    """A table with a caption; beyond 200 rows it is cut, and says so.

    Args:
        caption: What it is.
        headings: Of its columns.
        rows: Their cells.
        numbers: Columns of numbers, by their headings.
        name_column: The column that names a row, by its heading; "" for none.
        more: Where whoever wants all rows finds them.
    """
    head = [fill("heading_number" if heading in numbers else "heading", text=heading) for heading in headings]
    kinds = [
        "row_heading" if heading == name_column else "cell_number" if heading in numbers else "cell"
        for heading in headings
    ]
    body = [
        fill("row", cells=join([fill(kind, text=cell) for kind, cell in zip(kinds, row, strict=True)]))
        for row in rows[:MOST_ROWS]
    ]
    hidden = len(rows) - len(body)
    note = fill("note", text=f"{hidden} more rows are not shown; {more}") if hidden else Html()
    return fill("table", caption=caption, headings=join(head), rows=join(body), note=note)


def facts(caption: object, pairs: Sequence[tuple[str, object]]) -> Html:
    """A table of two columns: what, and its value; what has no value is left out."""
    rows = [
        fill("row", cells=join([fill("row_heading", text=name), fill("cell", text=value)]))
        for name, value in pairs
        if value not in {"", None}
    ]
    return fill("facts", caption=caption, rows=join(rows))


@cache
def _read(template: str) -> Template:
    return Template(_read_file(f"{template}.html").rstrip("\n"))


@cache
def _read_style() -> Html:
    return Html(_read_file("style.css"))


def _read_file(name: str) -> str:
    # It takes longer to import than the rest of the faces, and most programs show none.
    from importlib.resources import files

    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")
