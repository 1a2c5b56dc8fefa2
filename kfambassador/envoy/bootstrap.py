"""Envoy's first configuration: who it is, whom it asks for the rest, and what it will not exceed.

The same for a process on a laptop and for a container in a cluster. Both sockets it names are Unix sockets, so nothing
of Envoy's but the gateway's own listener can be reached over the network; in a cluster the listener for probes as well.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import Final

from kfambassador.envoy.protos import (
    Bootstrap,
    Cluster,
    DownstreamConnectionsConfig,
    FixedHeapConfig,
    HttpProtocolOptions,
    Message,
    MessageToJson,
    pack,
)
from kfambassador.envoy.readiness import build_admin_cluster, build_ready_listener
from kfambassador.names import ADMIN_SOCKET, REGEX_MAX_PROGRAM_SIZE, XDS_SOCKET

#: The cluster that is the control plane.
XDS_CLUSTER: Final = "xds"

#: How soon a lost control plane is tried again. By default Envoy takes 7 to 15 s to notice one that is back.
RECONNECT: Final = {"base_interval": timedelta(seconds=0.1), "max_interval": timedelta(seconds=0.25)}

#: The resource monitor that watches the heap.
HEAP: Final = "envoy.resource_monitors.fixed_heap"

#: Shares of the heap limit at which Envoy gives memory back to the system, and at which it refuses requests (503).
SHRINK_HEAP_AT: Final = 0.95
REFUSE_REQUESTS_AT: Final = 0.98


@dataclass(frozen=True, slots=True)
class BootstrapSettings:
    """What one Envoy is told before it has asked anybody anything.

    Attributes:
        directory: Where the sockets are: Envoy makes its admin socket there and expects the control plane's.
        admin_socket: The admin's, in the directory, or anywhere where its path is absolute.
        xds_socket: The control plane's, likewise.
        node: The name by which the control plane knows this Envoy.
        ready_address: The IP address and port where probes and Prometheus ask; None for nowhere.
        max_connections: Clients' connections at once; more are closed as they come.
        max_heap: Bytes of heap at which Envoy defends itself, or None for no limit. In a container, 80 % of its limit.
    """

    directory: PurePath
    admin_socket: str = ADMIN_SOCKET
    xds_socket: str = XDS_SOCKET
    node: str = "kfambassador"
    ready_address: tuple[str, int] | None = None
    max_connections: int = 50_000
    max_heap: int | None = None


def build_bootstrap(settings: BootstrapSettings) -> Bootstrap:
    """Build the message.

    Example:
        >>> build_bootstrap(BootstrapSettings(PurePath("/run/kfambassador"))).admin.address.pipe.path
        '/run/kfambassador/admin.sock'
    """
    admin = settings.directory / settings.admin_socket
    return Bootstrap(
        node={"id": settings.node, "cluster": "kfambassador"},
        admin={
            "address": {"pipe": {"path": str(admin), "mode": 0o600}},
            # Who mends an overloaded gateway comes in by this door.
            "ignore_global_conn_limit": True,
        },
        static_resources=_static_resources(settings, admin),
        dynamic_resources={
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [
                    {"envoy_grpc": {"cluster_name": XDS_CLUSTER, "retry_policy": {"retry_back_off": RECONNECT}}}
                ],
            },
            "cds_config": _from_ads(),
            "lds_config": _from_ads(),
        },
        layered_runtime={"layers": [_limits()]},
        # Both keep configuration quick with thousands of clusters: their counters are made on first use, and a flush
        # that would hold up the main thread happens only when somebody reads them.
        deferred_stat_options={"enable_deferred_creation_stats": True},
        stats_flush_on_admin=True,
        overload_manager=_overload(settings),
    )


def write_bootstrap(settings: BootstrapSettings) -> str:
    """Write the message as Envoy's ``--config-path`` file takes it, in JSON.

    Example:
        >>> '"cluster": "kfambassador"' in write_bootstrap(BootstrapSettings(PurePath("/run/kfambassador")))
        True
    """
    return str(MessageToJson(build_bootstrap(settings), preserving_proto_field_name=True))


def _static_resources(settings: BootstrapSettings, admin: PurePath) -> dict[str, object]:
    clusters = [_control_plane(settings.directory / settings.xds_socket)]
    if settings.ready_address is None:
        return {"clusters": clusters}
    address, port = settings.ready_address
    return {"clusters": [*clusters, build_admin_cluster(admin)], "listeners": [build_ready_listener(address, port)]}


def _from_ads() -> dict[str, object]:
    # No limit to the first wait: Envoy is not ready before it was told what to serve.
    return {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": timedelta(0)}


def _control_plane(socket: PurePath) -> Cluster:
    speaks = HttpProtocolOptions(explicit_http_config={"http2_protocol_options": {}})
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    return Cluster(
        name=XDS_CLUSTER,
        type="STATIC",
        connect_timeout=timedelta(seconds=1),
        load_assignment={"cluster_name": XDS_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(speaks)},
    )


def _limits() -> dict[str, object]:
    return {"name": "limits", "static_layer": {"re2.max_program_size.error_level": REGEX_MAX_PROGRAM_SIZE}}


def _overload(settings: BootstrapSettings) -> dict[str, object]:
    """What Envoy does when more is asked of it than it has."""
    connections = DownstreamConnectionsConfig(max_active_downstream_connections=settings.max_connections)
    monitors = [_named("envoy.resource_monitors.global_downstream_max_connections", connections)]
    if settings.max_heap is None:
        return {"resource_monitors": monitors}
    monitors.append(_named(HEAP, FixedHeapConfig(max_heap_size_bytes=settings.max_heap)))
    actions = [_at(SHRINK_HEAP_AT, "shrink_heap"), _at(REFUSE_REQUESTS_AT, "stop_accepting_requests")]
    return {"resource_monitors": monitors, "actions": actions}


def _at(share: float, action: str) -> dict[str, object]:
    trigger = {"name": HEAP, "threshold": {"value": share}}
    return {"name": f"envoy.overload_actions.{action}", "triggers": [trigger]}


def _named(name: str, config: Message) -> dict[str, object]:
    return {"name": name, "typed_config": pack(config)}
