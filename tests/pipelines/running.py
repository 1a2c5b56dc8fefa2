"""Running pipelines by kfp's local runner, each step in a process of its own, and asking a model meanwhile."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from kfp import local

import kfambassador as kfa

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Run:
    """What became of a run.

    Attributes:
        outputs: What the pipeline gives; nothing when it failed.
        said: Everything its steps wrote.
        folder: Where kfp keeps what they made, a folder for each task.
        error: What kfp says of a failure; "" when it went well.
    """

    outputs: dict[str, Any]
    said: str
    folder: Path
    error: str

    def check(self) -> "Run":
        """Make sure that it went well; else show all that its steps wrote."""
        assert not self.error, f"{self.error}\n{self.said}"
        return self

    def read(self, task: str, output: str) -> str:
        """Read the file of an output."""
        return (self.folder / task / output).read_text()

    @property
    def failed(self) -> str:
        """The task that failed; "" when none did."""
        found = re.search(r"Inner task failed: '([\w-]+)'", self.error)
        return found[1] if found else ""

    @property
    def words(self) -> list[str]:
        """What our steps said in the end, each in its last words."""
        return [line.strip() for line in self.said.splitlines() if line.strip().startswith("kfambassador: ")]


@dataclass
class Runner:
    """Runs pipelines, and single components, as somebody does on a laptop."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, pipeline: Callable[..., Any], *, caching: bool = False, **arguments: Any) -> Run:
        """Run one to its end; a failure is told, not raised."""
        before = self._list()
        subprocesses = local.SubprocessRunner(use_venv=False)
        local.init(subprocesses, pipeline_root=str(self.root), enable_caching=caching)
        self.capsys.readouterr()
        outputs, error = {}, ""
        try:
            outputs = dict(pipeline(**arguments).outputs)
        except RuntimeError as failure:
            error = _COLOURS.sub("", str(failure))
        said = _COLOURS.sub("", "".join(self.capsys.readouterr()))
        (folder,) = self._list() - before or {self.root}
        return Run(outputs, said, folder, error)

    def _list(self) -> set[Path]:
        return {path for path in self.root.glob("*") if path.is_dir() and not path.name.startswith(".")}


@dataclass
class Callers:
    """People who use a model all the time.

    Attributes:
        answered: How many of their requests were answered.
        failed: What the others met.
    """

    answered: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def calling(gateway: kfa.Gateway, name: str) -> Iterator[Callers]:
    """Ask a model again and again while the block runs."""
    callers, stop = Callers(), Event()
    model = gateway.get_exposure(name)

    def ask() -> None:
        while not stop.is_set():
            try:
                model.predict([1.0])
                callers.answered += 1
            except kfa.RouteFailed as error:
                callers.failed.append(str(error))
            stop.wait(0.005)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield callers
    finally:
        stop.set()
        thread.join()


def shares(gateway: kfa.Gateway, name: str) -> dict[str, int]:
    """Who gets how much of a model's requests, by the port of the server."""
    return {share.service.rpartition(":")[2]: share.percent for share in gateway.get_exposure(name).split()}


def backends(gateway: kfa.Gateway) -> set[str]:
    """The ports of all servers in the route table."""
    return {split.service.rpartition(":")[2] for route in gateway.routes() for split in route.splits}
