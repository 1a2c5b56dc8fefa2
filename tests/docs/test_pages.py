"""How a page is followed: what it shows wrongly is put right, and what only differs as it may is left alone."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import Stage, follow, split_commands


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with Stage(tmp_path, {"PATH": path}, {"8501": 4711}) as stage:
        yield stage


def block(kind: str, text: str) -> str:
    return f"```{kind}\n{text}\n```\n"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1 + 1", "2"),
        ("print('a')\n'b'", "a\n'b'"),
        ("url = 'http://127.0.0.1:8501'\nurl, len(url)", "('http://127.0.0.1:8501', 21)"),
        ("nobody", "NameError: name 'nobody' is not defined"),
    ],
)
def test_what_a_python_block_prints_stands_after_it(stage: Stage, code: str, shown: str) -> None:
    right = f"{block('python', code)}\n{block('text', shown)}\nMore.\n"
    assert follow(f"{block('python', code)}\nMore.\n", stage) == right
    assert follow(right, stage) == right
    assert follow(f"{block('python', code)}\n{block('text', 'something else')}\nMore.\n", stage) == right


def test_what_prints_nothing_shows_nothing(stage: Stage) -> None:
    assert follow(f"{block('python', 'x = 1')}\n{block('text', '1')}", stage) == f"{block('python', 'x = 1')}\n"


def test_the_blocks_of_a_page_share_their_names(stage: Stage) -> None:
    right = f"{block('python', 'x = 3')}\n{block('python', 'x')}\n{block('text', '3')}"
    assert follow(right, stage) == right


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("in 3.6 ms", "in 12 ms"),
        ("at 2026-11-26T01:42:22Z", "at 2030-01-01T00:00:00Z"),
        ("http://127.0.0.1:38737/", "http://127.0.0.1:41000/"),
        ("NAME   SHARE", "NAME  SHARE"),
    ],
)
def test_what_differs_from_run_to_run_is_left_alone(stage: Stage, shown: str, printed: str) -> None:
    page = f"{block('python', f'print({printed!r})')}\n{block('text', shown)}"
    assert follow(page, stage) == page


@pytest.mark.parametrize("printed", ["in 3 s", "at noon", "http://127.0.0.1:8502/", "NAMES  SHARE"])
def test_nothing_else_is(stage: Stage, printed: str) -> None:
    page = f"{block('python', f'print({printed!r})')}\n{block('text', 'in 3.6 ms')}"
    assert block("text", printed) in follow(page, stage)


def test_commands_print_on_both_streams_and_find_the_files_of_the_page(stage: Stage) -> None:
    page = block("yaml", "# a.yaml\nport: 8501") + block("console", "$ cat a.yaml \\\n    absent")
    shown = "$ cat a.yaml \\\n    absent\n# a.yaml\nport: 8501\ncat: absent: No such file or directory"
    assert block("console", shown) in follow(page, stage)


def test_a_command_in_the_background_shows_its_first_line(stage: Stage) -> None:
    command = f"{sys.executable} -c 'import time; print(8501, flush=True); time.sleep(600)' &"
    page = block("console", f"$ {command}\n8501")
    assert follow(page, stage) == page


def test_output_is_no_command() -> None:
    assert list(split_commands("$ a\nout\n$ b \\\n  c\nout\n")) == ["$ a\n", "$ b \\\n  c\n"]
