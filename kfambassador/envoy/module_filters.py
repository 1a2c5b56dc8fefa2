"""Filters, answers of the gateway's own and log lines that the Module asks for."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from kfambassador.attributes.error_responses import write_bodies
from kfambassador.envoy.custom_responses import build_body_format
from kfambassador.envoy.protos import (
    RBAC,
    AnyMessage,
    BoolValue,
    Buffer,
    Compressor,
    GrpcHttp1Bridge,
    GrpcStats,
    GrpcWeb,
    GzipLibrary,
    Lua,
    Message,
    StderrAccessLog,
    StdoutAccessLog,
    UInt32Value,
    pack,
)
from kfambassador.resources.module import Module
from kfambassador.resources.module_filters import AddressRange
from kfambassador.resources.module_filters import GrpcStats as GrpcStatsOptions
from kfambassador.resources.module_filters import Gzip as GzipOptions

#: What a line of the log says unless the Module has its own format: Ambassador's own line, which is Envoy's.
LOG_LINE: Final = (
    'ACCESS [%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    '%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)

#: The same as an object.
LOG_FIELDS: Final = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
}

_HTTPS = "kfambassador.https"
_NO_ROUTE = "kfambassador.no_route"
#: The status of a request that no route takes, and Envoy's flag of it: the one error that is answered without a route.
_LOST: Final = 404
_LOST_FLAG: Final = "NR"
_CAME_BY_HTTP: Final = {"header": {"name": "x-forwarded-proto", "string_match": {"exact": "http"}}}
_ANYBODY: Final = {"principals": [{"any": True}]}
_ERRORS = frozenset({"/dev/stderr", "/dev/fd/2"})


def build_doors(module: Module) -> dict[str, Message]:
    """Build the filters that decide who is let in by address; they come before all that cost anything."""
    doors: dict[str, Message] = {}
    if module.x_forwarded_proto_redirect:
        doors[_HTTPS] = RBAC(
            rules={"action": "DENY", "policies": {"http": {"permissions": [_CAME_BY_HTTP], **_ANYBODY}}}
        )
    if module.ip_allow is not None:
        doors["kfambassador.ip_allow"] = _by_address("ALLOW", module.ip_allow)
    if module.ip_deny:
        doors["kfambassador.ip_deny"] = _by_address("DENY", module.ip_deny)
    return doors


def build_local_replies(module: Module) -> dict[str, object] | None:
    """Build what the gateway answers by itself otherwise than Envoy would; None where nothing was asked for."""
    mappers = [*_send_to_https(module), *_answer_the_lost(module)]
    return {"mappers": mappers} if mappers else None


def _send_to_https(module: Module) -> Iterator[dict[str, object]]:
    """Turn the refusal of requests that came by http into the way to https.

    The door refuses every one of them, so there is no other refusal that this could be taken for.
    """
    if not module.x_forwarded_proto_redirect:
        return
    location = {"key": "location", "value": "https://%REQ(:AUTHORITY)%%REQ(:PATH)%"}
    yield {
        "filter": {"and_filter": {"filters": [{"header_filter": _CAME_BY_HTTP}, _has_status(403, _HTTPS)]}},
        "status_code": UInt32Value(value=301),
        "headers_to_add": [{"header": location, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
        "body": {"inline_string": "use https"},
    }


def _answer_the_lost(module: Module) -> Iterator[dict[str, object]]:
    """Give requests that no route takes the Module's body of a 404; all others have a route's filter for theirs."""
    body, media_type = write_bodies(module.error_response_overrides or ()).get(str(_LOST), (None, ""))
    if body is None:
        return
    body_format = build_body_format(body)
    body_format.content_type = media_type
    lost = [{"response_flag_filter": {"flags": [_LOST_FLAG]}}, _has_status(_LOST, _NO_ROUTE)]
    yield {"filter": {"and_filter": {"filters": lost}}, "body_format_override": body_format}


def _has_status(status: int, runtime_key: str) -> dict[str, object]:
    return {"status_code_filter": {"comparison": {"value": {"default_value": status, "runtime_key": runtime_key}}}}


def build_optional(module: Module) -> dict[str, Message]:
    """Build the filters a request passes once it is let in, in Ambassador's order ("Filter order")."""
    filters: dict[str, Message] = {}
    if module.enable_grpc_http11_bridge:
        filters["envoy.filters.http.grpc_http1_bridge"] = GrpcHttp1Bridge()
    if module.enable_grpc_web:
        filters["envoy.filters.http.grpc_web"] = GrpcWeb()
    if module.grpc_stats is not None:
        filters["envoy.filters.http.grpc_stats"] = _count_calls(module.grpc_stats)
    if module.lua_scripts is not None:
        filters["envoy.filters.http.lua"] = Lua(default_source_code={"inline_string": module.lua_scripts})
    if module.gzip is not None and module.gzip.enabled:
        filters["envoy.filters.http.compressor"] = _compress(module.gzip)
    if module.buffer is not None:
        limit = UInt32Value(value=module.buffer.max_request_bytes)
        filters["envoy.filters.http.buffer"] = Buffer(max_request_bytes=limit)
    return filters


def build_log(module: Module) -> list[dict[str, object]]:
    """Build the log: a line a request, where the Module says anything of it.

    The two streams are all there is to write to. Envoy would refuse the whole listener for a file that it cannot open.
    """
    kind, form, path = module.envoy_log_type, module.envoy_log_format, module.envoy_log_path
    if kind is None and form is None and path is None:
        return []
    stream, name = (StderrAccessLog, "stderr") if path in _ERRORS else (StdoutAccessLog, "stdout")
    if kind is None or kind == "text":
        text = form if isinstance(form, str) else LOG_LINE
        log_format: dict[str, object] = {"text_format_source": {"inline_string": text.removesuffix("\n") + "\n"}}
    else:
        log_format = {"json_format": dict(form) if isinstance(form, dict) else LOG_FIELDS}
    return [{"name": f"envoy.access_loggers.{name}", "typed_config": _pack(stream(log_format=log_format))}]


def _pack(message: Message) -> AnyMessage:
    # Maps are written in one order, so that the same options are the same bytes.
    return pack(message, deterministic=True)


def _by_address(action: str, ranges: tuple[AddressRange, ...]) -> RBAC:
    """Let in, or keep out, whoever comes from the ranges; none at all is nobody."""
    principals = [_principal(each) for each in ranges] or [{"not_id": {"any": True}}]
    policy = {"permissions": [{"any": True}], "principals": principals}
    return RBAC(rules={"action": action, "policies": {"addresses": policy}})


def _principal(addresses: AddressRange) -> dict[str, object]:
    if addresses.peer is not None:
        return {"direct_remote_ip": _write_range(addresses.peer)}
    assert addresses.remote is not None  # noqa: S101 - its model has one of both
    return {"remote_ip": _write_range(addresses.remote)}


def _write_range(network: IPv4Network | IPv6Network) -> dict[str, object]:
    return {"address_prefix": str(network.network_address), "prefix_len": UInt32Value(value=network.prefixlen)}


def _count_calls(options: GrpcStatsOptions) -> GrpcStats:
    which: Dict[str, object]
    if options.all_methods:
        which = {"stats_for_all_methods": BoolValue(value=True)}
    else:
        services = [{"name": each.name, "method_names": each.method_names} for each in options.services]
        which = {"individual_method_stats_allowlist": {"services": services}}
    return GrpcStats(enable_upstream_stats=options.upstream_stats, **which)


def _compress(options: GzipOptions) -> Compressor:
    library = GzipLibrary(
        compression_level=options.compression_level, compression_strategy=options.compression_strategy
    )
    if options.memory_level is not None:
        library.memory_level.value = options.memory_level
    if options.window_bits is not None:
        library.window_bits.value = options.window_bits
    compressor = Compressor(compressor_library={"name": "gzip", "typed_config": pack(library)})
    answers = compressor.response_direction_config
    answers.disable_on_etag_header = options.disable_on_etag_header
    answers.remove_accept_encoding_header = options.remove_accept_encoding_header
    answers.common_config.content_type.extend(options.content_type)
    if options.min_content_length is not None:
        answers.common_config.min_content_length.value = options.min_content_length
    return compressor
