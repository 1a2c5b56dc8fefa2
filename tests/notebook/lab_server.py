"""A real Jupyter server in a home of its own, with our extension as it stands in this checkout."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
EXTENSION = "kfambassador.notebook.server"
_PATIENCE = 60


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class LabServer:
    """A running server.

    Attributes:
        url: Its address with its base path; a slash at the end.
        home: Its home directory.
        log: What it says.
        environment: What it was started with.
        process: Its process.
    """

    url: str
    home: Path
    log: Path
    environment: Dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def runtime(self) -> Path:
        """Jupyter's runtime directory."""
        return self.home / "runtime"

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        token: str | None = TOKEN,
        headers: Dict[str, str] | None = None,
    ) -> Answer:
        """Ask it; an error status is an answer too."""
        sent = {**({"Authorization": f"token {token}"} if token else {}), **(headers or {})}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=content, headers=sent, method=method)
        try:
            with urlopen(request, timeout=_PATIENCE) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())


def make_environment(home: Path, **more: str) -> dict[str, str]:
    """An environment in which Jupyter and we keep everything below a directory."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "KFAMBASSADOR_", "KUBE", "IPYTHON", "XDG_"))
    }
    own = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "KFAMBASSADOR_RUNTIME_DIR": home / "gateway",
    }
    return {**kept, **{name: str(value) for name, value in own.items()}, **more}


def copy_labextension(directory: Path) -> Path:
    """Put JupyterLab's part of the extension, as it stands here, where a server can be told to look."""
    shutil.copytree(ROOT / "kfambassador/notebook/labextension", directory / "kfambassador", dirs_exist_ok=True)
    return directory


@contextmanager
def run_lab_server(
    home: Path,
    *options: str,
    base: str = "/",
    port: int = 0,
    environment: Dict[str, str] | None = None,
    installed: Path | None = None,
) -> Iterator[LabServer]:
    """Run a JupyterLab server; it answers when this yields, and is gone afterwards.

    Args:
        home: Its home directory; made when it is not there.
        options: More options of ``jupyter lab``.
        base: Its base path, as JupyterHub gives one.
        port: Its port; 0 takes a free one.
        environment: Variables on top.
        installed: A Python in which our extension is installed; None means this one's, and the extension of this
            checkout.
    """
    for part in ("config", "data", "runtime", "work"):
        (home / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    port = port or free_port()
    command = [
        *(str(installed or sys.executable), "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.base_url={base}", f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home / 'work'}"),
        *([] if installed else _choose_checkout(home)),
        *options,
    ]
    log = home / "server.log"
    started_in = make_environment(home, **(environment or {}))
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=started_in, cwd=home)
    server = LabServer(f"http://127.0.0.1:{port}{base}", home, log, started_in, process)
    try:
        _wait_until_answering(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _choose_checkout(home: Path) -> list[str]:
    return [
        f"--LabApp.extra_labextensions_path={copy_labextension(home / 'labextensions')}",
        f"--ServerApp.jpserver_extensions={{'{EXTENSION}': True, 'jupyterlab': True}}",
    ]


def _wait_until_answering(server: LabServer) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if server.ask("api/status").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the Jupyter server does not answer:\n{server.log.read_text()}")
