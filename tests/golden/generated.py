"""Files that are made from the models, each by its path in the repository."""

import json
from pathlib import Path

from kfambassador.local.definitions import DEFINITIONS_FILE
from kfambassador.resources.crd import build_definitions, write_definitions
from tests.golden.access import write_access
from tests.golden.reference import write_reference

ROOT = Path(__file__).parents[2]


def generate() -> dict[Path, str]:
    """Make every such file."""
    definitions = json.dumps(build_definitions(), separators=(",", ":"))
    return {
        ROOT / "deploy" / "base" / "access.yaml": write_access(),
        ROOT / "deploy" / "crds.yaml": write_definitions(),
        ROOT / "kfambassador" / "local" / DEFINITIONS_FILE: f"{definitions}\n",
        ROOT / "docs" / "reference" / "attributes.md": write_reference(),
    }
