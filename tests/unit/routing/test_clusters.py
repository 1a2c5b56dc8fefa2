"""Clusters: which mappings share one, and how its endpoints are found."""

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.clusters import DNS_RESOLVER, name_cluster
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.model import Compiled, Discovery, Endpoint, Target, UpstreamTls
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import Manifest, document, mapping, resource_set, service, slice_

TARGET = Target("m.default", 80)

#: A value for every attribute that is part of a cluster's identity.
SETTINGS: dict[str, object] = {
    "connect_timeout_ms": 1,
    "cluster_idle_timeout_ms": 1,
    "cluster_max_connection_lifetime_ms": 1,
    "keepalive": {"probes": 1},
    "grpc": True,
    "tls": True,
    "resolver": "endpoint",
    "dns_type": "logical_dns",
    "respect_dns_ttl": True,
    "enable_ipv4": True,
    "enable_ipv6": True,
    "load_balancer": {"policy": "least_request"},
    "circuit_breakers": [{"max_requests": 1}],
    "circuit_breaker": "n",
    "outlier_detection": {},
    "health_checks": [{"health_check": {"http": {"path": "/"}}}],
    "cluster_tag": "t",
    "stats_name": "s",
}


def test_every_setting_makes_a_cluster_of_its_own() -> None:
    assert SETTINGS.keys() == set(Mapping.cluster_fields())
    names = {name_cluster(TARGET, mapping(**{name: value})) for name, value in SETTINGS.items()}
    assert len({*names, name_cluster(TARGET, mapping())}) == len(SETTINGS) + 1


def test_two_mappings_that_say_the_same_share_a_cluster() -> None:
    one, other = (mapping(name, prefix=f"/{name}/", timeout_ms=len(name), **SETTINGS) for name in ("a", "bb"))
    assert name_cluster(TARGET, one) == name_cluster(TARGET, other)


def test_what_holds_anyway_makes_no_other_cluster() -> None:
    said = mapping(grpc=False, circuit_breakers=[], dns_type=None)
    assert name_cluster(TARGET, said) == name_cluster(TARGET, mapping())


@pytest.mark.parametrize(
    "tls",
    [
        UpstreamTls(),
        UpstreamTls(context="c"),
        UpstreamTls(sni="a"),
        UpstreamTls(verified_names=("a",)),
        UpstreamTls(verified_names=("a", "b")),
    ],
)
def test_names_that_are_verified_are_part_of_it(tls: UpstreamTls) -> None:
    others = [UpstreamTls(context="x"), UpstreamTls(sni="x"), UpstreamTls(verified_names=("x",))]
    assert name_cluster(TARGET, mapping(), tls) not in {name_cluster(TARGET, mapping(), other) for other in others}


def compile_one(manifest: Manifest, *slices: Manifest, cluster_dns: bool = True) -> Compiled:
    policy = TenancyPolicy(gateway_namespace="default", cluster_dns=cluster_dns, references=False)
    return compile_routes(resource_set(manifest, *slices), policy)


def test_a_service_by_its_name_in_dns() -> None:
    written = service("m", "team", document("m", resolver=DNS_RESOLVER))
    found = compile_one(written, slice_("m", "team", "10.0.0.1"))
    (cluster,) = found.table.clusters
    assert (cluster.discovery, cluster.endpoints) == (Discovery.DNS, (Endpoint("m.team", 80),))
    assert found.problems == ()


def test_a_service_without_pods_may_have_an_address_all_the_same() -> None:
    assert compile_one(service("m", "team", document("m", resolver=DNS_RESOLVER))).problems == ()


def test_a_port_the_service_does_not_have_is_told_of_with_dns_too() -> None:
    (problem,) = compile_one(service("m", "team", document("m", service="m:81", resolver=DNS_RESOLVER))).problems
    assert (problem.code, problem.severity) == ("no-such-port", Severity.WARNING)


@pytest.mark.parametrize("resolver", [None, "endpoint", "kubernetes-endpoint"])
def test_all_other_ways_know_the_pods(resolver: str | None) -> None:
    written = service("m", "team", document("m", resolver=resolver))
    (cluster,) = compile_one(written, slice_("m", "team", "10.0.0.1")).table.clusters
    assert (cluster.discovery, cluster.endpoints) == (Discovery.ENDPOINTS, (Endpoint("10.0.0.1", 80),))


def test_where_dns_knows_no_services_the_pods_are_known() -> None:
    written = service("m", "team", document("m", resolver=DNS_RESOLVER))
    (cluster,) = compile_one(written, slice_("m", "team", "10.0.0.1"), cluster_dns=False).table.clusters
    assert cluster.discovery is Discovery.ENDPOINTS


def test_endpoints_where_nobody_may_point_are_left_out() -> None:
    manifests = (service("m", "default", document("m")), slice_("m", "default", "169.254.169.254", "10.0.0.1"))
    compiled = compile_routes(resource_set(*manifests), TenancyPolicy())
    (cluster,) = compiled.table.clusters
    assert cluster.endpoints == (Endpoint("10.0.0.1", 80),)
    assert [(each.code, each.severity) for each in compiled.problems] == [("forbidden-endpoint", Severity.WARNING)]


def test_two_settings_of_one_service_never_leak() -> None:
    written = service("m", "team", document("a", service="m", grpc=True), document("b", service="m"))
    clusters = compile_one(written, slice_("m", "team", "10.0.0.1")).table.clusters
    assert {cluster.settings.grpc for cluster in clusters} == {True, False}
    assert len(clusters) == 2
