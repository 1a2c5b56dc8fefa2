"""How the program begins and ends."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kfambassador.cli.app import COMMANDS, build_app

CTRL_C_WHILE_LOADING = """
import sys
loaded = sys.argv.pop(1)
class CtrlC:
    def find_spec(self, name, path, target=None):
        if name == loaded:
            raise KeyboardInterrupt
sys.meta_path.insert(0, CtrlC())
from kfambassador.__main__ import main
main()
"""


@pytest.mark.parametrize("loaded", ["kfambassador.cli.app", "kfambassador.cli.local"])
def test_ctrl_c_while_it_loads_leaves_no_stack_trace(loaded: str) -> None:
    command = [sys.executable, "-c", CTRL_C_WHILE_LOADING, loaded, "local", "status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_alone_is_as_it_is_among_all(name: str) -> None:
    alone, among_all = (
        CliRunner().invoke(build_app(words), [name, "--help"], prog_name="kfambassador") for words in ([name], [])
    )
    assert alone.exit_code == 0
    assert alone.output == among_all.output


def test_a_command_loads_nothing_of_the_others() -> None:
    code = "import sys; from kfambassador.cli.app import build_app; build_app(['local', 'stop']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "kfambassador.cli.local" in loaded
    assert not loaded & {"kfambassador.cli.publishing", "kfambassador.sdk.views", "pydantic"}
