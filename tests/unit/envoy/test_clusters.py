"""One cluster in Envoy's words, and its endpoints."""

import pytest

from kfambassador.envoy.clusters import BuiltCluster, build_cluster
from kfambassador.envoy.protos import Cluster, ClusterLoadAssignment
from kfambassador.resources.meta import SourcedMapping
from tests.builders import Manifest, compiled, document, service, slice_, sourced


def build(*items: Manifest | SourcedMapping) -> BuiltCluster:
    (cluster,) = compiled(*items).table.clusters
    return build_cluster(cluster)


def places(assignment: ClusterLoadAssignment) -> list[tuple[str, int]]:
    addresses = [
        endpoint.endpoint.address.socket_address
        for locality in assignment.endpoints
        for endpoint in locality.lb_endpoints
    ]
    return [(address.address, address.port_value) for address in addresses]


SERVICE = service("m", "team", document("m", service="m:8000"), ports=(("http", 8000),))


def test_a_services_endpoints_travel_apart_from_its_cluster() -> None:
    built = build(SERVICE, slice_("m", "team", "10.0.0.1", "fd00::1", ports=(("http", 8501),)))
    cluster = Cluster.FromString(built.cluster.body)
    assert cluster.type == Cluster.DiscoveryType.Value("EDS")
    assert cluster.eds_cluster_config.eds_config.HasField("ads")
    assert not cluster.HasField("load_assignment")
    assert built.endpoints is not None
    assignment = ClusterLoadAssignment.FromString(built.endpoints.body)
    assert assignment.cluster_name == built.endpoints.name == built.cluster.name == cluster.name
    assert places(assignment) == [("10.0.0.1", 8501), ("fd00::1", 8501)]


def test_a_pod_that_comes_leaves_the_cluster_alone() -> None:
    one = build(SERVICE, slice_("m", "team", "10.0.0.1", ports=(("http", 8501),)))
    two = build(SERVICE, slice_("m", "team", "10.0.0.1", "10.0.0.2", ports=(("http", 8501),)))
    assert one.cluster == two.cluster
    assert one.endpoints != two.endpoints


def test_no_endpoints_are_said_as_such() -> None:
    built = build(SERVICE)
    assert built.endpoints is not None
    assert ClusterLoadAssignment.FromString(built.endpoints.body) == ClusterLoadAssignment(
        cluster_name=built.cluster.name
    )


@pytest.mark.parametrize(
    ("target", "kind", "place"),
    [
        ("httpbin.org", "STRICT_DNS", ("httpbin.org", 80)),
        ("10.0.0.1:81", "STATIC", ("10.0.0.1", 81)),
        ("[fd00::1]:81", "STATIC", ("fd00::1", 81)),
    ],
)
def test_what_is_no_service_carries_its_place(target: str, kind: str, place: tuple[str, int]) -> None:
    built = build(sourced("m", service=target))
    cluster = Cluster.FromString(built.cluster.body)
    assert built.endpoints is None
    assert cluster.type == Cluster.DiscoveryType.Value(kind)
    assert places(cluster.load_assignment) == [place]


def test_dns_asks_for_addresses_of_the_fourth_version() -> None:
    cluster = Cluster.FromString(build(sourced("m", service="httpbin.org")).cluster.body)
    assert cluster.dns_lookup_family == Cluster.DnsLookupFamily.Value("V4_ONLY")


@pytest.mark.parametrize(("written", "milliseconds"), [(None, 3000), (1, 1), (90_000, 90_000)])
def test_the_connect_timeout(written: int | None, milliseconds: int) -> None:
    cluster = Cluster.FromString(build(sourced("m", connect_timeout_ms=written)).cluster.body)
    assert cluster.connect_timeout.ToMilliseconds() == milliseconds
