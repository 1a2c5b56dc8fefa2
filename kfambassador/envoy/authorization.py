"""Asking an authorization service, in Envoy's words."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from kfambassador.envoy.protos import ExtAuthz
from kfambassador.resources.auth_service import DEFAULT_AUTH_TIMEOUT_MS
from kfambassador.routing.model import Authorization

#: Request headers a service is always shown (Ambassador, "AuthService").
SHOWN: Final = (
    "authorization",
    "cookie",
    "from",
    "proxy-authorization",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
)

#: Headers of its answer that always reach the backend, and the client when it denies.
ANSWERED: Final = ("authorization", "location", "proxy-authenticate", "set-cookie", "www-authenticate")

_PARTIAL_BODY = 4096


def build_ext_authz(authorization: Authorization) -> ExtAuthz:
    """Build the filter's configuration. Where the service cannot be asked, requests are denied unless it says so."""
    service = authorization.service
    filter_ = ExtAuthz(
        transport_api_version="V3",
        failure_mode_allow=service.failure_mode_allow,
        # Headers that the service adds may choose another route (Ambassador).
        clear_route_cache=True,
    )
    timeout = timedelta(milliseconds=service.timeout_ms or DEFAULT_AUTH_TIMEOUT_MS)
    if service.proto == "grpc":
        filter_.grpc_service.envoy_grpc.cluster_name = authorization.cluster
        filter_.grpc_service.timeout.FromTimedelta(timeout)
    else:
        _ask_by_http(filter_, authorization, timeout)
    if service.include_body is not None:
        filter_.with_request_body.max_request_bytes = service.include_body.max_bytes
        filter_.with_request_body.allow_partial_message = service.include_body.allow_partial
    elif service.allow_request_body:
        filter_.with_request_body.max_request_bytes = _PARTIAL_BODY
        filter_.with_request_body.allow_partial_message = True
    if service.status_on_error is not None:
        filter_.status_on_error.code = service.status_on_error.code
    return filter_


def _ask_by_http(filter_: ExtAuthz, authorization: Authorization, timeout: timedelta) -> None:
    service = authorization.service
    http = filter_.http_service
    http.server_uri.uri = f"http://{authorization.cluster}"
    http.server_uri.cluster = authorization.cluster
    http.server_uri.timeout.FromTimedelta(timeout)
    http.path_prefix = service.path_prefix
    _name(filter_.allowed_headers, (*SHOWN, *service.allowed_headers, *service.allowed_request_headers))
    for name, value in service.add_auth_headers.items():
        http.authorization_request.headers_to_add.add(key=name, value=value)
    answered = (*ANSWERED, *service.allowed_headers, *service.allowed_authorization_headers)
    _name(http.authorization_response.allowed_upstream_headers, answered)
    _name(http.authorization_response.allowed_client_headers, answered)


def _name(patterns: object, names: Iterable[str]) -> None:
    for name in dict.fromkeys(each.lower() for each in names):
        patterns.patterns.add(exact=name, ignore_case=True)  # type: ignore[attr-defined]  # messages carry no types
