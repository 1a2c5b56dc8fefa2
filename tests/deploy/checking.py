"""Programs that look manifests through, from an environment of their own."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.deploy.built import ROOT, Manifest

_PROGRAMS = ROOT / ".checks" / "bin"


def find_check(name: str) -> Path:
    """The program of that name."""
    if not (_PROGRAMS / name).exists():
        pytest.fail(f"{name} is not installed in {_PROGRAMS.parent}: run make checks")
    return _PROGRAMS / name


def find_unknown(manifests: Iterable[Manifest], *releases: str) -> str:
    """What the schemas of Kubernetes' releases do not allow, in the validator's words; "" when they allow all."""
    command = [str(find_check("kubernetes-validate")), "--strict", "--no-warn", "--quiet"]
    command += [word for release in releases for word in ("--kubernetes-version", release)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "manifests.yaml"
        file.write_text(yaml.safe_dump_all(manifests))
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stdout), done.stdout + done.stderr
    return done.stdout
