"""Tables for people, as plain text."""

from collections.abc import Sequence
from itertools import zip_longest


def write_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows under their headings; a column without any text is left out.

    Example:
        >>> print(write_table(["A", "B", "C"], [["1", "", "22"], ["333", "", "4"]]))
        A    C
        1    22
        333  4
    """
    columns = [
        (heading, *column) for heading, *column in zip_longest(headings, *rows, fillvalue="") if any(column) or not rows
    ]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
