"""Our errors in the cells of real kernels: words, the trace folded up, and a cell that has failed all the same."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from kfambassador.displays import find_display
from kfambassador.errors import RouteFailed
from tests.notebook.kernels import Kernel, running_kernel
from tests.notebook.lab_server import make_environment

pytestmark = [
    pytest.mark.xdist_group("notebook-failing"),
    # The kernel's messages travel over a loopback socket, which ipykernel remarks on at every start.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq"),
]

CANARY = "a-canary-that-sings"
IMPORT = "import kfambassador as kfa\n"
FAIL = f"{IMPORT}kfa.connect('nowhere-at-all')"


@pytest.fixture(scope="module")
def kernel(home: Path) -> Iterator[Kernel]:
    """A kernel in which nothing was loaded."""
    with running_kernel(home) as kernel:
        yield kernel


def fail(kernel: Kernel, code: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Run a cell that fails; give the one thing it shows, by its media types, and its error."""
    [shown], error = kernel.fail(code)
    return shown["data"], error


def test_the_seam_is_an_entry_point_and_words_where_nobody_draws() -> None:
    [offered] = entry_points(group="kfambassador.displays", name="error")
    assert offered.value == "kfambassador.notebook.failing:show_error"
    draw = find_display("error")
    assert draw is not None
    error = RouteFailed("it answered 503", status=503)
    assert draw(error) == error._render_traceback_() == ["kfambassador.errors.RouteFailed: it answered 503"]


def test_without_the_extra_it_is_pythons_own_trace() -> None:
    program = (
        "import sys; sys.modules['IPython'] = None\nfrom kfambassador.errors import NoGateway\n"
        "try: raise NoGateway('gone') from ValueError('first')\nexcept NoGateway as error: found = error\n"
        "print(found._render_traceback_())"
    )
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "ValueError: first" in told
    assert "kfambassador.errors.NoGateway: gone" in told


def test_an_error_is_words_once_with_the_trace_folded_up(kernel: Kernel) -> None:
    words = "m is not <b>served</b>:\n  start it"
    data, error = fail(kernel, f"{IMPORT}raise kfa.NotServed({words!r}, stage='accepted')")
    assert error == {"ename": "NotServed", "evalue": words, "traceback": [f"\x1b[31mNotServed\x1b[39m: {words}"]}
    assert sorted(data) == ["text/html", "text/plain"]
    assert data["text/plain"] == "NotServed: %tb shows the whole trace, %debug looks into it."
    before, details, trace = data["text/html"].partition("<details>")
    assert details, "it is folded up: no open attribute"
    assert trace.startswith("<summary>NotServed: where it happened</summary>")
    assert "--jp-ui-font-color1" in before, "colours are the theme's"
    assert "served" not in before, "words are told once"
    assert "Traceback (most recent call last)" in trace
    assert "NotServed: m is not &lt;b&gt;served&lt;/b&gt;:" in trace
    assert "IPython" not in trace, "how a cell is run is nobody's fault"


def test_what_the_sdk_raises_is_shown_so_without_anything_loaded(kernel: Kernel) -> None:
    assert "kfambassador.notebook.magics" not in kernel.tell("import sys; print(list(sys.modules))")
    data, error = fail(kernel, FAIL)
    assert error["ename"] == "ConfigurationError"
    assert error["traceback"] == [f"\x1b[31mConfigurationError\x1b[39m: {error['evalue']}"]
    assert "kfa.connect(&#x27;nowhere-at-all&#x27;)" in data["text/html"], "the line of the cell is in the trace"
    files = re.findall("File &quot;(.+?)&quot;", data["text/html"])
    assert any(re.fullmatch(r"Cell In\[\d+\]", file) for file in files)
    assert "kfambassador/sdk/connecting.py" in files
    assert not any(file.startswith("/") for file in files), "where they are kept is not saved with the notebook"


def test_tb_and_debug_have_everything(kernel: Kernel) -> None:
    fail(kernel, "def ask(inside):\n    raise kfa.NoGateway('it is gone')\nask('the-value-inside')")
    shown, error = kernel.fail("%tb")
    assert shown == [], "asked for in so many words, the trace is not folded up"
    trace = "\n".join(error["traceback"])
    assert "Traceback (most recent call last)" in trace
    assert "it is gone" in trace
    number = kernel.begin("%debug")
    for command in ("p inside", "q"):
        assert kernel.client.get_stdin_msg(timeout=60)["content"]["prompt"].startswith("ipdb")
        kernel.client.input(command)
    assert "the-value-inside" in "".join(str(each.get("text")) for each in kernel.finish(number))


def test_causes_stay_in_the_trace(kernel: Kernel) -> None:
    code = "try:\n    {}['missing']\nexcept KeyError as error:\n    raise kfa.NoGateway('gone') from error"
    data, error = fail(kernel, code)
    assert "KeyError: &#x27;missing&#x27;" in data["text/html"].partition("<details>")[2]
    assert "direct cause of the following exception" in data["text/html"]
    assert "missing" not in "".join(error["traceback"])
    assert "KeyError" in "\n".join(kernel.fail("%tb")[1]["traceback"])


def test_no_value_of_a_variable_is_in_what_is_shown(kernel: Kernel) -> None:
    kernel.run(f"token = '-'.join({CANARY.split('-')})\ndef use(key): raise kfa.NoGateway('refused')")
    # With it IPython draws the values of variables.
    kernel.run("%xmode Verbose")
    data, error = fail(kernel, "use(token)")
    assert CANARY not in str(data) + str(error)
    kernel.run("def other(key): raise ValueError('refused')")
    assert CANARY in str(kernel.fail("other(token)")[1]), "else this test would find nothing"
    kernel.run("%xmode Context")


def test_errors_of_others_are_as_ever(kernel: Kernel) -> None:
    shown, error = kernel.fail("raise ValueError('theirs')")
    assert shown == []
    assert "Traceback (most recent call last)" in error["traceback"][1]
    shown, _ = kernel.end(kernel.begin("raise ExceptionGroup('several', [kfa.NoGateway('gone')])"))
    assert "Exception Group Traceback" in shown[0]["text"]


def test_an_error_in_a_captured_cell_is_told_in_its_own_lines(kernel: Kernel) -> None:
    shown, error = kernel.fail("%%capture kept\nraise kfa.NoGateway('gone, in words')")
    assert shown == []
    assert error["traceback"] == [
        "\x1b[31mNoGateway\x1b[39m: gone, in words",
        "%tb shows the whole trace, %debug looks into it.",
    ]


def test_a_caught_error_shows_nothing_and_one_that_is_shown_by_hand_is_shown(kernel: Kernel) -> None:
    catch = "try:\n    raise kfa.NoGateway('gone')\nexcept kfa.NoGateway as error:\n    "
    assert kernel.run(f"{catch}pass") == []
    data, error = fail(kernel, f"{catch}get_ipython().showtraceback()")
    assert ("<details>" in data["text/html"], error["evalue"]) == (True, "gone")


def test_running_all_stops_and_a_saved_notebook_says_why(home: Path) -> None:
    code = f"token = {CANARY!r}[:]\ndef use(key): raise kfa.NoGateway('gone')\nuse(token)"
    cells = [IMPORT, code, "print('never')"]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]  # no types
    with pytest.raises(CellExecutionError) as raised:
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=make_environment(home))
    assert (raised.value.ename, raised.value.evalue) == ("NoGateway", "gone")
    # Who runs notebooks without a page reads it in a log.
    assert "\x1b[31mNoGateway\x1b[39m: gone" in str(raised.value)
    _, failed, never = notebook.cells
    assert [output.output_type for output in failed.outputs] == ["display_data", "error"]
    assert (failed.outputs[1].ename, failed.outputs[1].evalue) == ("NoGateway", "gone")
    assert never.outputs == []
    assert "<script" not in failed.outputs[0].data["text/html"]
    # A person wrote it into the cell, and the trace has lines of code; nothing has it that they did not write.
    failed.source = ""
    assert str(notebook).count(CANARY) == 0
