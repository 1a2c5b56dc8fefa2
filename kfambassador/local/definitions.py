"""The definitions of Ambassador's kinds, as a laptop's Kubernetes API has them from the start.

They are read from a file that is made from the models beforehand: making them takes a tenth of a second, and reading
them a few milliseconds.
"""

import json
from importlib.resources import files
from typing import Any, Final

#: The file, beside this module.
DEFINITIONS_FILE: Final = "definitions.json"


def read_definitions() -> list[dict[str, Any]]:
    """Read the CustomResourceDefinitions.

    Example:
        >>> [each["spec"]["names"]["kind"] for each in read_definitions()][-1]
        'TracingService'
    """
    definitions: list[dict[str, Any]] = json.loads((files(__package__) / DEFINITIONS_FILE).read_text(encoding="utf-8"))
    return definitions
