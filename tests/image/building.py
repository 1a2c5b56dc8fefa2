"""The image without Docker: what the Dockerfile says is done below a directory, with a copy of this machine's Python.

Paths of the image are paths below the directory, and the copy, with a pip, is what its base image has. The directory is
kept until the Dockerfile or the pins change; a change of the package alone is installed into it, by the same
instructions.
"""

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.image.dockerfile import Stage, Step, read_dockerfile

ROOT: Final = Path(__file__).parents[2]

#: The user that the image runs as; nobody here.
STRANGER: Final = 65532

_PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LEFT_OUT: Final = ("test", "idlelib", "site-packages", "dist-packages", "__pycache__", "config-*")

#: Where the image has something of its own; other paths of the instructions are this machine's.
_PLACES = ("/usr/local", "/build", "/opt", "/run/kfambassador", "/var/lib/kfambassador")
_PATHS = re.compile(rf"(?<![\w./-])({'|'.join(map(re.escape, _PLACES))})(?![\w-])")


@dataclass(frozen=True, slots=True)
class Image:
    """What the Dockerfile makes, below a directory.

    Attributes:
        root: The directory.
        stage: The last stage, which is the image.
    """

    root: Path
    stage: Stage

    def path(self, path: str) -> Path:
        """Where a path of the image is."""
        return Path(map_paths(path, self.root))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a container of it has, and no other."""
        base = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        filled = {"PATH": base} | {k: v.replace("$PATH", base) for k, v in self.stage.environment.items()}
        # The base image's linker knows by itself where Python's library is.
        filled["LD_LIBRARY_PATH"] = "/usr/local/lib"
        return {name: map_paths(value, self.root) for name, value in filled.items()}

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What a container runs that has arguments and no command of its own."""
        return [*self.stage.words("ENTRYPOINT"), *arguments]


def map_paths(text: str, root: Path) -> str:
    """Write the image's paths as those below a directory."""
    return _PATHS.sub(lambda found: f"{root}{found[1]}", text)


def build_image() -> Image:
    """Do what the Dockerfile says, as far as it was not done before; one process does, while others wait."""
    stages = read_dockerfile(ROOT / "Dockerfile")
    root = _own_directory()
    with _locked(root):
        if not _is_done(root / "set-up", _digest_set_up()):
            _clear(root)
            _make_base(root)
            _note(root / "set-up", _digest_set_up())
        if not _is_done(root / "package", _digest_package()):
            (root / "package").unlink(missing_ok=True)
            for stage in stages:
                _begin(root)
                _do(stage, root)
            _note(root / "package", _digest_package())
    return Image(root, stages[-1])


def _own_directory() -> Path:
    """A directory that every user may look into, wherever this checkout is."""
    root = Path(tempfile.gettempdir()) / f"kfambassador-image-{os.getuid()}"
    root.mkdir(mode=0o755, exist_ok=True)
    assert root.stat().st_uid == os.getuid(), f"{root} is somebody else's"
    return root


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_done(note: Path, digest: str) -> bool:
    return note.exists() and note.read_text() == digest


def _note(note: Path, digest: str) -> None:
    note.write_text(digest)


def _clear(root: Path) -> None:
    for each in root.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name != "lock":
            each.unlink()


def _digest_set_up() -> str:
    files = [(ROOT / name).read_text() for name in ("Dockerfile", "pyproject.toml", "constraints.txt")]
    return sha256("\n".join([sys.version, sys.base_prefix, *files]).encode()).hexdigest()


def _digest_package() -> str:
    found = sha256(_digest_set_up().encode())
    for file in sorted((ROOT / "kfambassador").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            found.update(f"\n{file.relative_to(ROOT)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return found.hexdigest()


def _make_base(root: Path) -> None:
    """Make a Python with a pip, as the base image has it."""
    base, origin = root / "base", Path(sys.base_prefix)
    (base / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.executable).resolve(), base / "bin" / _PYTHON)
    (base / "bin/python3").symlink_to(_PYTHON)
    shutil.copytree(origin / "lib" / _PYTHON, base / "lib" / _PYTHON, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    for library in (origin / "lib").glob("libpython*.so*"):
        shutil.copy(library, base / "lib", follow_symlinks=False)
    _run(f"{base}/bin/python3 -m ensurepip --default-pip", root, {**os.environ, "PIP_CONSTRAINT": ""})


def _begin(root: Path) -> None:
    """Begin a stage: what another did to the base is not part of it."""
    shutil.rmtree(root / "usr/local", ignore_errors=True)
    shutil.copytree(root / "base", root / "usr/local", symlinks=True)


def _do(stage: Stage, root: Path) -> None:
    """Do the steps of a stage."""
    directory = root
    # What the shell would see, and what of this machine pip has to know; nothing that changes Python's ways.
    own = {name: map_paths(value, root) for name, value in stage.environment.items() if name != "PATH"}
    machine = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**machine, **own, "PATH": f"{root}/usr/local/bin:{os.environ['PATH']}"}
    for step in stage.steps:
        if step.instruction == "WORKDIR":
            directory = Path(map_paths(step.text, root))
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        elif step.instruction == "COPY":
            _copy(step, root, directory)
        elif step.instruction == "RUN":
            _run(map_paths(step.text, root), directory, environment)


def _run(command: str, directory: Path, environment: dict[str, str]) -> None:
    shell = ["/bin/sh", "-c", command]
    done = subprocess.run(shell, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def _copy(step: Step, root: Path, directory: Path) -> None:
    *sources, target = shlex.split(step.text)
    place = Path(map_paths(target, root)) if target.startswith("/") else directory / target
    for source in sources:
        origin = Path(map_paths(source, root)) if "from" in step.flags else ROOT / source
        # The stages share their paths, so what keeps its own is there.
        if origin != place:
            _copy_one(origin, place / origin.name if target.endswith("/") else place)
    if "chown" in step.flags and os.getuid() == 0:
        owner, group = map(int, step.flags["chown"].split(":"))
        os.chown(place, owner, group)


def _copy_one(origin: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(origin, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(origin, place)
