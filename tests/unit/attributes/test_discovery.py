"""How the service's addresses are found."""

import pytest

from kfambassador.envoy.protos import Cluster
from tests.unit.attributes.messages import cluster_of

NAME = "model.example.org:80"


def kind(cluster: Cluster) -> str:
    return str(Cluster.DiscoveryType.Name(cluster.type))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, "STRICT_DNS"),
        ("strict_dns", "STRICT_DNS"),
        ("logical_dns", "LOGICAL_DNS"),
        ("LOGICAL_DNS", "LOGICAL_DNS"),
        ("other", "STRICT_DNS"),
    ],
)
def test_how_dns_is_used(written: str | None, expected: str) -> None:
    assert kind(cluster_of(NAME, dns_type=written)) == expected


@pytest.mark.parametrize(
    ("four", "six", "expected"),
    [
        (None, None, "V4_ONLY"),
        (True, False, "V4_ONLY"),
        (None, True, "AUTO"),
        (True, True, "AUTO"),
        (False, True, "V6_ONLY"),
        (False, None, "V4_ONLY"),
        (False, False, "V4_ONLY"),
    ],
)
def test_which_addresses_are_asked_for(four: bool | None, six: bool | None, expected: str) -> None:
    cluster = cluster_of(NAME, enable_ipv4=four, enable_ipv6=six)
    assert Cluster.DnsLookupFamily.Name(cluster.dns_lookup_family) == expected


def test_names_are_looked_up_as_often_as_dns_says() -> None:
    assert cluster_of(NAME, respect_dns_ttl=True).respect_dns_ttl
    assert not cluster_of(NAME).respect_dns_ttl


def test_an_address_is_not_looked_up() -> None:
    cluster = cluster_of("10.0.0.1", dns_type="logical_dns", respect_dns_ttl=True, enable_ipv6=True)
    assert kind(cluster) == "STATIC"
    assert not cluster.respect_dns_ttl
    assert cluster.dns_lookup_family == 0
