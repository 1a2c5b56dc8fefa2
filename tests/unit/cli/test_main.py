"""How the program begins and ends."""

import subprocess
import sys

CTRL_C_WHILE_LOADING = """
import sys
class CtrlC:
    def find_spec(self, name, path, target=None):
        if name == "kfambassador.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, CtrlC())
from kfambassador.__main__ import main
main()
"""


def test_ctrl_c_while_it_loads_leaves_no_stack_trace() -> None:
    done = subprocess.run([sys.executable, "-c", CTRL_C_WHILE_LOADING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
