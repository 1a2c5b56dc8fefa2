"""Where a user's shared gateway keeps what others need to find it: a directory that nobody else may enter."""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kfambassador.errors import ConfigurationError
from kfambassador.local.endpoint import GatewayEndpoint

#: Names another directory; made when it is not there.
RUNTIME_VARIABLE: Final = "KFAMBASSADOR_RUNTIME_DIR"


@dataclass(frozen=True, slots=True)
class RuntimeDirectory:
    """What is in the directory.

    Attributes:
        path: The directory.
    """

    path: Path

    @property
    def file(self) -> Path:
        """Tells how to reach the gateway that runs."""
        return self.path / "gateway.json"

    @property
    def lock(self) -> Path:
        """Held by the gateway for life."""
        return self.path / "gateway.lock"

    @property
    def log(self) -> Path:
        """What the gateway says."""
        return self.path / "gateway.log"

    @property
    def leases(self) -> Path:
        """The directory that tells who uses the gateway."""
        return self.path / "leases"

    @property
    def kubeconfigs(self) -> Path:
        """The directory that names the kubeconfigs which know the gateway."""
        return self.path / "kubeconfigs"

    @property
    def envoy(self) -> Path:
        """The directory of Envoy's sockets and log."""
        return self.path / "envoy"


def open_runtime_directory(environment: Mapping[str, str] = os.environ) -> RuntimeDirectory:
    """Find this user's runtime directory; make it when it is not there.

    Raises:
        ConfigurationError: It is not a directory of this user's alone.
    """
    path = _choose(environment)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ConfigurationError(f"The runtime directory {path} cannot be made: {error.strerror}. {_ADVICE}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigurationError(f"The runtime directory {path} is not a directory of yours. {_ADVICE}")
    if found.st_mode & 0o077:
        raise ConfigurationError(f"Others may enter the runtime directory {path}. Close it: chmod 700 {path}")
    return RuntimeDirectory(path)


def write_endpoint(runtime: RuntimeDirectory, endpoint: GatewayEndpoint) -> None:
    """Tell where a gateway is; readers see the old text or the new one and never a part."""
    draft = runtime.file.with_suffix(".draft")
    text = json.dumps(asdict(endpoint), default=str)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(runtime.file)


def read_endpoint(runtime: RuntimeDirectory) -> GatewayEndpoint | None:
    """Read where a gateway is, or was when it crashed; None when nothing is told that can be read."""
    try:
        fields = json.loads(runtime.file.read_text())
        state = fields.pop("state")
        return GatewayEndpoint(state=None if state is None else Path(state), **fields)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


_ADVICE: Final = f"Name another with {RUNTIME_VARIABLE}."


def _choose(environment: Mapping[str, str]) -> Path:
    named = environment.get(RUNTIME_VARIABLE)
    if named:
        return Path(named).absolute()
    session = environment.get("XDG_RUNTIME_DIR")
    if session and _is_mine(Path(session)):
        return Path(session) / "kfambassador"
    return Path(tempfile.gettempdir()) / f"kfambassador-{os.geteuid()}"


def _is_mine(path: Path) -> bool:
    """Whether a directory exists and is this user's: after ``su`` the variable still names somebody else's."""
    try:
        return path.stat().st_uid == os.geteuid()
    except OSError:
        return False
