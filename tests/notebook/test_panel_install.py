"""The panel as whoever installs the wheel gets it: enabled, complete, and of one version with the package."""

import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import kfambassador
from tests.notebook.lab_server import EXTENSION, ROOT, make_environment, run_lab_server

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("panel-install")]

LABEXTENSION = ROOT / "kfambassador/notebook/labextension"
_COLOURS = re.compile(r"\x1b\[\d*m")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = directory.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and what it needs from the environment of the tests."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin/python"
    [packages] = place.glob("lib/python*/site-packages")
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--ignore-installed", str(wheel)], check=True, capture_output=True)
    return python


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    # JupyterLab's own files are looked for beside Python.
    return make_environment(tmp_path, JUPYTERLAB_DIR=str(Path(sys.prefix, "share/jupyter/lab")))


def run(python: str | Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [str(python), *words], env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=True
    )
    return _COLOURS.sub("", done.stdout + done.stderr)


def test_the_wheel_has_all_files_of_the_panel_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    data = f"kfambassador-{kfambassador.__version__}.data/data"
    front_end = sorted(path.name for path in (ROOT / "kfambassador/notebook/front_end").iterdir())
    assert {name for name in names if name.startswith(data)} == {
        f"{data}/share/jupyter/labextensions/kfambassador/package.json",
        f"{data}/share/jupyter/labextensions/kfambassador/install.json",
        f"{data}/share/jupyter/labextensions/kfambassador/{next(LABEXTENSION.glob('static/*')).relative_to(LABEXTENSION)}",
        f"{data}/etc/jupyter/jupyter_server_config.d/kfambassador.json",
    }
    # The modules are there once, for the widget and for the panel.
    for name in front_end:
        assert [each for each in names if each.endswith(f"/front_end/{name}")] == [
            f"kfambassador/notebook/front_end/{name}"
        ]


def test_what_describes_the_panel_agrees_with_the_package() -> None:
    described = json.loads((LABEXTENSION / "package.json").read_text())
    assert described["name"] == json.loads((LABEXTENSION / "install.json").read_text())["packageName"] == "kfambassador"
    assert described["version"] == kfambassador.__version__
    build = described["jupyterlab"]["_build"]
    assert (LABEXTENSION / build["load"]).is_file()
    entry = (LABEXTENSION / build["load"]).read_text()
    # Whatever is taken from JupyterLab is declared, so that a JupyterLab that is too old is told of.
    assert set(re.findall(r'"(@(?:jupyterlab|lumino)/[\w-]+)"', entry)) == set(described["dependencies"])


def test_the_entrys_address_changes_with_it() -> None:
    # JupyterLab's server tells browsers to keep it for a year.
    load = json.loads((LABEXTENSION / "package.json").read_text())["jupyterlab"]["_build"]["load"]
    digest = hashlib.sha256((LABEXTENSION / load).read_bytes()).hexdigest()[:12]
    assert load == f"static/remoteEntry.{digest}.js", "rename the file, and say so in package.json"
    assert len([*(LABEXTENSION / "static").iterdir()]) == 1


def test_jupyterlab_says_that_it_is_enabled_and_ok(installed: Path, environment: dict[str, str]) -> None:
    listed = run(installed, environment, "-m", "jupyterlab.labextensions", "list")
    lines = [line.split() for line in listed.splitlines() if "kfambassador" in line and not line.startswith("/")]
    assert lines == [["kfambassador", f"v{kfambassador.__version__}", "enabled", "OK", "(python,", "kfambassador)"]]


def test_the_server_says_that_it_is_enabled_and_ok(installed: Path, environment: dict[str, str]) -> None:
    listed = run(installed, environment, "-m", "jupyter_server.extension.serverextension", "list")
    assert [line.strip() for line in listed.splitlines() if "kfambassador" in line and "Config dir" not in line] == [
        f"{EXTENSION} enabled",
        f"- Validating {EXTENSION}...",
        f"{EXTENSION} {kfambassador.__version__} OK",
    ]


def test_a_server_has_it_without_being_told(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    lab = environment["JUPYTERLAB_DIR"]
    with run_lab_server(tmp_path, environment={"JUPYTERLAB_DIR": lab}, installed=installed) as server:
        page = server.ask("lab").body.decode()
        script = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
        assert script is not None
        [found] = json.loads(script[1])["federated_extensions"]
        assert found["name"] == "kfambassador"
        entry = server.ask(f"lab/extensions/kfambassador/{found['load']}")
        assert entry.body == (LABEXTENSION / found["load"]).read_bytes()
        told = server.ask("kfambassador/api/front-end").json()
        assert server.ask(f"{told['path']}panel.js").status == 200
        log = server.log.read_text()
    assert f"{EXTENSION} | extension was successfully loaded." in log
    assert [line for line in log.splitlines() if re.match(r"\[[WE] ", line)] == []


def test_loading_it_imports_nothing_that_takes_long() -> None:
    program = f"import sys, {EXTENSION}.routes; print(*sorted(sys.modules))"
    loaded = set(run(sys.executable, dict(os.environ), "-c", program).split())
    assert loaded & {"kubernetes", "requests", "kfambassador.sdk.gateway", "kfambassador.local.daemon"} == set()
