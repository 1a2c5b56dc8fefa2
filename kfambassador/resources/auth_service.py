"""An AuthService: who is asked whether a request may pass."""

from collections.abc import Mapping as Dict
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kfambassador.attributes.base import Part
from kfambassador.resources.gateway import GatewayResource

#: What Ambassador waits for an answer when nothing is said.
DEFAULT_AUTH_TIMEOUT_MS = 5000

_LONGEST_MS = 3600 * 1000
_LARGEST_BODY = 16 * 1024 * 1024
_Names = Annotated[tuple[str, ...], Field(strict=False)]


class IncludeBody(Part):
    """How much of a request's body the service is shown."""

    max_bytes: Annotated[int, Field(gt=0, le=_LARGEST_BODY, description="Bytes shown at most.")]
    allow_partial: Annotated[
        bool, Field(description="Show the beginning of a longer body; false answers such requests with 413.")
    ]


class StatusOnError(Part):
    """What a client is answered when the service cannot be asked."""

    code: Annotated[int, Field(ge=400, le=599, description="The HTTP status.")]


class AuthService(GatewayResource, frozen=True):
    """Who is asked whether a request may pass (Ambassador, "AuthService").

    Wherever there is one, nothing passes that it did not allow, whatever is wrong with it: a fault in it never leaves
    the gateway open.

    Example:
        >>> AuthService(name="auth", auth_service="auth.kubeflow:8080").proto
        'http'
    """

    noun: ClassVar[str] = "an AuthService"
    #: A fault in any of its fields must not make it vanish.
    essential: ClassVar[bool] = True
    consequence: ClassVar[str] = "until it is mended every request is denied"
    #: Asked in another way than was meant, it might allow what it was to deny. So it is not asked at all.
    misread: ClassVar[Dict[str, object]] = {"auth_service": ""}

    auth_service: Annotated[str, Field(description="[http://|https://]host[:port] of the service.")] = ""
    path_prefix: Annotated[
        str, Field(pattern=r"^(/[!-~]*)?$", description="Put before the path that is asked about; begins with a slash.")
    ] = ""
    tls: Annotated[bool | str | None, Field(description="Speak TLS to it: true, or the name of a TLSContext.")] = None
    proto: Annotated[Literal["http", "grpc"], Field(description="How it is spoken to.")] = "http"
    protocol_version: Annotated[
        Literal["v2", "v3"] | None, Field(description="The gRPC protocol; only v3 is still spoken.")
    ] = None
    timeout_ms: Annotated[
        int | None, Field(gt=0, le=_LONGEST_MS, description="How long an answer may take; 5000 when absent.")
    ] = None
    allowed_headers: Annotated[_Names, Field(description="v0: headers passed on in both directions.")] = ()
    allowed_request_headers: Annotated[_Names, Field(description="Request headers the service is shown.")] = ()
    allowed_authorization_headers: Annotated[
        _Names, Field(description="Its headers that are passed on to the backend, and to the client when it denies.")
    ] = ()
    add_auth_headers: Annotated[Dict[str, str], Field(description="Headers added to what it is asked.")] = {}
    allow_request_body: Annotated[bool, Field(description="Show it the first 4096 bytes of the body.")] = False
    include_body: Annotated[IncludeBody | None, Field(description="Show it the body: {max_bytes, allow_partial}.")] = (
        None
    )
    status_on_error: Annotated[
        StatusOnError | None, Field(description="The status when it cannot be asked: {code}; 403 when absent.")
    ] = None
    failure_mode_allow: Annotated[bool, Field(description="Let requests pass when it cannot be asked.")] = False
    add_linkerd_headers: Annotated[bool | None, Field(description="Tell Linkerd where it goes.")] = None
    stats_name: Annotated[str | None, Field(min_length=1, description="Its cluster's name in statistics.")] = None
