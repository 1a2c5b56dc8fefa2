"""The virtual environments of the model servers that others wrote: made on first use, kept until their pins change.

``python -m tests.servers.environments`` makes them all beforehand; ``make clean`` takes them away.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
#: Where the environments are, beside the project's own.
PLACE: Final = ROOT / ".servers"
REQUIREMENTS: Final = Path(__file__).parent / "requirements"
#: Set to "skip" it leaves out what needs the environments.
SWITCH: Final = "KFAMBASSADOR_SERVERS"

_QUOTED_LINES: Final = 8
#: A line of progress for so many packages.
_TOLD: Final = 10

Tell = Callable[[str], None]


class CannotMakeError(Exception):
    """An environment could not be made; the message says why and what can be done."""


def list_names() -> list[str]:
    """The environments there are."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def is_left_out() -> bool:
    """Whether the environment says to do without.

    Raises:
        CannotMakeError: It says something else.
    """
    said = os.environ.get(SWITCH, "")
    if said not in {"", "skip"}:
        raise CannotMakeError(f"{SWITCH}={said}: the one value it may have is skip, which leaves these tests out")
    return said == "skip"


def make_environment(name: str, tell: Tell) -> Path:
    """Make an environment, unless it is there already; give the directory of its programs.

    One process makes it while others wait. Of what was broken off, the packages that had arrived are used again.

    Args:
        name: One of :func:`list_names`.
        tell: Told in a few words what is done next.

    Raises:
        CannotMakeError: It could not be made.
    """
    place, pins = PLACE / name, REQUIREMENTS / f"{name}.txt"
    # What a different Python made does not run with this one.
    digest = sha256(f"{sys.version} {sys.base_prefix}\n{pins.read_text()}".encode()).hexdigest()
    if not _is_made(place, digest):
        PLACE.mkdir(exist_ok=True)
        with _locked(PLACE / "lock", tell):
            if not _is_made(place, digest):
                _make(place, pins, digest, tell)
    return place / "bin"


def _is_made(place: Path, digest: str) -> bool:
    stamp = place / "made"
    return stamp.is_file() and stamp.read_text() == digest


def _make(place: Path, pins: Path, digest: str, tell: Tell) -> None:
    started = time.monotonic()
    wheels = PLACE / "wheels"
    _collect(pins, wheels, tell)
    if place.exists():
        shutil.rmtree(place)
    tell(f"{place.name}: installing ...")
    # The pip that runs installs into it, so that it needs none of its own.
    venv.create(place, symlinks=True)
    local = ["--no-index", "--find-links", str(wheels), "--no-deps", "--no-compile", "--no-warn-script-location"]
    _run_pip(["--python", str(place / "bin" / "python"), "install", "--quiet", *local, "-r", str(pins)], place.name)
    (place / "made").write_text(digest)
    tell(f"{place.name}: made in {time.monotonic() - started:.0f} s")


def _collect(pins: Path, wheels: Path, tell: Tell) -> None:
    """Fetch the packages that are not here yet; the environments have many in common."""
    here = {_identify(*wheel.name.split("-")[:2]) for wheel in wheels.glob("*.whl")}
    asked = [line for line in pins.read_text().splitlines() if not line.startswith("#")]
    missing = [pin for pin in asked if _identify(*pin.split("==")) not in here]
    if not missing:
        return
    tell(f"{pins.stem}: collecting {len(missing)} packages ...")
    arrived = 0

    def follow(line: str) -> None:
        nonlocal arrived
        arrived += line.startswith("Collecting ")
        if line.startswith("Collecting ") and arrived % _TOLD == 0:
            tell(f"{pins.stem}: {arrived} of {len(missing)} packages ...")

    _run_pip(["download", "--no-deps", "--only-binary", ":all:", "-d", str(wheels), *missing], pins.stem, follow)


def _identify(name: str, version: str) -> tuple[str, str]:
    """A package as its file and its pin name it alike."""
    return re.sub("[-_.]+", "_", name).lower(), version


def _run_pip(arguments: list[str], name: str, follow: Tell = lambda _line: None) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    last: deque[str] = deque(maxlen=_QUOTED_LINES)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            last.append(line)
            follow(line)
    if pip.returncode:
        raise CannotMakeError(
            f"The environment of {name} could not be made, and without it nothing is tried against that server. "
            f"Is the package index reached, and are the pins in tests/servers/requirements/{name}.txt for this Python "
            f"({sys.version.split()[0]})? {SWITCH}=skip leaves these tests out. pip's last words:\n{''.join(last)}"
        )


@contextmanager
def _locked(path: Path, tell: Tell) -> Iterator[None]:
    """Hold a lock that goes when the process does, however it ends."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another process makes model servers' environments: waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Make all environments, and say so."""
    for name in list_names():
        place = make_environment(name, lambda words: print(words, flush=True)).parent  # noqa: T201 - it speaks to a person
        print(f"{name}: ready in {place.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    try:
        main()
    except CannotMakeError as error:
        sys.exit(str(error))
