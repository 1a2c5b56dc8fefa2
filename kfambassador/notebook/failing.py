"""Our errors in cells: plain words with what to do, and the trace one click away.

A cell that fails still fails. ``%tb`` shows the whole trace and ``%debug`` looks into it; errors of others are left as
they are. In the trace that is drawn here are lines of code only, never the values of variables, and files are named as
they are imported: it is saved with the notebook, and where somebody keeps them is nobody else's business.
"""

import re
import sys
from pathlib import Path
from traceback import TracebackException
from types import TracebackType
from typing import Final

import IPython
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import publish_display_data

from kfambassador.sdk.faces.html import Html, fill, frame

_IPYTHON: Final = str(Path(IPython.__file__).parent)
_FILE: Final = re.compile(r'^(\W*File ")([^"]+)(?=", line \d)', re.MULTILINE)
_FULL: Final = "%tb shows the whole trace, %debug looks into it."


def show_error(error: BaseException) -> list[str]:
    """Show an error in words.

    Args:
        error: The error, which is being handled. Where none is, somebody asks for the trace (``%tb``), and gets it.

    Returns:
        The lines IPython shows as the traceback: the words, which are then in every front end, log and saved notebook.
        Where there is a page, the trace is folded up above them; elsewhere a line says how to see it.
    """
    shell = get_ipython()
    if shell is None:
        return tell_trace(error).splitlines()
    if sys.exc_info()[1] is None:
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return lines
    name = type(error).__name__
    words = f"{_paint(name, shell)}: {error}"
    if not _shows_html(shell):
        return [words, _FULL]
    publish_display_data(  # type: ignore[no-untyped-call]  # IPython wrote no types here
        {"text/html": draw_trace(error), "text/plain": f"{name}: {_FULL}"}
    )
    return [words]


def calm(error: BaseException, words: str) -> None:
    """Have an error that is none of ours, such as an interruption, shown in words as ours are."""
    error.args = (words,)
    error._render_traceback_ = lambda: show_error(error)  # type: ignore[attr-defined]  # IPython looks for it


def draw_trace(error: BaseException) -> Html:
    """Draw where an error came from, folded up."""
    trace = fill("lines", lines=fill("line_same", text=tell_trace(error)))
    return frame(fill("details", summary=f"{type(error).__name__}: where it happened", body=trace))


def tell_trace(error: BaseException) -> str:
    """Tell where an error came from, with what caused it, without any variable's value and any file's place."""
    told = TracebackException(type(error), error, _skip_shell(error.__traceback__), capture_locals=False)
    return _FILE.sub(lambda found: f"{found[1]}{_name_file(found[2])}", "".join(told.format()))


def _name_file(path: str) -> str:
    """Name a file as it is imported, and a cell by its number."""
    shell = get_ipython()
    cell = shell.compile.format_code_name(path) if shell is not None else None
    if cell is not None:
        return " ".join(cell)
    above = [folder for folder in sys.path if folder and Path(path).is_relative_to(folder)]
    return str(Path(path).relative_to(max(above, key=len))) if above else path


def _skip_shell(trace: TracebackType | None) -> TracebackType | None:
    """Leave out how IPython came to run the cell, which is nobody's fault."""
    first = trace
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_IPYTHON):
        trace = trace.tb_next
    return first if trace is None else trace


def _shows_html(shell: InteractiveShell) -> bool:
    """Whether there is a page to show HTML in: not in a terminal, and not where ``%%capture`` keeps what is shown."""
    is_kernel = getattr(shell, "kernel", None) is not None
    return is_kernel and not isinstance(shell.display_pub, CapturingDisplayPublisher)


def _paint(name: str, shell: InteractiveShell) -> str:
    """A name in red, as IPython writes names of errors, unless no colours are wanted."""
    return name if str(shell.colors).lower() == "nocolor" else f"\x1b[31m{name}\x1b[39m"
