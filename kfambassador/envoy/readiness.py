"""The listener that probes and Prometheus ask, and the little of Envoy's admin that they reach through it.

It stands in the bootstrap and not in what the control plane serves, so it is there before and without one. Envoy begins
to accept connections, here as elsewhere, once it has been told what to serve: until then a probe is refused.
"""

from datetime import timedelta
from pathlib import PurePath
from typing import Final

from kfambassador.envoy.protos import (
    BoolValue,
    Cluster,
    HealthCheck,
    HttpConnectionManager,
    Listener,
    Router,
    UInt32Value,
    pack,
)

#: The listener's name; its statistics are counted apart from the gateway's by it.
READY: Final = "ready"

#: The cluster that is Envoy's own admin.
ADMIN_CLUSTER: Final = "envoy-admin"

READY_PATH: Final = "/ready"
STATISTICS_PATH: Final = "/stats/prometheus"

#: Scrapes at once, and how many more may wait; others are answered 503. Each holds Envoy's main thread, which also
#: takes in changes of routes.
SCRAPES: Final = 2

#: Time a scrape may take. At ten thousand clusters one takes 3 s.
SCRAPE_TIMEOUT: Final = timedelta(seconds=30)

#: How long a connection may be idle, and how long a client has to send its headers.
IDLE: Final = timedelta(seconds=60)
HEADERS: Final = timedelta(seconds=5)

#: Requests at once on one connection, by HTTP/2. Who asks here has one question.
STREAMS: Final = 10

_GET: Final = {"name": ":method", "string_match": {"exact": "GET"}}


def build_ready_listener(address: str, port: int) -> Listener:
    """Build the listener: GET of ``/ready`` and of ``/stats/prometheus`` is answered, and nothing else is there.

    Whether Envoy is ready is answered by its workers, so a probe does not wait while the main thread takes in a large
    table. The answer is 200, and 503 from the moment on when Envoy's health check was failed in order to drain it.

    Args:
        address: The IP address to listen on; ``::`` takes IPv4 as well.
        port: The TCP port.

    Example:
        >>> build_ready_listener("127.0.0.1", 8082).name
        'ready'
    """
    place = {"address": address, "port_value": port, "ipv4_compat": address == "::"}
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": pack(_connection_manager())}
    return Listener(
        name=READY,
        address={"socket_address": place},
        filter_chains=[{"filters": [manager]}],
        enable_reuse_port=BoolValue(value=False),
        # A gateway that has its hands full is no less ready: to take it away would give its load to the others.
        ignore_global_conn_limit=True,
        bypass_overload_manager=True,
    )


def build_admin_cluster(admin: PurePath) -> Cluster:
    """Build the cluster that the listener passes scrapes on to.

    Args:
        admin: The Unix socket of Envoy's admin.

    Example:
        >>> build_admin_cluster(PurePath("/run/kfambassador/admin.sock")).name
        'envoy-admin'
    """
    most = UInt32Value(value=SCRAPES)
    limits = {"max_connections": most, "max_pending_requests": most, "max_requests": most}
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(admin)}}}}
    return Cluster(
        name=ADMIN_CLUSTER,
        type="STATIC",
        connect_timeout=timedelta(seconds=1),
        load_assignment={"cluster_name": ADMIN_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        circuit_breakers={"thresholds": [limits]},
    )


def _connection_manager() -> HttpConnectionManager:
    answer = HealthCheck(
        pass_through_mode=BoolValue(value=False),
        headers=[{"name": ":path", "string_match": {"exact": READY_PATH}}, _GET],
    )
    scrape = {
        "match": {"path": STATISTICS_PATH, "headers": [_GET]},
        "route": {"cluster": ADMIN_CLUSTER, "timeout": SCRAPE_TIMEOUT},
    }
    return HttpConnectionManager(
        stat_prefix=READY,
        route_config={"name": READY, "virtual_hosts": [{"name": READY, "domains": ["*"], "routes": [scrape]}]},
        http_filters=[
            {"name": "envoy.filters.http.health_check", "typed_config": pack(answer)},
            {"name": "envoy.filters.http.router", "typed_config": pack(Router())},
        ],
        common_http_protocol_options={"idle_timeout": IDLE},
        http2_protocol_options={"max_concurrent_streams": UInt32Value(value=STREAMS)},
        request_headers_timeout=HEADERS,
        normalize_path=BoolValue(value=False),
        use_remote_address=BoolValue(value=True),
    )
