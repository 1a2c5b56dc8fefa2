"""What the attributes of a cluster let through, Envoy takes: at the ends of every range, in one validation."""

import subprocess

import pytest

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap
from kfambassador.envoy.protos import Cluster, MessageToJson
from kfambassador.local.envoy_process import find_envoy, private_directory
from tests.unit.attributes.messages import cluster_of

pytestmark = pytest.mark.e2e

MOST = 2**32 - 1
YEAR_MS = 365 * 24 * 3600 * 1000


def checks(**http: object) -> dict[str, object]:
    return {"health_checks": [{"health_check": {"http": {"path": "/", **http}}}]}


BALANCERS: tuple[dict[str, object], ...] = (
    {"policy": "round_robin"},
    {"policy": "least_request"},
    {"policy": "ring_hash", "source_ip": True},
    {"policy": "maglev", "source_ip": True},
)

EXTREMES: tuple[dict[str, object], ...] = (
    {"connect_timeout_ms": 1},
    {"connect_timeout_ms": 3_600_000},
    {"cluster_idle_timeout_ms": 0, "cluster_max_connection_lifetime_ms": 1},
    {"cluster_idle_timeout_ms": YEAR_MS, "cluster_max_connection_lifetime_ms": YEAR_MS},
    {"keepalive": {}},
    {"keepalive": {"idle_time": 1, "interval": 1, "probes": 1}},
    {"keepalive": {"idle_time": 32_767, "interval": 32_767, "probes": 127}},
    {"service": "a.example", "dns_type": "logical_dns", "respect_dns_ttl": True, "enable_ipv6": True},
    {"service": "a.example", "enable_ipv4": False, "enable_ipv6": True},
    {"circuit_breakers": [{"max_connections": 0, "max_pending_requests": 0, "max_requests": 0, "max_retries": 0}]},
    {"circuit_breakers": [{"max_connections": MOST, "max_retries": MOST}, {"max_requests": MOST}]},
    {"outlier_detection": {"consecutive_5xx": 1, "max_ejection": 0, "interval_ms": 1}},
    {"outlier_detection": {"consecutive_5xx": MOST, "max_ejection": 100, "interval_ms": 3_600_000}},
    checks(),
    checks(path="/ä?a=%20", hostname="a b", expected_statuses=[{"min": 100, "max": 599}]),
    checks(add_request_headers={"x": "", "y": "100% %REQ(a)%", "x-envoy-z": "ä\t"}, remove_request_headers=["x-y"]),
    {**checks(), "service": "a.example"},
    {"health_checks": [{"timeout": "1ms", "interval": "1ms", "health_check": {"http": {"path": "/"}}}]},
    {"health_checks": [{"timeout": "1h", "interval": "1h", "health_check": {"http": {"path": "/"}}}]},
    {
        "health_checks": [
            {"unhealthy_threshold": MOST, "healthy_threshold": MOST, "health_check": {"http": {"path": "/"}}}
        ]
    },
    {"grpc": True, "health_checks": [{"health_check": {"grpc": {"upstream_name": "", "authority": "a b"}}}]},
    {"health_checks": [{"health_check": {"grpc": {"upstream_name": "a"}}}]},
    {"stats_name": "a b:%REQ(a)%"},
    {"cluster_tag": "%$ü"},
)


def test_envoy_takes_every_extreme() -> None:
    clusters = [cluster_of(**attributes) for attributes in EXTREMES]
    for balancer in BALANCERS:
        clusters.append(cluster_of(load_balancer=balancer))
        clusters += [cluster_of("a.example", load_balancer=balancer, dns_type=each) for each in (None, "logical_dns")]
    assert judge(clusters) == ""


def test_the_judge_refuses_what_envoy_refuses() -> None:
    cluster = cluster_of(**checks())
    cluster.health_checks[0].interval.FromMilliseconds(0)
    assert "Interval" in judge([cluster])


def judge(clusters: list[Cluster]) -> str:
    """What Envoy says against clusters; nothing when it takes them."""
    with private_directory() as directory:
        bootstrap = build_bootstrap(BootstrapSettings(directory))
        for number, cluster in enumerate(clusters):
            cluster.name = f"c{number}"
            if cluster.HasField("load_assignment"):
                cluster.load_assignment.cluster_name = cluster.name
            bootstrap.static_resources.clusters.append(cluster)
        config = directory / "envoy.json"
        config.write_text(MessageToJson(bootstrap))
        command = [str(find_envoy()), "--mode", "validate", "--config-path", str(config), "--log-level", "error"]
        judged = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if judged.returncode == 0 else judged.stderr + judged.stdout
