"""What the Dockerfile says, without doing it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kfambassador import __version__
from tests.image.building import ROOT
from tests.image.dockerfile import Stage, read_dockerfile

DOCKERFILE = ROOT / "Dockerfile"


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return read_dockerfile(DOCKERFILE)


def judge(file: Path) -> "subprocess.CompletedProcess[str]":
    hadolint = Path(sys.executable).with_name("hadolint")
    return subprocess.run(
        [hadolint, "--no-color", "--failure-threshold", "style", file], capture_output=True, text=True, check=False
    )


def test_hadolint_has_nothing_to_say() -> None:
    verdict = judge(DOCKERFILE)
    assert (verdict.returncode, verdict.stdout) == (0, "")


def test_hadolint_would_say_something(tmp_path: Path) -> None:
    spoilt = tmp_path / "Dockerfile"
    spoilt.write_text(DOCKERFILE.read_text().replace("USER 65532:65532", "USER root"))
    verdict = judge(spoilt)
    assert verdict.returncode != 0
    assert "Last USER should not be root" in verdict.stdout


def test_its_base_is_a_release_that_the_package_runs_on(stages: list[Stage]) -> None:
    assert len({stage.base for stage in stages}) == 1
    found = re.fullmatch(r"python:(\d+)\.(\d+)-slim-[a-z]+", stages[0].base)
    assert found is not None
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    lowest = tuple(map(int, needed.removeprefix(">=").split(".")))
    assert (int(found[1]), int(found[2])) >= lowest


def test_it_says_which_version_it_is(stages: list[Stage]) -> None:
    labels = stages[-1].labels
    assert labels["org.opencontainers.image.version"] == __version__
    assert set(re.findall(r"kfambassador:(\S+)", DOCKERFILE.read_text())) == {__version__}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.source"] == project["urls"]["Source"]
    assert labels["org.opencontainers.image.documentation"] == project["urls"]["Documentation"]


def test_it_is_nobody_whom_kubernetes_could_take_for_root(stages: list[Stage]) -> None:
    assert stages[-1].facts["USER"] == "65532:65532"


def test_what_runs_first_gets_signals_itself(stages: list[Stage]) -> None:
    # As a list: a shell in between would keep them.
    assert stages[-1].words("ENTRYPOINT") == ["kfambassador"]
    assert stages[-1].words("CMD") == ["--help"]


def test_nothing_is_fetched_but_by_pip_and_nothing_installed_in_the_end(stages: list[Stage]) -> None:
    commands = [step.text for stage in stages for step in stage.steps if step.instruction == "RUN"]
    assert [text for text in commands if re.search(r"\b(apt|apt-get|apk|curl|wget|git|gcc|make)\b", text)] == []
    last = [step.text for step in stages[-1].steps if step.instruction == "RUN"]
    assert [text for text in last if "pip" in text and " install " in text] == []
    assert "://" not in "".join(commands)


def test_the_builder_is_sent_what_is_copied_and_nothing_else(stages: list[Stage]) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    copied = {
        source.removeprefix("./")
        for stage in stages
        for step in stage.steps
        if step.instruction == "COPY" and "from" not in step.flags
        for source in step.text.split()[:-1]
    }
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_no_check_of_its_own_and_the_reason_beside_it(stages: list[Stage]) -> None:
    assert stages[-1].facts["HEALTHCHECK"] == "NONE"
    before = DOCKERFILE.read_text().partition("HEALTHCHECK NONE")[0].splitlines()[-1]
    assert before.startswith("# ")
