"""Options of the Module ``ambassador`` about connections from clients, and what one of them may ask for."""

from collections.abc import Mapping as Dict
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kfambassador.attributes.base import LONGEST_MS, Part
from kfambassador.resources.gateway import GatewayResource

#: What Envoy can count to.
MOST: Final = 2**32 - 1

#: The largest request headers Envoy can be told to take, in KiB.
LARGEST_HEADERS_KB: Final = 8192

#: Longer chains of proxies are slips of the pen.
MOST_HOPS: Final = 100


def _check_printable(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise PydanticCustomError("header_text", "text of plain characters")
    return text


_HeaderText = Annotated[str, AfterValidator(_check_printable)]
ClientCertificate = Literal["SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"]


class CertificateDetails(Part, frozen=True):
    """What of a client's certificate is told to services in ``x-forwarded-client-cert``."""

    subject: Annotated[bool | None, Field(description="Its subject.")] = None
    cert: Annotated[bool, Field(description="All of it, in PEM.")] = False
    chain: Annotated[bool, Field(description="All of its chain, in PEM.")] = False
    dns: Annotated[bool, Field(description="Its DNS names.")] = False
    uri: Annotated[bool, Field(description="Its URIs.")] = False


class ListenerOptions(GatewayResource, frozen=True):
    """Connections from clients, and what one of them may ask for.

    Where an option is absent the gateway's own hardened value holds, which is stricter than Ambassador's default. An
    option that is written holds as it is written, also where it takes a protection away: a Module is the word of the
    gateway's owner.
    """

    allow_chunked_length: Annotated[
        bool, Field(description="Take requests with both a content-length and a chunked body; refused when absent.")
    ] = False
    buffer_limit_bytes: Annotated[
        int | None,
        Field(ge=1, le=MOST, description="Bytes held for a connection before its sender is paused; 32768 when absent."),
    ] = None
    enable_http10: Annotated[bool, Field(description="Take HTTP/1.0.")] = False
    forward_client_cert_details: Annotated[
        ClientCertificate | None,
        Field(description="What becomes of x-forwarded-client-cert; removed from every request when absent."),
    ] = None
    set_current_client_cert_details: Annotated[
        CertificateDetails | None, Field(description="What is put into x-forwarded-client-cert.")
    ] = None
    headers_with_underscores_action: Annotated[
        Literal["ALLOW", "REJECT_REQUEST", "DROP_HEADER"] | None,
        Field(
            description="What becomes of headers with an underscore in their name; the request is rejected when absent."
        ),
    ] = None
    listener_idle_timeout_ms: Annotated[
        int | None,
        Field(
            ge=0, le=LONGEST_MS, description="A connection without requests is closed after it; an hour when absent."
        ),
    ] = None
    max_request_headers_kb: Annotated[
        int | None,
        Field(
            ge=1, le=LARGEST_HEADERS_KB, description="Requests with larger headers are answered 431; 60 when absent."
        ),
    ] = None
    merge_slashes: Annotated[
        bool | None, Field(description="Take // in a path for /; they are when absent, and false leaves them.")
    ] = None
    reject_requests_with_escaped_slashes: Annotated[
        bool | None,
        Field(description="Reject paths with %2F or %5C; they are when absent, and false passes them on."),
    ] = None
    preserve_external_request_id: Annotated[
        bool, Field(description="Keep the x-request-id of a client instead of making a new one.")
    ] = False
    proper_case: Annotated[
        bool,
        Field(
            description="Write headers of HTTP/1.1 as Content-Type rather than content-type, to clients and services."
        ),
    ] = False
    server_name: Annotated[
        _HeaderText | None, Field(min_length=1, description="The server header of answers; envoy when absent.")
    ] = None
    suppress_envoy_headers: Annotated[
        bool | None, Field(description="Keep x-envoy-* from clients and services; kept when absent, false shows them.")
    ] = None
    use_proxy_proto: Annotated[
        bool, Field(description="Every connection begins with the PROXY protocol; those that do not are closed.")
    ] = False
    use_remote_address: Annotated[
        bool | None,
        Field(
            description="Take the connection's address for the client's and what x-forwarded-for says for hearsay, as "
            "when absent. false is for gateways that only a proxy can reach."
        ),
    ] = None
    xff_num_trusted_hops: Annotated[
        int, Field(ge=0, le=MOST_HOPS, description="How many proxies in front of the gateway x-forwarded-for names.")
    ] = 0
    x_forwarded_proto_redirect: Annotated[
        bool, Field(description="Send clients that came to the proxy in front of the gateway by http to https.")
    ] = False

    def hardening_taken_away(self) -> Dict[str, str]:
        """The options that take a protection away, and what that protection was."""
        return {
            name: protection
            for name, (value, protection) in _PROTECTIONS.items()
            if getattr(self, name) == value and name in self.model_fields_set
        }


_PROTECTIONS: Final[Dict[str, tuple[object, str]]] = {
    "allow_chunked_length": (
        True,
        "a request whose length can be read in two ways may smuggle another past the gateway",
    ),
    "headers_with_underscores_action": ("ALLOW", "x_user and x-user are one header to services that speak CGI or WSGI"),
    "merge_slashes": (False, "//admin may mean /admin to a service, and another route to the gateway"),
    "reject_requests_with_escaped_slashes": (
        False,
        "%2F may mean a slash to a service, and another route to the gateway",
    ),
    "use_remote_address": (False, "whatever reaches the gateway is believed about where it comes from"),
}
