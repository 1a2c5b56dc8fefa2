"""What becomes of a single mapping in Envoy's words."""

from kfambassador.envoy.clusters import build_cluster
from kfambassador.envoy.protos import Cluster, HttpProtocolOptions, Route, RouteList
from kfambassador.envoy.routes import build_routes
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.model import Compiled
from tests.builders import compiled, mapping

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def compile_one(**attributes: object) -> Compiled:
    """What becomes of a mapping with these attributes."""
    origin = Origin(ObjectKey("Service", "default", "m"), document=1)
    written = SourcedMapping(mapping(**attributes), origin, namespace="default")
    return compiled(written)


def cluster_of(service: object = "10.0.0.1:80", **attributes: object) -> Cluster:
    """The cluster of a mapping with these attributes."""
    (cluster,) = compile_one(service=service, **attributes).table.clusters
    return Cluster.FromString(build_cluster(cluster).cluster.body)


def http_of(cluster: Cluster) -> HttpProtocolOptions:
    """How HTTP is spoken to a cluster; nothing when it does not say."""
    options = HttpProtocolOptions()
    if HTTP_OPTIONS in cluster.typed_extension_protocol_options:
        assert cluster.typed_extension_protocol_options[HTTP_OPTIONS].Unpack(options)
    return options


def route_of(**attributes: object) -> Route:
    """The route of a mapping with these attributes."""
    (route,) = compile_one(**attributes).table.routes()
    (message,) = RouteList.FromString(build_routes(route)).routes
    return message
