"""What a type checker says to whoever writes against the package: mistakes are caught, and nothing else is.

``mistakes.py`` marks each line that is wrong by comments that silence it, with the code or rule that must be reported.
Both checkers are given the file without them.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

#: The file's name, the line's number, and mypy's code or pyright's rule.
Found: TypeAlias = set[tuple[str, int, str]]

MARKS = {"mypy": re.compile(r"\s*# type: ignore\[([\w-]+)\]"), "pyright": re.compile(r"\s*# pyright: ignore\[(\w+)\]")}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files, in which nothing is silenced."""
    folder = tmp_path_factory.mktemp("typing")
    for name in ("good.py", "mistakes.py"):
        text = (HERE / name).read_text()
        for mark in MARKS.values():
            text = mark.sub("", text)
        (folder / name).write_text(text)
    return folder


def run_mypy(folder: Path) -> Found:
    files = [str(folder / name) for name in ("good.py", "mistakes.py")]
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--output", "json", *files]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1, said.stderr
    reports = map(json.loads, said.stdout.splitlines())
    return {(Path(each["file"]).name, each["line"], each["code"]) for each in reports if each["severity"] == "error"}


def run_pyright(folder: Path) -> Found:
    settings = {"typeCheckingMode": "standard", "include": ["."]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "--project",
        str(folder),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 1, said.stderr
    reports = json.loads(said.stdout)["generalDiagnostics"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["rule"]) for each in reports}


def read_marks(checker: str) -> Iterator[tuple[str, int, str]]:
    for number, line in enumerate((HERE / "mistakes.py").read_text().splitlines(), start=1):
        for code in MARKS[checker].findall(line):
            yield "mistakes.py", number, code


@pytest.mark.parametrize(("checker", "run"), [("mypy", run_mypy), ("pyright", run_pyright)])
def test_the_marked_lines_are_wrong_and_no_others(checker: str, run: Callable[[Path], Found], bare: Path) -> None:
    assert run(bare) == set(read_marks(checker))


def test_checkers_of_those_who_install_it_are_told_that_it_is_typed() -> None:
    assert (ROOT / "kfambassador" / "py.typed").is_file()
