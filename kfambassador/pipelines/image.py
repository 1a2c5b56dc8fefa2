"""Which image the steps run in."""

import os
from typing import Final

from kfambassador import __version__

#: The environment variable that names another image, such as a registry's copy of ours.
IMAGE_VARIABLE: Final = "KFAMBASSADOR_IMAGE"

#: Ours, of this version. It names no registry: whoever runs a cluster knows where its images are.
IMAGE: Final = f"kfambassador:{__version__}"


def choose_image(asked: str | None = None) -> str:
    """Choose the image: the one that is asked for, else the one the environment names, else ours of this version.

    Args:
        asked: What the caller says; None and blanks say nothing, and so do blanks in the environment.

    Example:
        >>> choose_image("registry.example/kfambassador:1")
        'registry.example/kfambassador:1'
    """
    return (asked or "").strip() or os.environ.get(IMAGE_VARIABLE, "").strip() or IMAGE
