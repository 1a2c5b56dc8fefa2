"""What is wrong with a single mapping."""

from kfambassador.problems import Fault
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.matches import build_match
from tests.builders import mapping


def faults(**attributes: object) -> tuple[Fault, ...]:
    """What is to be said of a mapping with these attributes."""
    written = mapping(**attributes)
    return check_mapping(written, build_match(written))
