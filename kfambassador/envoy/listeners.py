"""The listener clients connect to: hardened once, and never touched by a mapping.

Routes travel apart from it, by RDS, so a change of routes leaves listener and connections alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kfambassador.envoy.filters import build_filters
from kfambassador.envoy.protos import (
    BoolValue,
    EarlyHeaderMutation,
    HttpConnectionManager,
    Listener,
    UInt32Value,
    pack,
)
from kfambassador.envoy.snapshot import XdsResource
from kfambassador.names import IDENTITY_HEADERS

#: The listener's name, by which Envoy's admin tells its address.
LISTENER: Final = "http"

#: The one RouteConfiguration the listener asks for.
ROUTES: Final = "routes"

#: The network filter that speaks HTTP.
CONNECTION_MANAGER: Final = "envoy.filters.network.http_connection_manager"

#: Headers that tell a backend who asks or how it was reached. From a client they are hearsay.
#: (x-forwarded-for and x-forwarded-proto stay: Envoy itself appends to the one and overwrites the other.)
HEARSAY_HEADERS: Final = (
    *IDENTITY_HEADERS,
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-real-ip",
)

#: Families of such headers. Envoy obeys x-envoy-* (timeouts, retries) where it takes the client for one of its own.
HEARSAY_PREFIXES: Final = ("x-envoy-", "x-original-")

#: HTTP/2 flow control for each stream and connection, in bytes: what a client can make us hold. Envoy's edge advice.
STREAM_WINDOW: Final = 64 * 1024
CONNECTION_WINDOW: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where the gateway listens, and how much one client may ask of it.

    Attributes:
        address: The IP address to bind. The default can be reached from this machine only.
        port: The TCP port; 0 lets the system choose a free one.
        headers_timeout: The time a client has to send all its request headers; slower ones are answered 408.
        idle_timeout: The time a stream may pass without a byte in either direction. A route may set its own.
        concurrent_streams: HTTP/2 streams open at once on one connection.
        connection_buffer: Bytes held for each connection before its sender is paused.
    """

    address: str = "127.0.0.1"
    port: int = 8080
    headers_timeout: timedelta = timedelta(seconds=10)
    idle_timeout: timedelta = timedelta(seconds=300)
    concurrent_streams: int = 100
    connection_buffer: int = 32 * 1024


def build_listener(settings: ListenerSettings) -> XdsResource:
    """Build the gateway's listener.

    Example:
        >>> build_listener(ListenerSettings(port=8080)).name
        'http'
    """
    manager = {"name": CONNECTION_MANAGER, "typed_config": pack(_connection_manager(settings))}
    listener = Listener(
        name=LISTENER,
        address={"socket_address": {"address": settings.address, "port_value": settings.port}},
        filter_chains=[{"filters": [manager]}],
        per_connection_buffer_limit_bytes=UInt32Value(value=settings.connection_buffer),
        # With it two gateways would share a port, each getting some of the requests, and neither would say so.
        enable_reuse_port=BoolValue(value=False),
    )
    return XdsResource.of(LISTENER, listener.SerializeToString(deterministic=True))


def _connection_manager(settings: ListenerSettings) -> HttpConnectionManager:
    return HttpConnectionManager(
        stat_prefix=LISTENER,
        rds={
            "route_config_name": ROUTES,
            # No limit to the first wait: until its routes are known the port stays closed, rather than answering 404.
            "config_source": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": timedelta(0)},
        },
        http_filters=build_filters(),
        early_header_mutation_extensions=[
            {"name": "envoy.http.early_header_mutation.header_mutation", "typed_config": pack(_strip_hearsay())}
        ],
        use_remote_address=BoolValue(value=True),
        generate_request_id=BoolValue(value=True),
        # A path that could mean two things must not mean one to us and another to the backend.
        normalize_path=BoolValue(value=True),
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        strip_any_host_port=True,
        strip_trailing_host_dot=True,
        request_headers_timeout=settings.headers_timeout,
        stream_idle_timeout=settings.idle_timeout,
        # kubeflow_userid and kubeflow-userid are one header to a backend that speaks WSGI or CGI.
        common_http_protocol_options={"headers_with_underscores_action": "REJECT_REQUEST"},
        http2_protocol_options={
            "max_concurrent_streams": UInt32Value(value=settings.concurrent_streams),
            "initial_stream_window_size": UInt32Value(value=STREAM_WINDOW),
            "initial_connection_window_size": UInt32Value(value=CONNECTION_WINDOW),
        },
    )


def _strip_hearsay() -> EarlyHeaderMutation:
    """Remove hearsay before any filter runs: an authorization service must not see it either."""
    names = [{"remove": name} for name in HEARSAY_HEADERS]
    families = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in HEARSAY_PREFIXES]
    return EarlyHeaderMutation(mutations=[*names, *families])
