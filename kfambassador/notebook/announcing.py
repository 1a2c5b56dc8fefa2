"""Announcing: a kernel says which gateways it uses, so that JupyterLab's panel finds them without a guess.

What it says stands in Jupyter's runtime directory, in a file of the kernel's own that only its user may read. It tells
which gateway is meant and never how to be let in: whoever connects there needs a token of their own.
"""

import atexit
import json
import os
import socket
import stat
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from jupyter_core.paths import jupyter_runtime_dir

from kfambassador.errors import ConfigurationError
from kfambassador.local.processes import Process
from kfambassador.local.runtime_directory import open_runtime_directory
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local, Target

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

_PREFIX: Final = "kfambassador-"
#: Bytes; what is larger was not written here.
_LARGEST: Final = 64_000
_LOCK: Final = Lock()


@dataclass(frozen=True, slots=True)
class Announced:
    """A gateway that a process uses.

    Attributes:
        target: Which one.
        runtime: The runtime directory of a gateway of this machine; None for a cluster's.

    Example:
        >>> Announced(Kubeconfig("staging"))
        Announced(target=Kubeconfig(context='staging', path=None), runtime=None)
    """

    target: Target
    runtime: Path | None = None


def announce(gateway: "Gateway") -> None:
    """Say that this process uses a gateway, until the process ends. That it cannot be said is passed over.

    Args:
        gateway: The gateway, as it was connected to.
    """
    # A home directory that is full or read-only must not keep anybody from connecting.
    with suppress(OSError, ConfigurationError):
        _Book.current().add(describe(gateway.place))


def find_announcements() -> list[Announced]:
    """Find which gateways the processes of this user on this machine use; what has ended is cleared away.

    Returns:
        Each gateway once.
    """
    found: dict[Announced, None] = {}
    for path in sorted(Path(jupyter_runtime_dir()).glob(f"{_PREFIX}*.json")):
        document = _read_own(path)
        # A home directory may be shared with other machines, whose processes cannot be seen from here.
        if document is None or document.get("host") != socket.gethostname():
            continue
        process = Process.read(str(document.get("process")))
        if process is None or not process.is_alive:
            with suppress(OSError):
                path.unlink()
            continue
        found |= dict.fromkeys(_read_gateways(document))
    return list(found)


class _Book:
    """What one process has said.

    Args:
        process: The process.
    """

    _current: "_Book | None" = None

    def __init__(self, process: Process) -> None:
        self.process = process
        self._path = Path(jupyter_runtime_dir()) / f"{_PREFIX}{process}.json"
        self._said: list[Announced] = []

    @classmethod
    def current(cls) -> "_Book":
        with _LOCK:
            # A child that was forked is another process.
            if cls._current is None or cls._current.process.pid != os.getpid():
                cls._current = cls(Process.current())
                atexit.register(cls._current.remove)
            return cls._current

    def add(self, announced: Announced) -> None:
        with _LOCK:
            if announced not in self._said:
                self._said.append(announced)
            self._write()

    def remove(self) -> None:
        if self.process.pid == os.getpid():
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".draft")
        document = {
            "host": socket.gethostname(),
            "process": str(self.process),
            "gateways": [_write_gateway(announced) for announced in self._said],
        }
        draft.unlink(missing_ok=True)
        # Never through a link that somebody else has laid.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(document, file)
        draft.replace(self._path)


def describe(place: Target) -> Announced:
    """Say which gateway a target means here, so that another process finds the same.

    Raises:
        ConfigurationError: This machine's is meant, and there is no runtime directory.

    Example:
        >>> describe(Kubeconfig("staging", Path("/etc/kube.yaml"))).target
        Kubeconfig(context='staging', path=PosixPath('/etc/kube.yaml'))
    """
    match place:
        case Local():
            return Announced(place, open_runtime_directory().path)
        case Kubeconfig(context=context, path=path) if files := str(path or os.environ.get("KUBECONFIG") or ""):
            # The server may have another kubeconfig, or none, and works in another directory. Several may be joined.
            whole = os.pathsep.join(str(Path(file).absolute()) for file in files.split(os.pathsep) if file)
            return Announced(Kubeconfig(context, Path(whole)))
        case _:
            return Announced(place)


def _write_gateway(announced: Announced) -> dict[str, str | None]:
    match announced.target:
        case Kubeconfig(context=context, path=path):
            return {"kind": "kubeconfig", "context": context, "path": None if path is None else str(path)}
        case InCluster():
            return {"kind": "in-cluster"}
        case Local():
            return {"kind": "local", "runtime": str(announced.runtime)}


def _read_gateways(document: Dict[str, object]) -> Iterator[Announced]:
    said = document.get("gateways")
    for gateway in said if isinstance(said, list) else []:
        match gateway:
            case {"kind": "local", "runtime": str(runtime)} if Path(runtime).is_absolute():
                yield Announced(Local(), Path(runtime))
            case {"kind": "in-cluster"}:
                yield Announced(InCluster())
            case {"kind": "kubeconfig", "context": str() | None as context, "path": str() | None as path}:
                yield Announced(Kubeconfig(context, None if path is None else Path(path)))


def _read_own(path: Path) -> dict[str, object] | None:
    """Read a file that this user has written and nobody else can have; None where it is anything else."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            is_own = found.st_uid == os.geteuid() and not found.st_mode & 0o022
            if not stat.S_ISREG(found.st_mode) or not is_own or found.st_size > _LARGEST:
                return None
            document = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
