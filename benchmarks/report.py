"""Tables, and the few numbers they are made of."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Report:
    """One table.

    Attributes:
        title: What was measured, and in which unit.
        columns: The heads of the columns.
        rows: The cells, as text.
        notes: What a reader must know to judge the numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def print_report(report: Report, console: Console) -> None:
    """Print a table with its notes below."""
    table = Table(title=report.title, title_justify="left", title_style="bold")
    for index, column in enumerate(report.columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in report.rows:
        table.add_row(*row)
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all does not exceed.

    Example:
        >>> percentile([5, 1, 4, 2, 3], 0.5), percentile(range(1, 31), 0.9)
        (3, 27)
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def milliseconds(seconds: float) -> str:
    """Write a time in milliseconds.

    Example:
        >>> milliseconds(0.0213), milliseconds(0.5)
        ('21', '500')
    """
    return f"{seconds * 1000:.1f}" if seconds < 0.01 else f"{seconds * 1000:.0f}"  # noqa: PLR2004 - 10 ms
