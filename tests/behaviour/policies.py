"""Services that judge requests, and the filters that ask them: for attributes that speak to filters yet to be shipped.

``bypass_auth``, ``auth_context_extensions`` and ``labels`` only mean something to an authorization filter and a rate
limit filter. A case that names them in ``filters`` gets them, put into the shipped listener before its router.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthz
from envoy.extensions.filters.http.ratelimit.v3.rate_limit_pb2 import RateLimit
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
)
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from envoy.service.ratelimit.v3.rls_pb2 import RateLimitRequest, RateLimitResponse
from google.protobuf.any import pack

from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource

#: Headers by which the backend sees what the judges were told.
CONTEXT, DESCRIPTORS = "x-auth-context", "x-descriptors"

#: The value of ``authorization`` that is let in.
KEY = "let-me-in"

#: A descriptor's value that is over its limit.
TOO_MUCH = "too-much"

_CHECK = "/envoy.service.auth.v3.Authorization/Check"
_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"


class Judges(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """An authorization service and a rate limit service in one.

    The first lets in whoever says ``authorization: let-me-in`` and passes on the context it was told; the second
    refuses requests that have a descriptor whose value is ``too-much``, and passes on all descriptors.
    """

    def __init__(self) -> None:
        self.port = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve while the block runs."""
        server = grpc.server(ThreadPoolExecutor(4), handlers=(self,))
        self.port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()

    def service(self, handler_call_details: Any) -> Any:
        """Find the handler of a call."""
        found = {_CHECK: (_check, CheckRequest, CheckResponse), _LIMIT: (_limit, RateLimitRequest, RateLimitResponse)}
        if handler_call_details.method not in found:
            return None
        judge, request, response = found[handler_call_details.method]
        return grpc.unary_unary_rpc_method_handler(
            judge, request_deserializer=request.FromString, response_serializer=response.SerializeToString
        )


def _check(request: Any, context: Any) -> Any:
    asked = request.attributes
    if asked.request.http.headers.get("authorization") != KEY:
        return CheckResponse(status={"code": 7}, denied_response={"status": {"code": 403}})
    told = ",".join(f"{name}={value}" for name, value in sorted(asked.context_extensions.items()))
    return CheckResponse(
        status={"code": 0}, ok_response={"headers": [{"header": {"key": CONTEXT, "value": told or "none"}}]}
    )


def _limit(request: Any, context: Any) -> Any:
    told = [",".join(f"{entry.key}={entry.value}" for entry in each.entries) for each in request.descriptors]
    over = any(entry.value == TOO_MUCH for each in request.descriptors for entry in each.entries)
    code = RateLimitResponse.Code.Value("OVER_LIMIT" if over else "OK")
    header = {"key": DESCRIPTORS, "value": f"{request.domain}|" + ";".join(sorted(told))}
    return RateLimitResponse(overall_code=code, request_headers_to_add=[header])


def with_filters(snapshot: Snapshot, filters: Sequence[str], judges: Judges) -> Snapshot:
    """Put the named filters into the listener, before its router; a filter already in it is replaced."""
    if not filters:
        return snapshot
    resources = {url: dict(named) for url, named in snapshot.resources.items()}
    cluster = _cluster(judges.port)
    resources.setdefault(TypeUrl.CLUSTER, {})[cluster.name] = XdsResource.of(cluster.name, cluster.SerializeToString())
    for name, resource in resources[TypeUrl.LISTENER].items():
        listener = Listener.FromString(resource.body)
        for chain in listener.filter_chains:
            for network_filter in chain.filters:
                _insert(network_filter, [_FILTERS[each] for each in filters])
        body = listener.SerializeToString(deterministic=True)
        resources[TypeUrl.LISTENER][name] = XdsResource.of(name, body)
    return replace(snapshot, resources=resources)


def _insert(network_filter: Any, added: Sequence[Any]) -> None:
    manager = HttpConnectionManager()
    if not network_filter.typed_config.Unpack(manager):
        return
    names = {each.name for each in added}
    *kept, router = [each for each in manager.http_filters if each.name not in names]
    del manager.http_filters[:]
    manager.http_filters.extend([*kept, *added, router])
    network_filter.typed_config.Pack(manager, deterministic=True)


# Tests wait for the judges, however busy the machine is.
_SERVICE = {"envoy_grpc": {"cluster_name": "judges"}, "timeout": timedelta(seconds=10)}
_FILTERS = {
    "auth": HttpFilter(
        name="envoy.filters.http.ext_authz",
        typed_config=pack(ExtAuthz(grpc_service=_SERVICE, transport_api_version="V3")),
    ),
    "ratelimit": HttpFilter(
        name="envoy.filters.http.ratelimit",
        typed_config=pack(
            RateLimit(
                domain="ambassador",
                timeout=timedelta(seconds=10),
                rate_limit_service={"grpc_service": _SERVICE, "transport_api_version": "V3"},
            )
        ),
    ),
}


def _cluster(port: int) -> Any:
    options = pack(HttpProtocolOptions(explicit_http_config={"http2_protocol_options": {}}))
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return Cluster(
        name="judges",
        type="STATIC",
        load_assignment={
            "cluster_name": "judges",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
    )
