"""Every page of the guide, followed from its top to its end; what it shows is what is printed.

``pytest tests/docs --rewrite-guide`` writes what is printed into the pages.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kfambassador.local.background import BackgroundServer
from kfambassador.local.models import ModelServer
from tests.docs.pages import Stage, find_blocks, follow
from tests.docs.servers import ChatServer, InferenceServer
from tests.e2e.test_grpc_calls import Server as GrpcServer
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
#: Numbers that stand in the pages: none of them may stand for a port of a page as well.
NAMED = frozenset(int(found) for page in GUIDE.rglob("*.*") for found in re.findall(r"\b\d{4}\b", page.read_text()))


@contextmanager
def stage(*free: str, servers: dict[str, BackgroundServer]) -> Iterator[Stage]:
    """A machine of the reader's own, with free ports, and servers that a page speaks of."""
    with ExitStack() as parts:
        # A short path: Envoy's sockets are below it.
        folder = Path(parts.enter_context(TemporaryDirectory(prefix="kfa-")))
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("KFAMBASSADOR_", "KUBE"))}
        environ |= {
            "HOME": str(folder),
            "KFAMBASSADOR_RUNTIME_DIR": str(folder),
            "LOGNAME": "ann",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        ports = {port: find_port() for port in (*free, "8080")}
        ports |= {port: parts.enter_context(server).port for port, server in servers.items()}
        yield parts.enter_context(Stage(folder, environ, ports))


def find_port() -> int:
    """A free port of four digits, as those in the pages: columns are as wide as what is in them."""
    return next(port for port in iter(lambda: free_port(among=range(1024, 10_000)), 0) if port not in NAMED)


@contextmanager
def sharing_a_gateway(stage: Stage) -> Iterator[Stage]:
    """The gateway of this machine on the port that the pages name."""
    try:
        run(stage, "local", "start", "--http-port", str(stage.ports["8080"]))
        yield stage
    finally:
        run(stage, "local", "stop")


def run(stage: Stage, *words: str) -> None:
    command = [sys.executable, "-m", "kfambassador", *words]
    subprocess.run(command, env=stage.environ, capture_output=True, check=True)


@contextmanager
def publishing() -> Iterator[Stage]:
    servers: dict[str, BackgroundServer] = {
        "8000": ChatServer("llm", port=find_port()),
        "8090": InferenceServer("iris", port=find_port()),
        "8510": ModelServer("half", port=find_port()),
    }
    with (
        GrpcServer().serving() as grpc_port,
        stage("8501", "8599", servers=servers) as found,
        sharing_a_gateway(found),
    ):
        found.ports["8500"] = grpc_port
        yield found


@contextmanager
def moving() -> Iterator[Stage]:
    with stage("8501", "8502", "8503", servers={}) as found, sharing_a_gateway(found):
        yield found


@contextmanager
def administering() -> Iterator[Stage]:
    with stage("6443", "8601", "8877", servers={}) as found:
        shutil.copytree(ROOT / "deploy", found.folder / "deploy")
        found.environ = {**found.environ, "KUBECONFIG": "cluster.kubeconfig"}
        yield found


@contextmanager
def running_here() -> Iterator[Stage]:
    with stage("6443", "8501", "8502", servers={}) as found:
        found.environ = {**found.environ, "KUBECONFIG": "local.kubeconfig"}
        yield found


@contextmanager
def looking() -> Iterator[Stage]:
    with stage("8501", "8502", servers={}) as found, sharing_a_gateway(found):
        yield found


@contextmanager
def building() -> Iterator[Stage]:
    with stage("8501", "8502", "8503", "8599", servers={}) as found, sharing_a_gateway(found):
        for program in (GUIDE / "pipelines").glob("*.py"):
            shutil.copy(program, found.folder)
        yield found


SETTINGS = {
    GUIDE / "notebooks.md": looking,
    GUIDE / "pipelines.md": building,
    GUIDE / "publish-a-model.md": publishing,
    GUIDE / "traffic.md": moving,
    GUIDE / "clusters.md": administering,
    GUIDE / "kubernetes-api.md": running_here,
    GUIDE / "local-services.md": running_here,
}


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_a_page_shows_what_is_printed(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text()
    with SETTINGS[path]() as found:
        printed = follow(text, found)
    if request.config.getoption("rewrite_guide", default=False):
        path.write_text(printed)
    else:
        assert text == printed


def test_every_page_with_something_to_run_is_followed() -> None:
    pages = {path for path in GUIDE.glob("*.md") if list(find_blocks(path.read_text()))}
    assert pages == {path for path in SETTINGS if path.parent == GUIDE}
