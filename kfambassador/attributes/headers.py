"""Headers added to the request on its way to the service."""

from collections.abc import Mapping as Dict
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kfambassador.attributes.base import Attributes, RouteDraft

# Envoy's HeaderValueOption.append_action; by number, because attribute files import no protobuf.
_APPEND_OR_ADD = 0
_OVERWRITE_OR_ADD = 2


class HeaderValue(BaseModel):
    """A header's value and whether it joins the values already there."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    value: Annotated[str, Field(description="The value, as text.")]
    append: Annotated[bool, Field(description="Join the values already there; false replaces them.")] = True


class Headers(Attributes, frozen=True):
    """Headers added to the request on its way to the service.

    Values are literal: what Envoy would take for an operator (``%REQ(authorization)%``) could read other people's
    secrets, so every ``%`` is escaped.
    """

    add_request_headers: Annotated[
        Dict[str, str | bool | HeaderValue],
        Field(description="Headers added to the request: text, or {value, append}. Text joins values already there."),
    ] = {}

    def on_route(self, draft: RouteDraft) -> None:
        """Add the headers in the order they were written."""
        for name, given in self.add_request_headers.items():
            header = given if isinstance(given, HeaderValue) else HeaderValue(value=_text(given))
            option = draft.message.request_headers_to_add.add()
            option.header.key = name
            option.header.value = header.value.replace("%", "%%")
            option.append_action = _APPEND_OR_ADD if header.append else _OVERWRITE_OR_ADD


def _text(value: str | bool) -> str:  # noqa: FBT001 - it is the value itself
    # v0's schema lets a boolean pass, and YAML's true is what its author typed.
    return value if isinstance(value, str) else str(value).lower()
