"""What is wrong with the connections a mapping asks for."""

import pytest

from kfambassador.problems import Severity
from kfambassador.routing.connection_checks import check_connection
from tests.builders import mapping

GETS = {"health_check": {"http": {"path": "/"}}}
ASKS = {"health_check": {"grpc": {"upstream_name": "a.Service"}}}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"enable_ipv4": False, "enable_ipv6": True},
        {"enable_ipv6": False},
        {"dns_type": "LOGICAL_DNS"},
        {"load_balancer": {"policy": "round_robin"}, "resolver": "endpoint"},
        {"resolver": "kubernetes-service"},
        {"grpc": True, "health_checks": [ASKS]},
        {"circuit_breakers": [{"max_requests": 1}, {"priority": "high"}]},
        {"stats_name": "a" * 255, "cluster_tag": ""},
    ],
)
def test_what_is_in_order_is_passed_over(attributes: dict[str, object]) -> None:
    assert not list(check_connection(mapping(**attributes)))


@pytest.mark.parametrize(
    ("attributes", "code", "path", "message"),
    [
        (
            {"enable_ipv4": False},
            "no-addresses",
            "enable_ipv4",
            "IPv4 and IPv6 are both off, which leaves no address; IPv4 is used. Set enable_ipv6 to use IPv6",
        ),
        (
            {"dns_type": "logicaldns"},
            "unknown-dns-type",
            "dns_type",
            "'logicaldns' is neither strict_dns nor logical_dns; strict_dns is used; did you mean logical_dns?",
        ),
        (
            {"load_balancer": {"policy": "round_robin"}, "resolver": "kubernetes-service"},
            "balanced-elsewhere",
            "load_balancer",
            (
                "with the resolver kubernetes-service the gateway sees one address, and the cluster's own proxy "
                "chooses the endpoint behind it; leave resolver out, or write endpoint"
            ),
        ),
        (
            {"health_checks": [ASKS]},
            "check-needs-grpc",
            "health_checks[0].health_check.grpc",
            "a question by gRPC needs grpc: true on the mapping; this entry is left out",
        ),
        (
            {"health_checks": [GETS, GETS]},
            "no-effect",
            "health_checks[1]",
            "Envoy asks a service one question; another entry stands before, and this one is left out",
        ),
        (
            {"circuit_breakers": [{"max_requests": 1}, {"max_retries": 1}]},
            "limits-twice",
            "circuit_breakers[1]",
            "there are limits for priority default before; those count, and this entry has no effect",
        ),
    ],
)
def test_a_trap_is_told_of_and_served(attributes: dict[str, object], code: str, path: str, message: str) -> None:
    (fault,) = check_connection(mapping(**attributes))
    assert (fault.code, fault.path, fault.message) == (code, path, message)
    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize("name", ["stats_name", "cluster_tag"])
@pytest.mark.parametrize("value", ["a\nb", "a" * 256])
def test_a_name_nobody_can_read_is_refused(name: str, value: str) -> None:
    (fault,) = check_connection(mapping(**{name: value}))
    assert (fault.code, fault.path, fault.severity) == ("bad-character", name, Severity.ERROR)
    assert fault.message.endswith("is no name: write at most 255 characters, and no control characters")
