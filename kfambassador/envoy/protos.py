"""The one door to the generated protobuf classes.

They carry no type information, so to the type checker each is Any; ``envoy --mode validate`` judges what is built.
Importing this module costs some 100 to 400 ms, so only the rooms that build or speak messages import it.
"""

from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import DataSource, HeaderValueOption, TransportSocket
from envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import RateLimit, Route, RouteAction, RouteList, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.access_loggers.stream.v3.stream_pb2 import StderrAccessLog, StdoutAccessLog
from envoy.extensions.compression.gzip.compressor.v3.gzip_pb2 import Gzip as GzipLibrary
from envoy.extensions.filters.http.buffer.v3.buffer_pb2 import Buffer
from envoy.extensions.filters.http.compressor.v3.compressor_pb2 import Compressor
from envoy.extensions.filters.http.cors.v3.cors_pb2 import Cors, CorsPolicy
from envoy.extensions.filters.http.custom_response.v3.custom_response_pb2 import CustomResponse
from envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthz, ExtAuthzPerRoute
from envoy.extensions.filters.http.grpc_http1_bridge.v3.config_pb2 import Config as GrpcHttp1Bridge
from envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig as GrpcStats
from envoy.extensions.filters.http.grpc_web.v3.grpc_web_pb2 import GrpcWeb
from envoy.extensions.filters.http.health_check.v3.health_check_pb2 import HealthCheck
from envoy.extensions.filters.http.lua.v3.lua_pb2 import Lua
from envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.listener.proxy_protocol.v3.proxy_protocol_pb2 import ProxyProtocol
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
)
from envoy.extensions.http.custom_response.local_response_policy.v3.local_response_policy_pb2 import (
    LocalResponsePolicy,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy.extensions.resource_monitors.downstream_connections.v3.downstream_connections_pb2 import (
    DownstreamConnectionsConfig,
)
from envoy.extensions.resource_monitors.fixed_heap.v3.fixed_heap_pb2 import FixedHeapConfig
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsParameters
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
from envoy.type.matcher.v3.status_code_input_pb2 import HttpResponseStatusCodeMatchInput
from google.protobuf.any import pack
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value
from xds.type.matcher.v3.matcher_pb2 import Matcher

__all__ = [
    "RBAC",
    "AnyMessage",
    "BoolValue",
    "Bootstrap",
    "Buffer",
    "Cluster",
    "ClusterLoadAssignment",
    "Compressor",
    "Cors",
    "CorsPolicy",
    "CustomResponse",
    "DataSource",
    "DeltaDiscoveryRequest",
    "DeltaDiscoveryResponse",
    "DownstreamConnectionsConfig",
    "EarlyHeaderMutation",
    "ExtAuthz",
    "ExtAuthzPerRoute",
    "FixedHeapConfig",
    "GrpcHttp1Bridge",
    "GrpcStats",
    "GrpcWeb",
    "GzipLibrary",
    "HeaderValueOption",
    "HealthCheck",
    "HttpConnectionManager",
    "HttpFilter",
    "HttpProtocolOptions",
    "HttpRequestHeaderMatchInput",
    "HttpResponseStatusCodeMatchInput",
    "Listener",
    "LocalResponsePolicy",
    "Lua",
    "Matcher",
    "Message",
    "MessageToDict",
    "MessageToJson",
    "ProxyProtocol",
    "RateLimit",
    "Resource",
    "Route",
    "RouteAction",
    "RouteConfiguration",
    "RouteList",
    "Router",
    "StderrAccessLog",
    "StdoutAccessLog",
    "SubstitutionFormatString",
    "TlsParameters",
    "TransportSocket",
    "UInt32Value",
    "UpstreamTlsContext",
    "VirtualHost",
    "pack",
]
