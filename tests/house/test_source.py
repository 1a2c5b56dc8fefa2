"""The house keeps its own rules: sizes, words and what every package says of itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "kfambassador"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FUNCTION = 60
LONGEST_MODULE = 400


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_and_its_functions_are_short(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    long = [name for name, length in measure_functions(ast.parse(text)) if length > LONGEST_FUNCTION]
    assert long == []


def measure_functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines, without its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            docstring = node.body[0]
            described = (docstring.end_lineno or 0) - docstring.lineno + 1 if documented else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - described


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_leaves_the_random_numbers_of_its_user_alone(module: Path) -> None:
    # Who seeds a notebook means to see the same numbers again, whatever our threads do beside it.
    drawn = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
    ]
    assert set(drawn) <= {"random.Random", "random.SystemRandom"}


@pytest.mark.parametrize("package", sorted(PACKAGE.rglob("*/__init__.py")), ids=name_of)
def test_a_package_says_what_it_does_and_what_it_must_not(package: Path) -> None:
    said = ast.get_docstring(ast.parse(package.read_text()))
    assert said
    assert re.search(r"\b(not|never|nothing|no|only|none)\b", said, re.IGNORECASE)


def tracked_files() -> list[Path]:
    """What is in the repository; nothing where there is none, as in an unpacked archive."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


# Where somebody's home or workplace is; /home/me is nobody's.
PLACES = re.compile(r"(?<![\w.])/(?:home(?!/me\b)|Users|work|root)/\w")


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    here = Path(__file__)
    found = [
        f"{name_of(path)}:{number}"
        for path in tracked_files()
        if path != here
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if PLACES.search(line)
    ]
    assert found == []


def test_no_lock_file_is_kept() -> None:
    kept = {path.name for path in tracked_files()}
    assert kept & {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "package-lock.json"} == set()


def test_the_floors_are_kept() -> None:
    # The contracts are in .importlinter; what is asked here is that they can fail at all.
    from importlinter.api import read_configuration

    contracts = read_configuration(str(ROOT / ".importlinter"))["contracts_options"]
    assert len(contracts) >= 10
    assert any(contract["type"] == "layers" and contract.get("exhaustive") for contract in contracts)
