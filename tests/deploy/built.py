"""The manifests as kustomize and Helm make them."""

import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.cluster.conftest import kubectl_path

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
CHART: Final = DEPLOY / "chart"

Manifest = dict[str, Any]
#: Which object a manifest is of: its kind, namespace and name.
Id = tuple[str, str, str]

#: Everything that can be built: the base, the overlays, and each component that no overlay has, with the base.
BUILDS: Final = ("base", "overlays/kubeflow", "overlays/kubeflow-ingress")
OPTIONAL: Final = ("read-api", "service-monitor", "grafana-dashboard")


def identify(manifest: Manifest) -> Id:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def index(manifests: Iterable[Manifest]) -> dict[Id, Manifest]:
    """Put manifests in a table; each object is there once."""
    found: dict[Id, Manifest] = {}
    for manifest in manifests:
        assert identify(manifest) not in found, f"{identify(manifest)} stands twice"
        found[identify(manifest)] = manifest
    return found


@cache
def kustomize(folder: str) -> str:
    """What ``kubectl kustomize`` makes of a folder below ``deploy``."""
    return _kustomize(DEPLOY / folder)


def build(folder: str) -> dict[Id, Manifest]:
    return index(yaml.safe_load_all(kustomize(folder)))


def build_with(component: str, folder: Path) -> dict[Id, Manifest]:
    """What kustomize makes of the base and a component, for which it needs a folder beside them."""
    for name in ("base", "components"):
        shutil.copytree(DEPLOY / name, folder / name)
    (folder / "with").mkdir()
    said = {"resources": ["../base"], "components": [f"../components/{component}"]}
    (folder / "with" / "kustomization.yaml").write_text(yaml.safe_dump(said))
    return index(yaml.safe_load_all(_kustomize(folder / "with")))


def _kustomize(folder: Path) -> str:
    command = [str(kubectl_path()), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout
