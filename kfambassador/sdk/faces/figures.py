"""Faces of figures: shares, statistics and differences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kfambassador.sdk.faces.html import Html, code, fill, frame, join, table

if TYPE_CHECKING:
    from kfambassador.sdk.traffic.shares import Share, Shares

_LONGEST: Final = 400


def show_shares(shares: "Shares") -> Html:
    """Who gets how much of a model's requests."""
    if not shares:
        return frame(fill("words", text="no shares: nothing of it is served"))
    rows = [(share.variant, code(share.service), _show_percent(share)) for share in shares]
    return frame(table("Split", ("Variant", "Service", "Share"), rows, numbers=("Share",), name_column="Variant"))


def show_statistics(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """What became of the requests of each mapping.

    Args:
        headings: Of the columns: the mapping, its service, numbers, and a note.
        rows: Their cells.
    """
    if not rows:
        return frame(fill("words", text="nothing is counted"))
    titles = [heading.capitalize() for heading in headings]
    numbers, more = titles[2:-1], "print() shows them all"
    return frame(table("Statistics", titles, rows, numbers=numbers, name_column=titles[0], more=more))


def show_rows(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> Html:
    """A table of text, or the words that stand for an empty one."""
    if not rows:
        return frame(fill("words", text=empty))
    titles = [heading.capitalize() for heading in headings]
    return frame(table(caption, titles, rows, name_column=titles[0], more="print() shows them all"))


def show_prediction(values: object, *, latency_ms: float) -> Html:
    """What a model answered, a row for each prediction.

    Args:
        values: The predictions: a list has one for each instance.
        latency_ms: How long it took, in milliseconds.
    """
    each = values if isinstance(values, list) else [values]
    rows = [(str(number), code(_shorten(repr(value)))) for number, value in enumerate(each)]
    caption = f"Prediction in {latency_ms:.1f} ms"
    return frame(table(caption, ("#", "Value"), rows, name_column="#", more=".values has them all"))


def show_text(words: str, text: str) -> Html:
    """Words, and below them a text as it is written, line by line."""
    lines = [fill("line_same", text=line or " ") for line in text.splitlines()]
    return frame(fill("words", text=words), fill("lines", lines=join(lines)))


def show_difference(words: str, *, yaml: str = "") -> Html:
    """What would change: in words, and as a unified diff.

    Args:
        words: In words, one change a line.
        yaml: The unified diff; "" when nothing changes.
    """
    parts = [fill("words", text=line) for line in words.splitlines()]
    lines = [_show_line(line) for line in yaml.splitlines()]
    return frame(*parts, *([fill("lines", lines=join(lines))] if lines else []))


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _show_line(line: str) -> Html:
    if line.startswith(("+++", "---")):
        return fill("line_same", text=line)
    kind = {"+": "line_added", "-": "line_removed"}.get(line[:1], "line_same")
    return fill(kind, text=line or " ")


def _show_percent(share: "Share") -> Html:
    return fill("meter", text=str(share), percent=share.percent)
