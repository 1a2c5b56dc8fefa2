"""The listener clients connect to: hardened once, and never touched by a mapping.

Routes travel apart from it, by RDS, so a change of routes leaves listener and connections alone.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import Final

from kfambassador.envoy.filters import build_filters
from kfambassador.envoy.module_filters import build_local_replies, build_log
from kfambassador.envoy.protos import (
    AnyMessage,
    BoolValue,
    EarlyHeaderMutation,
    HttpConnectionManager,
    Listener,
    ProxyProtocol,
    UInt32Value,
    pack,
)
from kfambassador.envoy.snapshot import XdsResource
from kfambassador.names import HEARSAY_HEADERS, HEARSAY_PREFIXES
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.routing.model import Authorization

#: The listener's name, by which Envoy's admin tells its address.
LISTENER: Final = "http"

#: The one RouteConfiguration the listener asks for.
ROUTES: Final = "routes"

#: The network filter that speaks HTTP.
CONNECTION_MANAGER: Final = "envoy.filters.network.http_connection_manager"

#: The listener filter that reads where a connection came from before a proxy passed it on.
PROXY_PROTOCOL: Final = "envoy.filters.listener.proxy_protocol"

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
        asking_socket: Where Envoy tells which route a request would take, a Unix socket; None for nowhere.
    """

    address: str = "127.0.0.1"
    port: int = 8080
    headers_timeout: timedelta = timedelta(seconds=10)
    idle_timeout: timedelta = timedelta(seconds=300)
    concurrent_streams: int = 100
    connection_buffer: int = 32 * 1024
    asking_socket: PurePath | None = None


def build_listener(
    settings: ListenerSettings, module: Module = NO_MODULE, authorization: Authorization | None = None
) -> XdsResource:
    """Build the gateway's listener.

    Args:
        settings: Where it listens, and its limits.
        module: What the gateway's owner asked for. An option that is absent leaves the hardened value.
        authorization: Whom to ask whether a request may pass; None asks nobody.

    Example:
        >>> build_listener(ListenerSettings(port=8080)).name
        'http'
    """
    manager = {"name": CONNECTION_MANAGER, "typed_config": _pack(_connection_manager(settings, module, authorization))}
    listener = Listener(
        name=LISTENER,
        address={"socket_address": {"address": settings.address, "port_value": settings.port}},
        filter_chains=[{"filters": [manager]}],
        per_connection_buffer_limit_bytes=UInt32Value(value=module.buffer_limit_bytes or settings.connection_buffer),
        # With it two gateways would share a port, each getting some of the requests, and neither would say so.
        enable_reuse_port=BoolValue(value=False),
    )
    if module.use_proxy_proto:
        listener.listener_filters.add(name=PROXY_PROTOCOL, typed_config=pack(ProxyProtocol()))
    return XdsResource.of(LISTENER, listener.SerializeToString(deterministic=True))


def _connection_manager(
    settings: ListenerSettings, module: Module, authorization: Authorization | None
) -> HttpConnectionManager:
    options: dict[str, object] = {
        "stat_prefix": LISTENER,
        "rds": {
            "route_config_name": ROUTES,
            # No limit to the first wait: until its routes are known the port stays closed, rather than answering 404.
            "config_source": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": timedelta(0)},
        },
        "http_filters": build_filters(module, authorization),
        "access_log": build_log(module),
        "local_reply_config": build_local_replies(module),
        **_identity(module),
        **_paths(module),
        **_limits(settings, module),
        "common_http_protocol_options": _common_protocol(module),
        "http_protocol_options": _http1(module),
        "http2_protocol_options": {
            "max_concurrent_streams": UInt32Value(value=settings.concurrent_streams),
            "initial_stream_window_size": UInt32Value(value=STREAM_WINDOW),
            "initial_connection_window_size": UInt32Value(value=CONNECTION_WINDOW),
        },
    }
    return HttpConnectionManager(**{name: value for name, value in options.items() if value is not None})


def _identity(module: Module) -> dict[str, object]:
    """Who the client is and what it says of itself, and what clients are told of the gateway."""
    hearsay = _strip_hearsay(with_underscores=module.headers_with_underscores_action == "ALLOW")
    return {
        "early_header_mutation_extensions": [
            {"name": "envoy.http.early_header_mutation.header_mutation", "typed_config": pack(hearsay)}
        ],
        "use_remote_address": BoolValue(value=module.use_remote_address is not False),
        "xff_num_trusted_hops": module.xff_num_trusted_hops,
        "generate_request_id": BoolValue(value=True),
        "preserve_external_request_id": module.preserve_external_request_id,
        "forward_client_cert_details": module.forward_client_cert_details,
        "set_current_client_cert_details": _certificate(module),
        "server_name": module.server_name,
    }


def _certificate(module: Module) -> dict[str, object] | None:
    details = module.set_current_client_cert_details
    if details is None:
        return None
    parts = {name: getattr(details, name) for name in ("cert", "chain", "dns", "uri")}
    return {**parts, **({} if details.subject is None else {"subject": BoolValue(value=details.subject)})}


def _paths(module: Module) -> dict[str, object]:
    """A path that could mean two things must not mean one to us and another to the backend."""
    reject = module.reject_requests_with_escaped_slashes is not False
    return {
        "normalize_path": BoolValue(value=True),
        "merge_slashes": module.merge_slashes is not False,
        "path_with_escaped_slashes_action": "REJECT_REQUEST" if reject else "KEEP_UNCHANGED",
        "strip_any_host_port": True,
        "strip_trailing_host_dot": True,
    }


def _limits(settings: ListenerSettings, module: Module) -> dict[str, object]:
    kilobytes = module.max_request_headers_kb
    return {
        "request_headers_timeout": settings.headers_timeout,
        "stream_idle_timeout": settings.idle_timeout,
        "max_request_headers_kb": None if kilobytes is None else UInt32Value(value=kilobytes),
    }


def _common_protocol(module: Module) -> dict[str, object]:
    # kubeflow_userid and kubeflow-userid are one header to a backend that speaks WSGI or CGI.
    options: dict[str, object] = {
        "headers_with_underscores_action": module.headers_with_underscores_action or "REJECT_REQUEST"
    }
    if module.listener_idle_timeout_ms is not None:
        options["idle_timeout"] = timedelta(milliseconds=module.listener_idle_timeout_ms)
    return options


def _http1(module: Module) -> dict[str, object] | None:
    options: dict[str, object] = {}
    if module.allow_chunked_length:
        options["allow_chunked_length"] = True
    if module.enable_http10:
        options["accept_http_10"] = True
    if module.proper_case:
        options["header_key_format"] = {"proper_case_words": {}}
    return options or None


def _pack(message: HttpConnectionManager) -> AnyMessage:
    # Maps are written in one order, so that the same options are the same bytes.
    return pack(message, deterministic=True)


def _strip_hearsay(*, with_underscores: bool) -> EarlyHeaderMutation:
    """Remove hearsay before any filter runs: an authorization service must not see it either.

    Args:
        with_underscores: Remove it also where it comes with underscores. They are let through only when the gateway's
            owner asks for it.
    """
    names = [{"remove": name} for name in HEARSAY_HEADERS]
    families = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in HEARSAY_PREFIXES]
    return EarlyHeaderMutation(mutations=[*names, *families, *([_strip_spellings()] if with_underscores else [])])


def _strip_spellings() -> dict[str, object]:
    """One header to a service that speaks CGI is one header here, however its parts are joined."""
    names = [*HEARSAY_HEADERS, *(prefix + ".*" for prefix in HEARSAY_PREFIXES)]
    regex = "|".join(name.replace("-", "[-_]") for name in names)
    return {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": regex}}}}
