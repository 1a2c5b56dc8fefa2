"""A mapping completed: the gateway's word where it says nothing, its own where it says anything."""

import pytest

from kfambassador.attributes.circuit_breaking import CircuitBreaker as Limits
from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.problems import Severity
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.mapping import Mapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.defaults import Completed, complete
from kfambassador.routing.gateway import Gateway, build_gateway
from kfambassador.routing.policy import TenancyPolicy
from tests.builders import compiled, document, mapping, service, slice_
from tests.unit.routing.test_gateway import POLICY, module, resource

EVERY_DEFAULT: dict[str, object] = {
    "add_linkerd_headers": True,
    "circuit_breakers": [{"max_connections": 5}],
    "cluster_idle_timeout_ms": 1,
    "cluster_max_connection_lifetime_ms": 2,
    "cluster_request_timeout_ms": 3,
    "cors": {"origins": "https://a.com"},
    "defaults": {
        "httpmapping": {
            "add_request_headers": {"x-a": "1"},
            "add_response_headers": {"x-b": "1"},
            "remove_request_headers": "x-c",
            "remove_response_headers": ["x-d"],
            "stats_name": "everybody",
        }
    },
    "enable_ipv4": False,
    "enable_ipv6": True,
    "error_response_overrides": [{"on_status_code": 404, "body": {"text_format": "none"}}],
    "keepalive": {"time": 4},
    "load_balancer": {"policy": "least_request"},
    "resolver": "endpoint",
    "retry_policy": {"retry_on": "5xx"},
}

# What each of them is to a mapping, in another value than the default.
OWN: dict[str, object] = {
    "add_linkerd_headers": False,
    "add_request_headers": {},
    "add_response_headers": {"x-own": "1"},
    "circuit_breakers": [],
    "cluster_idle_timeout_ms": 0,
    "cluster_max_connection_lifetime_ms": 9,
    "cors": {"origins": "https://own.com"},
    "enable_ipv4": True,
    "enable_ipv6": False,
    "error_response_overrides": [],
    "keepalive": {},
    "load_balancer": {"policy": "round_robin"},
    "remove_request_headers": [],
    "remove_response_headers": "x-own",
    "resolver": "kubernetes-service",
    "retry_policy": {"retry_on": "reset"},
    "stats_name": "own",
    "timeout_ms": 0,
}


def completed(gateway: Gateway, **attributes: object) -> Completed:
    return complete(mapping("m", **attributes), gateway)


@pytest.fixture(scope="module")
def generous() -> Gateway:
    return module(**EVERY_DEFAULT)


def test_every_default_reaches_a_mapping_that_says_nothing(generous: Gateway) -> None:
    assert not generous.problems
    bare, full = mapping("m"), completed(generous).mapping
    changed = {name for name in Mapping.model_fields if getattr(bare, name) != getattr(full, name)}
    assert changed == set(OWN)
    assert (full.timeout_ms, full.stats_name, full.resolver) == (3, "everybody", "endpoint")


@pytest.mark.parametrize("name", OWN)
def test_what_a_mapping_says_itself_stays(generous: Gateway, name: str) -> None:
    own = mapping("m", **{name: OWN[name]})
    assert getattr(complete(own, generous).mapping, name) == getattr(own, name)


def test_the_very_same_mapping_is_given_back_where_nothing_changes(generous: Gateway) -> None:
    for gateway, own in ((build_gateway(POLICY), mapping("m")), (generous, mapping("m", **OWN))):
        assert complete(own, gateway).mapping is own


def test_completing_twice_changes_nothing(generous: Gateway) -> None:
    once = completed(generous).mapping
    assert complete(once, generous).mapping is once


# Resolvers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("endpoint", "endpoint"),
        ("kubernetes-endpoint", "endpoint"),
        ("kubernetes-service", "kubernetes-service"),
        ("pods", "endpoint"),
        ("names", "kubernetes-service"),
    ],
)
def test_a_resolver_is_settled(asked: str, found: str) -> None:
    own = (resource("KubernetesEndpointResolver", "pods"), resource("KubernetesServiceResolver", "names"))
    done = completed(build_gateway(POLICY, *own), resolver=asked)
    assert (done.mapping.resolver, done.faults) == (found, ())


def test_no_resolver_stays_none() -> None:
    assert completed(build_gateway(POLICY)).mapping.resolver is None


def test_where_dns_cannot_be_asked_endpoints_are() -> None:
    assert (
        completed(build_gateway(TenancyPolicy.laptop()), resolver="kubernetes-service").mapping.resolver == "endpoint"
    )


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("consul", "resolver-not-served", "Consul"),
        ("consul-endpoint", "resolver-not-served", "Consul"),
        ("dc1", "resolver-not-served", "Consul"),
        ("kubernetes-services", "unknown-resolver", "did you mean kubernetes-service?"),
    ],
)
def test_a_resolver_that_is_none_refuses_the_mapping(asked: str, code: str, words: str) -> None:
    gateway = build_gateway(POLICY, resource("ConsulResolver", "dc1", datacenter="dc1"))
    (fault,) = completed(gateway, resolver=asked).faults
    assert (fault.code, fault.path, fault.severity) == (code, "resolver", Severity.ERROR)
    assert words in fault.message


def test_a_default_balancer_is_not_for_services_of_one_address() -> None:
    gateway = module(load_balancer={"policy": "maglev", "source_ip": True})
    assert completed(gateway).mapping.load_balancer is not None
    assert completed(gateway, resolver="endpoint").mapping.load_balancer is not None
    assert completed(gateway, resolver="kubernetes-service").mapping.load_balancer is None


# Limits by name ---------------------------------------------------------------------------------------------------


def test_limits_by_name_are_what_they_name() -> None:
    gateway = build_gateway(
        POLICY, resource("CircuitBreaker", "b", max_retries=1), resource("OutlierDetection", "o", interval_ms=5)
    )
    done = completed(gateway, circuit_breaker="b", outlier_detection="o")
    assert done.faults == ()
    assert done.mapping.circuit_breaker is None
    assert done.mapping.circuit_breakers == (Limits(max_retries=1),)
    assert done.mapping.outlier_detection == OutlierLimits(interval_ms=5)


def test_limits_by_a_name_nobody_has_are_told_and_the_mapping_is_served() -> None:
    gateway = build_gateway(POLICY, resource("CircuitBreaker", "slow"), resource("OutlierDetection", "weak"))
    done = completed(gateway, circuit_breaker="slwo", outlier_detection="week")
    assert [(fault.code, fault.path, fault.severity) for fault in done.faults] == [
        ("unknown-limits", "circuit_breaker", Severity.WARNING),
        ("unknown-limits", "outlier_detection", Severity.WARNING),
    ]
    assert done.faults[0].message.endswith("did you mean slow?")
    assert (done.mapping.circuit_breaker, done.mapping.outlier_detection) == (None, None)


def test_a_mappings_own_limits_beat_those_it_names_and_both_beat_the_default() -> None:
    gateway = build_gateway(
        POLICY,
        resource("CircuitBreaker", "b", max_retries=1),
        resource("Module", config={"circuit_breakers": [{"max_retries": 2}]}),
    )
    inline = completed(gateway, circuit_breaker="b", circuit_breakers=[{"max_retries": 3}]).mapping
    named, silent = completed(gateway, circuit_breaker="b").mapping, completed(gateway).mapping
    assert [each.circuit_breakers[0].max_retries for each in (inline, named, silent)] == [3, 1, 2]


# Labels -----------------------------------------------------------------------------------------------------------

_LABELS = {"ambassador": [{"one": ["a"]}, {"two": ["b", "c"]}]}


def test_default_labels_stand_before_those_of_every_group() -> None:
    done = completed(module(default_labels={"ambassador": {"defaults": ["first"]}}), labels=_LABELS)
    groups = [
        [label.generic_key.value for label in labels if label.generic_key]
        for group in done.mapping.labels["ambassador"]
        for labels in group.values()
    ]
    assert groups == [["first", "a"], ["first", "b", "c"]]


def test_without_defaults_labels_are_left_alone() -> None:
    own = mapping("m", labels=_LABELS)
    assert complete(own, build_gateway(POLICY)).mapping is own


def test_rules_of_v0_get_no_default_labels() -> None:
    own = mapping("m", rate_limits=[{"descriptor": "d"}])
    assert complete(own, module(default_labels={"ambassador": {"defaults": ["first"]}})).mapping is own


# Expressions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"prefix": "/[a-z]{40}", "prefix_regex": True}, "prefix"),
        ({"regex_headers": {"x-a": "[a-z]{40}"}}, "x-a"),
        ({"regex_rewrite": {"pattern": "[a-z]{40}", "substitution": ""}}, "regex_rewrite"),
    ],
)
def test_the_modules_bound_for_expressions_holds(attributes: dict[str, object], path: str) -> None:
    assert [(fault.code, fault.path) for fault in completed(module(regex_max_size=20), **attributes).faults] == [
        ("bad-regex", path)
    ]
    assert completed(module(regex_max_size=500), **attributes).faults == ()


def test_a_prefix_that_is_no_expression_has_no_size() -> None:
    assert completed(module(regex_max_size=1)).faults == ()


# In the whole -----------------------------------------------------------------------------------------------------


def test_a_compiled_route_carries_the_mapping_as_it_holds() -> None:
    config: dict[str, object] = {"apiVersion": "ambassador/v1", "kind": "Module", "name": "ambassador",
              "config": {"cluster_request_timeout_ms": 7}}  # fmt: skip
    done = compiled(service("m", "team", document("m"), config), slice_("m", "team", "10.0.0.1"))
    (route,) = done.table.routes()
    assert route.splits[0].mapping.timeout_ms == 7
    assert done.table.module.cluster_request_timeout_ms == 7
    assert not done.problems


def test_what_is_wrong_with_a_default_is_told_once_at_the_module() -> None:
    text = write_documents(
        {
            "apiVersion": "ambassador/v1",
            "kind": "Module",
            "name": "ambassador",
            "config": {"defaults": {"httpmapping": {"add_request_headers": {"x-a": {"value": "%REQ(x)%"}}}}},
        },
        document("a"),
        document("b"),
        document("own", add_request_headers={"x-b": "%REQ(x)%"}),
    )
    problems = compile_routes(read_manifests([("f.yaml", text)]), TenancyPolicy.laptop()).problems
    told = [(problem.path, problem.origin.document) for problem in problems]
    assert told == [("config.defaults.httpmapping.add_request_headers", 1), ("add_request_headers.x-b", 4)]
