"""Every notebook, executed against a gateway of its own; what it prints must be what is saved in it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    pytest.mark.e2e,
    # The kernel's messages travel over a loopback socket, which ipykernel remarks on at every start.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq"),
]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def own_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("KFAMBASSADOR_TARGET", raising=False)
    yield
    subprocess.run([sys.executable, "-m", "kfambassador", "local", "stop"], check=False, capture_output=True)


def outputs(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell shows, without what differs from run to run: ports, and progress on the way."""
    shown = []
    for cell in notebook.cells:
        parts = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
        text = "\n".join(part.get("text") or part.get("data", {}).get("text/plain", "") for part in parts)
        shown.append(re.sub(r"(127\.0\.0\.1:|default:|port )\d+", r"\1N", text).strip())
    return shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_is_saved_in_it(path: Path, own_gateway: None) -> None:
    saved = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it ships no types
    run = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it ships no types
    NotebookClient(run, timeout=120, kernel_name="python3").execute()
    assert outputs(run) == outputs(saved)
    assert any(outputs(saved)), "the notebook is saved without outputs"
