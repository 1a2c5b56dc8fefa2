"""JupyterLab for all tests that look at one of its pages."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.lab_server import LabServer
    from tests.notebook.scene import Scene


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of one file's kernels."""
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="session")
def lab() -> "Iterator[LabServer]":
    """A JupyterLab behind a prefix, as JupyterHub gives one; its kernels and its panel share one gateway."""
    from kfambassador.local.envoy_process import private_directory
    from tests.browsers import find_chromium
    from tests.notebook.lab_pages import write_settings
    from tests.notebook.lab_server import run_lab_server

    # Without a browser nobody looks at it.
    find_chromium()
    with private_directory() as home:
        environment = write_settings(home)
        with run_lab_server(home, "--expose-app-in-browser", base="/user/ana/", environment=environment) as server:
            try:
                yield server
            finally:
                stop = [sys.executable, "-m", "kfambassador", "local", "stop"]
                subprocess.run(stop, env=dict(server.environment), check=True, capture_output=True)


@pytest.fixture(scope="session")
def scene(lab: "LabServer") -> "Iterator[Scene]":
    """The gateway that JupyterLab's kernels and panel use, with all that there is to see."""
    from tests.notebook.scene import played

    with played(lab) as scene:
        yield scene
