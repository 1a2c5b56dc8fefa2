"""One cluster of the table in Envoy's words, and its endpoints."""

from dataclasses import dataclass
from typing import NamedTuple

from kfambassador.envoy.protos import Cluster as ClusterMessage
from kfambassador.envoy.protos import ClusterLoadAssignment
from kfambassador.envoy.snapshot import XdsResource
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.model import Cluster, Discovery, Endpoint


@dataclass(frozen=True, slots=True)
class ClusterDraft:
    """The cluster that the families' hooks patch; see :class:`kfambassador.attributes.base.ClusterDraft`."""

    message: ClusterMessage


class BuiltCluster(NamedTuple):
    """A cluster's resource, and that of its endpoints where they travel apart from it."""

    cluster: XdsResource
    endpoints: XdsResource | None


_TYPES = {Discovery.ENDPOINTS: "EDS", Discovery.DNS: "STRICT_DNS", Discovery.ADDRESS: "STATIC"}


def build_cluster(cluster: Cluster) -> BuiltCluster:
    """Say one cluster in Envoy's words.

    The endpoints of a Service travel apart (EDS), so that a pod that comes or goes does not touch the cluster.
    """
    message = ClusterMessage(name=cluster.name, type=_TYPES[cluster.discovery])
    assignment = _build_assignment(cluster.name, cluster.endpoints)
    if cluster.discovery is Discovery.ENDPOINTS:
        message.eds_cluster_config.eds_config.ads.SetInParent()
        message.eds_cluster_config.eds_config.resource_api_version = "V3"
    else:
        message.load_assignment.CopyFrom(assignment)
    if cluster.discovery is Discovery.DNS:
        # Ambassador's default: IPv4 only.
        message.dns_lookup_family = "V4_ONLY"
    draft = ClusterDraft(message)
    for family in Mapping.families():
        family.on_cluster(cluster.settings, draft)
    resource = XdsResource.of(cluster.name, message.SerializeToString(deterministic=True))
    if cluster.discovery is not Discovery.ENDPOINTS:
        return BuiltCluster(resource, None)
    return BuiltCluster(resource, XdsResource.of(cluster.name, assignment.SerializeToString(deterministic=True)))


def _build_assignment(name: str, endpoints: tuple[Endpoint, ...]) -> ClusterLoadAssignment:
    assignment = ClusterLoadAssignment(cluster_name=name)
    if endpoints:
        locality = assignment.endpoints.add()
        for endpoint in endpoints:
            address = locality.lb_endpoints.add().endpoint.address.socket_address
            address.address = endpoint.address
            address.port_value = endpoint.port
    return assignment
