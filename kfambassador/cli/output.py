"""What the command line says, and where: results on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from kfambassador.errors import ConfigurationError, KfAmbassadorError
from kfambassador.problems import Problem, Severity
from kfambassador.tables import write_table

if TYPE_CHECKING:
    from kfambassador.sdk.views import RouteList

#: Exit codes, besides 0 for good.
AT_FAULT: Final = 1
MISUSED: Final = 2

#: For results a person reads.
out = Console(highlight=False, soft_wrap=True)
#: For progress and complaints.
err = Console(stderr=True, highlight=False, soft_wrap=True)

#: How each severity looks.
SEVERITY_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: "dim"}


class Format(StrEnum):
    """For whom a result is written."""

    TEXT = "text"
    JSON = "json"


def print_json(value: object) -> None:
    """Print a result for a program."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_problems(problems: Iterable[Problem], console: Console) -> None:
    """Print problems, one a line, in the colours of their severity."""
    for problem in problems:
        text = str(problem)
        line = Text(text)
        line.stylize(SEVERITY_STYLES[problem.severity], 0, text.index(":"))
        console.print(line)


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print a table; what to say instead of one without rows."""
    if not rows:
        out.print(Text(empty))
        return
    first, *rest = write_table(headings, rows).splitlines()
    out.print(Text(first, style="bold"))
    for row in rest:
        out.print(Text(row))


def print_routes(routes: "RouteList") -> None:
    """Print routes as a table."""
    headings, *rows = str(routes).splitlines()
    out.print(Text(headings, style="bold"))
    for row in rows:
        out.print(Text(row))


def say(words: str) -> None:
    """Tell what is done next."""
    err.print(Text(words, style="dim"))


def stop(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)


def print_error(error: KfAmbassadorError) -> int:
    """Print one of our errors in red and give the exit code for it."""
    err.print(Text(f"{error}", style="red"))
    return MISUSED if isinstance(error, ConfigurationError) else AT_FAULT
