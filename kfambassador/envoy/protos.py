"""The one door to the generated protobuf classes.

They carry no type information, so to the type checker each is Any; ``envoy --mode validate`` judges what is built.
Importing this module costs some 100 to 400 ms, so only the rooms that build or speak messages import it.
"""

from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import Route, RouteList, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
)
from envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy.extensions.resource_monitors.downstream_connections.v3.downstream_connections_pb2 import (
    DownstreamConnectionsConfig,
)
from envoy.extensions.resource_monitors.fixed_heap.v3.fixed_heap_pb2 import FixedHeapConfig
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource
from envoy.type.matcher.v3.http_inputs_pb2 import HttpRequestHeaderMatchInput
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
    "Cluster",
    "ClusterLoadAssignment",
    "DeltaDiscoveryRequest",
    "DeltaDiscoveryResponse",
    "DownstreamConnectionsConfig",
    "EarlyHeaderMutation",
    "FixedHeapConfig",
    "HeaderValueOption",
    "HttpConnectionManager",
    "HttpFilter",
    "HttpProtocolOptions",
    "HttpRequestHeaderMatchInput",
    "Listener",
    "Matcher",
    "Message",
    "MessageToDict",
    "MessageToJson",
    "Resource",
    "Route",
    "RouteConfiguration",
    "RouteList",
    "Router",
    "UInt32Value",
    "VirtualHost",
    "pack",
]
