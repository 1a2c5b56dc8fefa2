"""The components as kfp and its user interface have them, compiled and in the wheel; and without kfp."""

import ast
import re
import runpy
import subprocess
import sys
import zipfile
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, components, dsl
from packaging.requirements import Requirement

from kfambassador import MissingExtra, __version__, pipelines
from kfambassador.pipelines import functions
from kfambassador.pipelines.components import COMPILED, compile_components
from kfambassador.pipelines.image import IMAGE, IMAGE_VARIABLE

ROOT = Path(__file__).parents[2]
NAMES = sorted(name for name in pipelines.__all__ if "_" in name and name != "load_components")

every_component = pytest.mark.parametrize("name", NAMES)


def read(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((COMPILED / f"{name}.yaml").read_text())
    return spec


def list_images(spec: dict[str, Any]) -> set[str]:
    return {executor["container"]["image"] for executor in spec["deploymentSpec"]["executors"].values()}


def test_the_names() -> None:
    promised = {
        "delete_route", "list_routes", "promote_route", "publish_route", "rollback_route", "shift_traffic", "test_route"
    }  # fmt: skip
    assert set(NAMES) == promised
    assert {path.stem for path in COMPILED.glob("*.yaml")} == promised


@every_component
def test_everything_is_described(name: str) -> None:
    component = getattr(pipelines, name)
    assert component.name == name.replace("_", "-")
    assert component.description
    spec = component.component_spec
    told = {**spec.inputs, **(spec.outputs or {})}
    assert [key for key, value in told.items() if not value.description] == []
    # What a docstring says of a name that is none would be shown nowhere.
    assert "\n" not in "".join(value.description for value in told.values())


@every_component
def test_the_yaml_loads_by_kfps_own_loader_and_is_the_same_component(name: str) -> None:
    loaded = components.load_component_from_file(str(COMPILED / f"{name}.yaml"))
    ours = getattr(pipelines, name).component_spec
    assert loaded.name == ours.name
    assert set(loaded.component_spec.inputs) == set(ours.inputs)
    assert set(loaded.component_spec.outputs) == set(ours.outputs)
    assert loaded.required_inputs == getattr(pipelines, name).required_inputs
    container = loaded.component_spec.implementation.container
    assert container.image == IMAGE == f"kfambassador:{__version__}"


@pytest.mark.parametrize("pipeline", ["canary", "train_and_publish"])
def test_the_guides_pipelines_load_by_kfps_own_loader_and_compile_to_the_same_again(
    pipeline: str, tmp_path: Path
) -> None:
    written = runpy.run_path(str(ROOT / "docs" / "guide" / "pipelines" / f"{pipeline}.py"))[pipeline]
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    compiler.Compiler().compile(written, str(first))
    compiler.Compiler().compile(components.load_component_from_file(str(first)), str(second))
    (one, *_), (two, *_) = (list(yaml.safe_load_all(path.read_text())) for path in (first, second))
    assert one == two


def test_all_this_is_run_with_the_versions_that_kfp_asks_for() -> None:
    needed = [Requirement(text) for text in requires("kfp") or []]
    asked = [each for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    assert {"kubernetes", "protobuf", "urllib3"} <= {each.name for each in asked}
    assert [f"{each}: {version(each.name)}" for each in asked if version(each.name) not in each.specifier] == []
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert {name: version(name) for name in ("kfp", "kubernetes", "protobuf")}.items() <= pinned.items()


@every_component
def test_a_step_installs_nothing(name: str) -> None:
    # A runner without environments of its own would install it into ours.
    assert "pip install" not in (COMPILED / f"{name}.yaml").read_text()


@every_component
def test_the_text_of_a_step_needs_nothing_but_kfp_and_what_it_imports(name: str) -> None:
    tree = ast.parse(Path(functions.__file__).read_text())
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    body = [node for node in function.body if not isinstance(node, ast.Expr)]
    assert all(isinstance(node, ast.ImportFrom) and node.module for node in body[:-1])
    assert isinstance(body[-1], ast.With)


def test_the_compiled_files_are_the_same_every_time(tmp_path: Path) -> None:
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        compile_components(tmp_path / attempt, image=IMAGE)
    for file in COMPILED.glob("*.yaml"):
        assert (tmp_path / "first" / file.name).read_text() == (tmp_path / "second" / file.name).read_text()


def test_another_image_is_an_argument_or_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def image_of(**arguments: str) -> set[str]:
        loaded = pipelines.load_components(**arguments)
        return {getattr(loaded, name).component_spec.implementation.container.image for name in NAMES}

    monkeypatch.delenv(IMAGE_VARIABLE, raising=False)
    assert image_of() == {IMAGE}
    monkeypatch.setenv(IMAGE_VARIABLE, "mirror/kfambassador:1")
    assert image_of() == {"mirror/kfambassador:1"}
    assert image_of(image="mine:2") == {"mine:2"}
    monkeypatch.setenv(IMAGE_VARIABLE, " ")
    assert image_of() == image_of(image=" ") == {IMAGE}
    assert "/" not in IMAGE


def test_nothing_is_taken_from_a_cache_unless_it_is_asked_for(tmp_path: Path) -> None:
    steps = {name: getattr(pipelines, name) for name in NAMES}

    @dsl.pipeline(name="all")
    def everything(text: str) -> None:
        for component in steps.values():
            component(**dict.fromkeys(component.required_inputs, text))
        steps["delete_route"](name=text).set_caching_options(True)

    compiler.Compiler().compile(everything, str(tmp_path / "all.yaml"))
    tasks = yaml.safe_load((tmp_path / "all.yaml").read_text())["root"]["dag"]["tasks"]
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert (len(tasks), cached) == (len(NAMES) + 1, {"delete-route-2"})


def test_a_step_that_shifts_knows_its_run_unless_its_author_says_another(tmp_path: Path) -> None:
    @dsl.pipeline(name="runs")
    def runs() -> None:
        pipelines.rollback_route(name="m")
        pipelines.promote_route(name="m", service="s", run="mine")
        pipelines.delete_route(name="m")

    compiler.Compiler().compile(runs, str(tmp_path / "runs.yaml"))
    tasks = yaml.safe_load((tmp_path / "runs.yaml").read_text())["root"]["dag"]["tasks"]
    said = {name: task["inputs"]["parameters"].get("run", {}).get("runtimeValue") for name, task in tasks.items()}
    # Kfp replaces this where it is an argument (and not where it is a default) by the run's id, the same for each task
    # and each attempt.
    assert said == {
        "rollback-route": {"constant": dsl.PIPELINE_JOB_ID_PLACEHOLDER},
        "promote-route": {"constant": "mine"},
        "delete-route": None,
    }


@every_component
def test_the_yaml_run_by_itself_is_not_cached(name: str) -> None:
    (task,) = read(name)["root"]["dag"]["tasks"].values()
    assert task["cachingOptions"] == {}


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kfp":
            raise ModuleNotFoundError("No module named " + name, name=name)

sys.meta_path.insert(0, Blocker())
import kfambassador
from kfambassador import pipelines
try:
    {use}
except kfambassador.MissingExtra as error:
    print(error)
"""


@pytest.mark.parametrize(
    "use",
    [
        "pipelines.publish_route",
        "from kfambassador.pipelines import functions",
        "from kfambassador.pipelines.components import load_components",
    ],
)
def test_without_kfp_it_is_told_in_words(use: str) -> None:
    told = subprocess.run([sys.executable, "-c", BLOCKED.format(use=use)], capture_output=True, text=True, check=True)
    expected = MissingExtra("pipelines", needed_for="build pipelines with kfambassador's steps")
    assert told.stdout.strip() == str(expected)


def test_a_name_that_is_none_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        pipelines.nonsense  # noqa: B018 - that is the point


def test_the_wheel_holds_what_was_compiled(tmp_path: Path) -> None:
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in NAMES:
            held = archive.read(f"kfambassador/pipelines/compiled/{name}.yaml").decode()
            assert held == (COMPILED / f"{name}.yaml").read_text()
