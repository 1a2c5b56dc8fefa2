"""Progress as a terminal, a notebook's kernel and a log see it; each for real."""

import io
import os
import pty
import subprocess
import sys

import pytest

from kfambassador.sdk.readiness.progress import (
    Lines,
    LiveLine,
    NotebookDisplay,
    Progress,
    Silence,
    choose_progress,
    is_notebook,
)
from kfambassador.sdk.readiness.status import ExposureStatus, Phase, build_steps

STEPS = {
    Phase.APPLIED: (),
    Phase.ACCEPTED: ("accepted",),
    Phase.PROGRAMMED: ("accepted", "programmed", "endpoints"),
    Phase.ANSWERING: ("accepted", "programmed", "endpoints", "answering"),
    Phase.GONE: (),
}


def status(phase: Phase, message: str = "") -> ExposureStatus:
    done = STEPS[phase]
    missing = next((name for name in ("accepted", "programmed", "answering") if name not in done), "answering")
    return ExposureStatus("m", "team", phase, build_steps(done, {missing: message}), message=message)


class Clock:
    """Says what a test wants."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_one_line_for_each_new_step() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock=clock)
    for second, seen in enumerate(
        [
            status(Phase.APPLIED),
            status(Phase.ACCEPTED, "no Envoy is connected"),
            status(Phase.ACCEPTED, "no Envoy is connected"),
            status(Phase.PROGRAMMED, "503"),
            status(Phase.ANSWERING),
        ]
    ):
        clock.now = 100.0 + 2 * second
        lines.show(seen)
    lines.close()
    assert stream.getvalue().splitlines() == [
        "kfambassador: m: waiting until every Envoy has it: no Envoy is connected",
        "kfambassador: m: waiting for an answer of its own server: 503",
    ]


def test_what_is_quick_writes_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    for progress in (Lines(stream, clock=clock), LiveLine(stream, clock=clock)):
        for seen in (Phase.APPLIED, Phase.PROGRAMMED, Phase.ANSWERING):
            clock.now += 0.1
            progress.show(status(seen))
        progress.close()
    assert stream.getvalue() == ""


def test_what_ended_it_is_said() -> None:
    stream = io.StringIO()
    Lines(stream, after=0).show(status(Phase.GONE, "it was deleted"))
    assert stream.getvalue() == "kfambassador: m: Gone: it was deleted\n"


PROGRAM = """
import signal, sys
from kfambassador.sdk.readiness.progress import LiveLine, choose_progress
from kfambassador.sdk.readiness.status import ExposureStatus, Phase, build_steps
progress = choose_progress()
assert type(progress) is LiveLine
progress = LiveLine(sys.stderr, after=0)
try:
    steps = build_steps(["accepted"], {"programmed": "no Envoy is connected"})
    progress.show(ExposureStatus("mnist", "team", Phase.APPLIED))
    progress.show(ExposureStatus("mnist", "team", Phase.ACCEPTED, steps))
    progress._live.refresh()
    signal.raise_signal(signal.SIGINT)
finally:
    progress.close()
"""


def run_in_terminal(program: str, **environment: str) -> tuple[str, int]:
    """Run a program whose standard error is a terminal; give what it wrote there and how it ended."""
    leader, follower = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    with subprocess.Popen([sys.executable, "-c", program], stderr=follower, env=variables) as process:
        os.close(follower)
        written = b""
        try:
            while block := os.read(leader, 4096):
                written += block
        except OSError:
            pass  # Linux says so when the other end is closed
        os.close(leader)
    return written.decode(), process.returncode


def test_a_terminal_gets_one_live_line_that_is_gone_after_ctrl_c() -> None:
    written, code = run_in_terminal(PROGRAM)
    assert "KeyboardInterrupt" in written
    assert code != 0
    shown, _, after = written.partition("Traceback")
    assert "mnist: accepted ✓ waiting until every Envoy has it: no Envoy is connected" in shown
    assert "\x1b[?25h" in shown, "the cursor is given back"
    assert shown.rindex("\x1b[2K") > shown.rindex("no Envoy is connected"), "the line is taken away"
    assert "no Envoy" not in after


def test_a_dumb_terminal_gets_lines() -> None:
    program = "import kfambassador.sdk.readiness.progress as p; assert type(p.choose_progress()) is p.Lines"
    assert run_in_terminal(program, TERM="dumb") == ("", 0)


def test_a_pipe_gets_lines_and_whoever_wants_quiet_nothing() -> None:
    chosen: list[Progress] = [choose_progress(stream=io.StringIO()), choose_progress(quiet=True)]
    assert [type(each) for each in chosen] == [Lines, Silence]


def test_ipython_is_not_imported_for_it() -> None:
    program = (
        "import sys; from kfambassador.sdk.readiness.progress import choose_progress; choose_progress();"
        "sys.exit('IPython' in sys.modules or 'rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


CELL = """
from kfambassador.sdk.readiness.progress import NotebookDisplay, choose_progress, is_notebook
from kfambassador.sdk.readiness.status import ExposureStatus, Phase, build_steps
assert is_notebook() and type(choose_progress()) is NotebookDisplay
progress = NotebookDisplay(after=0)
progress.show(ExposureStatus("<m>", "team", Phase.APPLIED, build_steps([], {})))
for name in ("accepted", "programmed", "endpoints", "answering"):
    done = ["accepted", "programmed", "endpoints", "answering"]
    steps = build_steps(done[: done.index(name) + 1], {})
    progress.show(ExposureStatus("<m>", "team", Phase.ANSWERING if name == "answering" else Phase.ACCEPTED, steps))
progress.close()
"""


@pytest.fixture(scope="module")
def outputs() -> list[dict[str, dict[str, str]]]:
    """What a real kernel displays for the cell."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])  # type: ignore[no-untyped-call]
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    return list(book.cells[0].outputs)


def test_a_notebook_gets_one_display_that_ticks_off(outputs: list[dict[str, dict[str, str]]]) -> None:
    (output,) = outputs
    html, plain = output["data"]["text/html"], output["data"]["text/plain"]
    assert plain == "<ExposureStatus team/<m> Answering>"
    assert html.count("(done)") == 4
    assert "(not yet)" not in html
    assert "team/&lt;m&gt;" in html
    assert "<m>" not in html


def test_without_a_kernel_it_is_no_notebook() -> None:
    assert not is_notebook()
    display = NotebookDisplay(after=60)
    display.show(status(Phase.APPLIED))
    display.close()
