"""Copies of other mappings' requests."""

from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes


class Shadowing(Attributes, frozen=True):
    """Copies of other mappings' requests (Ambassador, "Traffic shadowing").

    Who shares a match with a shadow sends it the copies; :mod:`kfambassador.routing.groups` joins them.
    """

    shadow: Annotated[
        bool,
        Field(
            description="Get copies of the requests of the mapping with the same match, weight percent of them (all "
            "when absent). Nobody sees the answers; the copies' Host ends with -shadow."
        ),
    ] = False
