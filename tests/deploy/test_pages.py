"""The pages for whoever runs a gateway, followed as those of the guide are.

``pytest tests/docs tests/deploy/test_pages.py --rewrite-guide`` writes what is printed into them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.local.kube.server import KubeServer
from tests.cluster.conftest import kubectl_path
from tests.cluster.servers import write_kubeconfig
from tests.deploy.built import DEPLOY, ROOT
from tests.deploy.others import define_as_emissary, make_mapping
from tests.docs.pages import Stage, follow

CONTEXT = "staging"


@contextmanager
def stage() -> Iterator[tuple[Stage, KubeClient]]:
    """A machine with a kubeconfig for a cluster of an administrator's own."""
    with TemporaryDirectory(prefix="kfa-") as folder, KubeServer() as server:
        config = Path(folder) / ".kube" / "config"
        config.parent.mkdir()
        write_kubeconfig(server, config)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("KFAMBASSADOR_", "KUBE"))}
        environ |= {"HOME": folder, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        kubectl = [str(kubectl_path()), "config"]
        current = subprocess.run([*kubectl, "current-context"], env=environ, capture_output=True, text=True, check=True)
        rename = [*kubectl, "rename-context", current.stdout.strip(), CONTEXT]
        subprocess.run(rename, env=environ, capture_output=True, check=True)
        shutil.copytree(DEPLOY, Path(folder) / "deploy", symlinks=True)
        port = server.url.rpartition(":")[2]
        with (
            KubeClient.connect(server.url, token=server.token, authority=server.authority) as client,
            Stage(Path(folder), environ, {"6443": int(port)}) as found,
        ):
            yield found, client


def empty(client: KubeClient) -> None:
    """A cluster without anything."""


def with_emissary(client: KubeClient) -> None:
    """A cluster that Emissary is in, and a team that publishes a model through it."""
    define_as_emissary(client)
    make_mapping(client, "mnist")


PAGES: dict[Path, Callable[[KubeClient], None]] = {
    ROOT / "docs" / "operate.md": empty,
    ROOT / "docs" / "from-emissary.md": with_emissary,
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_what_is_printed(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text()
    with stage() as (found, client):
        PAGES[path](client)
        printed = follow(text, found)
    if request.config.getoption("rewrite_guide", default=False):
        path.write_text(printed)
    else:
        assert text == printed
