"""Headers added to and taken from requests and answers."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import Attributes, Part, RouteDraft, split_commas

if TYPE_CHECKING:
    from kfambassador.envoy.protos import HeaderValueOption

# Envoy's HeaderValueOption.append_action; by number, because attribute files import no protobuf.
_APPEND_OR_ADD = 0
_OVERWRITE_OR_ADD = 2

#: By which Linkerd knows where a request goes.
LINKERD_HEADER = "l5d-dst-override"


class HeaderValue(Part):
    """A header's value and whether it joins the values already there."""

    value: Annotated[str, Field(description="The value, as text.")]
    append: Annotated[bool, Field(description="Join the values already there; false replaces them.")] = True


class HeaderFormat(HeaderValue, frozen=True):
    """A value with operators that the platform's owner lets Envoy expand, in Envoy's words.

    Nobody writes one: :func:`kfambassador.routing.operators.expand_operators` makes them.
    """


#: The forms of a header to add.
HeaderForms = str | bool | HeaderValue


class Headers(Attributes, frozen=True):
    """Headers added to and taken from requests and answers (Ambassador, "Header-based routing" and "Headers").

    Values are literal: what Envoy would take for an operator (``%REQ(authorization)%``) could read other people's
    secrets, so every ``%`` is escaped. What is both taken and added is replaced.
    """

    add_request_headers: Annotated[
        Dict[str, HeaderForms],
        Field(description="Headers added to the request: text, or {value, append}. Text joins values already there."),
    ] = {}
    add_response_headers: Annotated[
        Dict[str, HeaderForms],
        Field(description="Headers added to the answer: text, or {value, append}. Text joins values already there."),
    ] = {}
    remove_request_headers: Annotated[
        tuple[str, ...], BeforeValidator(split_commas), Field(description="Headers the service does not see.")
    ] = ()
    remove_response_headers: Annotated[
        tuple[str, ...], BeforeValidator(split_commas), Field(description="Headers the client does not see.")
    ] = ()
    add_linkerd_headers: Annotated[
        bool | None, Field(description="Tell Linkerd where requests go, by the header l5d-dst-override.")
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Add the headers in the order they were written, and name those to be taken out."""
        if self.add_request_headers:
            _add(draft.message.request_headers_to_add, self.add_request_headers)
        if self.add_response_headers:
            _add(draft.message.response_headers_to_add, self.add_response_headers)
        if self.remove_request_headers:
            draft.message.request_headers_to_remove.extend(self.remove_request_headers)
        if self.remove_response_headers:
            draft.message.response_headers_to_remove.extend(self.remove_response_headers)
        if self.add_linkerd_headers:
            host = f"[{draft.service.host}]" if ":" in draft.service.host else draft.service.host
            place = HeaderValue(value=f"{host}:{draft.service.port}", append=False)
            _add(draft.message.request_headers_to_add, {LINKERD_HEADER: place})


def read_form(given: HeaderForms) -> HeaderValue:
    """Read any form of a header to add as its value.

    Example:
        >>> read_form(True), read_form("a")
        (HeaderValue(value='true', append=True), HeaderValue(value='a', append=True))
    """
    if isinstance(given, HeaderValue):
        return given
    # v0's schema lets a boolean pass, and YAML's true is what its author typed.
    return HeaderValue(value=given if isinstance(given, str) else str(given).lower())


def write_value(header: HeaderValue) -> str:
    """Write a header's value in Envoy's words: it is literal, so every ``%`` is escaped.

    Example:
        >>> write_value(HeaderValue(value="100%"))
        '100%%'
    """
    return header.value if isinstance(header, HeaderFormat) else header.value.replace("%", "%%")


def _add(options: "Iterable[HeaderValueOption]", headers: Dict[str, HeaderForms]) -> None:
    for name, given in headers.items():
        header = read_form(given)
        option = options.add()  # type: ignore[attr-defined] # protobuf's list of messages
        option.header.key = name
        option.header.value = write_value(header)
        option.append_action = _APPEND_OR_ADD if header.append else _OVERWRITE_OR_ADD
