"""Files that are made from the models, each by its path in the repository."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from kfambassador.local.definitions import DEFINITIONS_FILE
from kfambassador.pipelines.components import COMPILED, compile_components
from kfambassador.pipelines.image import IMAGE
from kfambassador.resources.crd import build_definitions, write_definitions
from tests.golden.access import write_access
from tests.golden.reference import write_reference
from tests.golden.settings import write_settings

ROOT = Path(__file__).parents[2]


def generate() -> dict[Path, str]:
    """Make every such file."""
    definitions = json.dumps(build_definitions(), separators=(",", ":"))
    return {
        ROOT / "deploy" / "base" / "access.yaml": write_access(),
        ROOT / "deploy" / "crds.yaml": write_definitions(),
        ROOT / "kfambassador" / "local" / DEFINITIONS_FILE: f"{definitions}\n",
        ROOT / "docs" / "reference" / "attributes.md": write_reference(),
        ROOT / "docs" / "reference" / "settings.md": write_settings(),
        **compile_steps(),
    }


def compile_steps() -> dict[Path, str]:
    """Compile the steps of pipelines, to run in the package's own image."""
    with TemporaryDirectory() as folder:
        return {COMPILED / file.name: file.read_text() for file in compile_components(Path(folder), image=IMAGE)}
