"""Programs of the image as containers run them: by a user who may write nowhere, and sealed off where we are root."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kfambassador.local.envoy_process import private_directory
from tests.image.building import STRANGER, Image

#: Seconds one program may take.
PATIENCE: Final = 120.0

#: All of this machine becomes read-only, with the image's tree and one directory for what is shared; /tmp is new. In a
#: namespace of its own, so nobody else sees any of it.
_SEAL: Final = """
set -eu
image=$1 shared=$2 user=$3
shift 3
exec 8<"$image" 9<"$shared"
mount -t tmpfs -o mode=1777 none /tmp
mkdir -p "$image" "$shared"
mount --no-canonicalize --bind /proc/self/fd/8 "$image"
mount -o remount,bind,ro "$image"
mount --no-canonicalize --bind /proc/self/fd/9 "$shared"
mount -o remount,bind,ro /
exec 8<&- 9<&-
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all -- "$@"
"""


def can_seal() -> bool:
    """Whether this machine lets us have mounts of our own: root does, outside of most containers."""
    if os.getuid() != 0 or shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True, check=False
    )
    return tried.returncode == 0


@dataclass(frozen=True, slots=True)
class Containers:
    """Runs what the image has.

    Attributes:
        image: The image.
        sealed: Whether nothing can be written but to /tmp and the shared directory, by anybody.
        shared: A directory that all containers may write to.
    """

    image: Image
    sealed: bool
    shared: Path

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a command; whoever does so ends it.

        Another program gives up being root, not Popen's `user`: with that Python forks, and what gRPC's threads of this
        process do in the child before it becomes another program is written into what the command says.
        """
        sealing = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            _SEAL,
            "seal",
            str(self.image.root),
            str(self.shared),
            str(STRANGER),
        ]
        as_stranger = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "--"]
        unsealed = as_stranger if os.getuid() == 0 else []
        return subprocess.Popen(
            [*(sealing if self.sealed else unsealed), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**self.image.environment, **(environment or {})},
            text=True,
            errors="replace",
        )

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a command to its end; give its exit code and all it wrote."""
        with self.start(command, environment) as process:
            try:
                said, _ = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return process.returncode, said


@contextmanager
def containers(image: Image, *, sealed: bool) -> Iterator[Containers]:
    """Give a way to run them, with a directory to share that is gone afterwards."""
    with private_directory() as shared:
        if os.getuid() == 0:
            os.chown(shared, STRANGER, STRANGER)
        yield Containers(image, sealed, shared)
