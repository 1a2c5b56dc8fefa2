"""One cluster of the table in Envoy's words, and its endpoints."""

from dataclasses import dataclass, field
from typing import NamedTuple

from kfambassador.envoy.protos import Cluster as ClusterMessage
from kfambassador.envoy.protos import ClusterLoadAssignment, HttpProtocolOptions, pack
from kfambassador.envoy.snapshot import XdsResource
from kfambassador.envoy.upstream_tls import build_transport_socket
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.model import Cluster, Discovery

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True, slots=True)
class ClusterDraft:
    """The cluster that the families' hooks patch; see :class:`kfambassador.attributes.base.ClusterDraft`."""

    message: ClusterMessage
    http: HttpProtocolOptions = field(default_factory=HttpProtocolOptions)

    def seal(self) -> bytes:
        """Give the finished cluster as bytes."""
        if self.http.ByteSize():
            if self.http.WhichOneof("upstream_protocol_options") is None:
                # Envoy wants a protocol named wherever anything is said about it.
                self.http.explicit_http_config.http_protocol_options.SetInParent()
            self.message.typed_extension_protocol_options[_HTTP_OPTIONS].CopyFrom(pack(self.http))
        body: bytes = self.message.SerializeToString(deterministic=True)
        return body


class BuiltCluster(NamedTuple):
    """A cluster's resource, and that of its endpoints where they travel apart from it."""

    cluster: XdsResource
    endpoints: XdsResource | None


_TYPES = {Discovery.ENDPOINTS: "EDS", Discovery.DNS: "STRICT_DNS", Discovery.ADDRESS: "STATIC"}


def build_cluster(cluster: Cluster, *, proper_case: bool = False) -> BuiltCluster:
    """Say one cluster in Envoy's words.

    The endpoints of a Service travel apart (EDS), so that a pod that comes or goes does not touch the cluster.

    Args:
        cluster: The cluster.
        proper_case: Write headers of HTTP/1.1 as Content-Type rather than content-type (Module ``proper_case``).
    """
    message = ClusterMessage(name=cluster.name, type=_TYPES[cluster.discovery])
    assignment = _build_assignment(cluster)
    if cluster.discovery is Discovery.ENDPOINTS:
        message.eds_cluster_config.eds_config.ads.SetInParent()
        message.eds_cluster_config.eds_config.resource_api_version = "V3"
    else:
        message.load_assignment.CopyFrom(assignment)
    if cluster.tls is not None:
        message.transport_socket.CopyFrom(build_transport_socket(cluster.tls))
    draft = ClusterDraft(message)
    for family in Mapping.families():
        family.on_cluster(cluster.settings, draft)
    if proper_case and draft.http.WhichOneof("upstream_protocol_options") is None:
        options = draft.http.explicit_http_config.http_protocol_options
        options.header_key_format.proper_case_words.SetInParent()
    resource = XdsResource.of(cluster.name, draft.seal())
    if cluster.discovery is not Discovery.ENDPOINTS:
        return BuiltCluster(resource, None)
    return BuiltCluster(resource, XdsResource.of(cluster.name, assignment.SerializeToString(deterministic=True)))


def _build_assignment(cluster: Cluster) -> ClusterLoadAssignment:
    assignment = ClusterLoadAssignment(cluster_name=cluster.name)
    if cluster.endpoints:
        locality = assignment.endpoints.add()
        for endpoint in cluster.endpoints:
            member = locality.lb_endpoints.add().endpoint
            member.address.socket_address.address = endpoint.address
            member.address.socket_address.port_value = endpoint.port
            if cluster.discovery is Discovery.ENDPOINTS:
                # What auto_host_rewrite makes the Host header; where DNS is asked Envoy knows the name by itself.
                member.hostname = cluster.target.host
    return assignment
