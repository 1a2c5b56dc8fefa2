"""The example notebooks, run from their beginning to their end: each in a home and with a gateway of its own.

``python -m tests.notebook.notebooks [NAME ...]`` runs them and saves what they show, for whoever has changed one.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nbformat
import psutil  # type: ignore[import-untyped]  # it ships no types
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from kfambassador.local.daemon import find_gateway
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.runtime_directory import RuntimeDirectory
from tests.notebook.lab_server import make_environment
from tests.servers.environments import make_environment as install

PLACE: Final = Path(__file__).parents[2] / "notebooks"
#: The tag of a cell that is meant to fail.
FAILS: Final = "raises-exception"
#: Who runs them, as whoever reads them sees it.
PERSON: Final = "ana"

#: Seconds a cell may take; others may be busy on this machine.
_PATIENCE: Final = 180
#: In the environment of everything that a notebook starts, with a value of its own for each run.
_MARK: Final = "KFAMBASSADOR_RUNTIME_DIR"

Notebook = Any


@dataclass(frozen=True)
class Executed:
    """A notebook that was run.

    Attributes:
        notebook: A copy with what it shows.
        endpoint: The gateway it used, which is there still; None when it used none.
        left: The names of what it has left in the directory it ran in.
    """

    notebook: Notebook
    endpoint: GatewayEndpoint | None
    left: Sequence[str]


def list_notebooks() -> list[Path]:
    """The notebooks there are."""
    return sorted(PLACE.glob("*.ipynb"))


def read(path: Path) -> Notebook:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it ships no types


def list_cells(notebook: Notebook) -> list[Any]:
    """The cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def has_tag(cell: Notebook, tag: str) -> bool:
    """Whether a cell has a tag."""
    return tag in cell.metadata.get("tags", ())


@contextmanager
def executed(notebook: Notebook, home: Path, *, programs: Sequence[Path] = ()) -> Iterator[Executed]:
    """Run a notebook, and keep its gateway while the block does.

    Args:
        notebook: The notebook.
        home: An empty directory, for all that it and its gateway write.
        programs: Directories of programs it may start by their names.

    Raises:
        CellExecutionError: A cell failed that is not meant to.
        AssertionError: A program that it started outlived it.
    """
    work = home / "work"
    work.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), *map(str, programs), os.environ.get("PATH", os.defpath)])
    environment = make_environment(home, PATH=path, LOGNAME=PERSON, USER=PERSON)
    run = _forget(notebook)
    manager = AsyncKernelManager(
        kernel_name="python3",
        # Files instead of ports: nobody else can ask it, and none can be taken.
        transport="ipc",
        ip=str(home / "k"),
        connection_file=str(home / "kernel.json"),
        # Half of it later a kernel is killed, and with that what it does at its end is not done.
        shutdown_wait_time=60.0,
    )
    # With the widgets' state saved, exports would leave out what is shown where there are no widgets.
    client = NotebookClient(run, km=manager, timeout=_PATIENCE, store_widget_state=False, record_timing=False)
    with _ending_everything(home):
        client.execute(cleanup_kc=True, env=environment, cwd=str(work))
        left = sorted(path.name for path in work.iterdir())
        yield Executed(run, find_gateway(RuntimeDirectory(Path(environment[_MARK]))), left)


def _forget(notebook: Notebook) -> Notebook:
    """Copy a notebook without what it shows."""
    bare = deepcopy(notebook)
    for cell in list_cells(bare):
        cell.outputs, cell.execution_count = [], None
    return bare


@contextmanager
def _ending_everything(home: Path) -> Iterator[None]:
    """Stop the gateway of a home after the block, and let no other program outlive it.

    Raises:
        AssertionError: There were others; they are ended.
    """
    try:
        yield
    finally:
        stop = [sys.executable, "-m", "kfambassador", "local", "stop"]
        subprocess.run(stop, env=make_environment(home), check=True, capture_output=True)
        left = _find_programs(home)
        commands = [" ".join(program.info["cmdline"] or ()) for program in left]
        for program in left:
            with suppress(psutil.NoSuchProcess):
                program.kill()
        assert not commands, f"still running after the notebook: {commands}"


def _find_programs(home: Path) -> list[psutil.Process]:
    """The programs that run on behalf of a home."""
    ours = make_environment(home)[_MARK]
    return [
        program
        for program in psutil.process_iter(["cmdline", "environ", "status"])
        if (program.info["environ"] or {}).get(_MARK) == ours and program.info["status"] != psutil.STATUS_ZOMBIE
    ]


def needs_mlserver(notebook: Notebook) -> bool:
    """Whether a notebook starts the model server that others wrote."""
    return any("mlserver" in cell.source for cell in list_cells(notebook))


def save(notebook: Notebook, path: Path) -> None:
    """Save a notebook, without anything about the Python that ran it."""
    described = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.metadata = nbformat.from_dict(described)  # type: ignore[no-untyped-call]
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def main(names: Sequence[str]) -> None:
    """Run the notebooks of these names, or all, and save them."""
    for path in list_notebooks():
        if names and path.stem not in names:
            continue
        notebook = read(path)
        programs = [install("mlserver", print)] if needs_mlserver(notebook) else []
        with tempfile.TemporaryDirectory() as home, executed(notebook, Path(home), programs=programs) as run:
            save(run.notebook, path)
        print(f"{path.stem}: run and saved")  # noqa: T201 - it speaks to a person


if __name__ == "__main__":
    main(sys.argv[1:])
