"""Bodies of the gateway's own instead of those of errors."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import Annotated

from pydantic import Field

from kfambassador.attributes.base import Attributes, Part, RouteDraft

FILTER = "envoy.filters.http.custom_response"

# Envoy's operators that are expanded in a body: what the client knows already. Headers of its request are not among
# them, because the gateway adds some that say who the user is.
_OPERATOR = re.compile(r"(%%|%RESPONSE_CODE%|%PROTOCOL%|%START_TIME%|%REQ\((?:X-REQUEST-ID|x-request-id)\)%)")


class FileBody(Part):
    """A body that stands in a file."""

    filename: Annotated[str, Field(description="The file, on Envoy's machine.")]


class ErrorBody(Part):
    """What is answered instead: one of the three."""

    text_format: Annotated[str | None, Field(description="The body as text.")] = None
    json_format: Annotated[
        Dict[str, str | int | float | bool | None] | None, Field(description="The body as a JSON object.")
    ] = None
    text_format_source: Annotated[
        FileBody | None, Field(description="Not served: a file on Envoy's machine is not a mapping's to show.")
    ] = None
    content_type: Annotated[
        str | None, Field(description="Its media type; text/plain or application/json when absent.")
    ] = None


class ErrorResponse(Part):
    """One status, and the body it is answered with."""

    on_status_code: Annotated[int, Field(ge=400, le=599, description="The status.")]
    body: Annotated[ErrorBody, Field(description="{text_format}, {json_format}, and its content_type.")]


class ErrorResponses(Attributes, frozen=True):
    """Bodies of the gateway's own instead of those of errors (Ambassador, "Custom error responses").

    A body is text. Of Envoy's operators only ``%RESPONSE_CODE%``, ``%PROTOCOL%``, ``%START_TIME%`` and
    ``%REQ(X-REQUEST-ID)%`` are expanded in it; ``%%`` is a percent sign, as in Ambassador.
    """

    error_response_overrides: Annotated[
        tuple[ErrorResponse, ...],
        Field(strict=False, description="Bodies for the statuses of errors: a list of {on_status_code, body}."),
    ] = ()
    bypass_error_response_overrides: Annotated[
        bool, Field(description="Leave errors as they are, whatever the gateway has for all mappings.")
    ] = False

    def on_route(self, draft: RouteDraft) -> None:
        """Tell the filter the bodies."""
        if not self.error_response_overrides or self.bypass_error_response_overrides:
            return
        bodies = write_bodies(self.error_response_overrides)
        if bodies:
            draft.per_filter(FILTER, bodies=bodies)


def write_bodies(overrides: Iterable[ErrorResponse]) -> dict[str, tuple[str | dict[str, object], str]]:
    """Write by status what is answered: the body in Envoy's format, and its media type; of two the first counts.

    Example:
        >>> write_bodies([ErrorResponse(on_status_code=404, body=ErrorBody(text_format="100%"))])
        {'404': ('100%%', 'text/plain')}
    """
    bodies: dict[str, tuple[str | dict[str, object], str]] = {}
    for override in overrides:
        if override.body.text_format is not None or override.body.json_format is not None:
            bodies.setdefault(str(override.on_status_code), _write(override.body))
    return bodies


def split_body(text: str) -> list[str]:
    """Split text at what Envoy expands in it: every second piece is an operator or a written-out percent sign.

    Example:
        >>> split_body("a %PROTOCOL% b")
        ['a ', '%PROTOCOL%', ' b']
    """
    return _OPERATOR.split(text)


def escape_body(text: str) -> str:
    """Write text as Envoy's format of it, with only the harmless operators left.

    Example:
        >>> escape_body("100% of %REQ(authorization)%: %RESPONSE_CODE%")
        '100%% of %%REQ(authorization)%%: %RESPONSE_CODE%'
    """
    pieces = split_body(text)
    return "".join(piece if number % 2 else piece.replace("%", "%%") for number, piece in enumerate(pieces))


def _write(body: ErrorBody) -> tuple[str | dict[str, object], str]:
    """The format and the media type."""
    if body.json_format is not None:
        fields: dict[str, object] = {
            escape_body(key): escape_body(value) if isinstance(value, str) else value
            for key, value in body.json_format.items()
        }
        return fields, body.content_type or "application/json"
    return escape_body(body.text_format or ""), body.content_type or "text/plain"
