"""Who speaks for everybody: what is admitted, and the Module judged once for all."""

from itertools import permutations
from typing import Any

import pytest

from kfambassador.attributes.circuit_breaking import CircuitBreaker as Limits
from kfambassador.attributes.outlier_detection import OutlierLimits
from kfambassador.problems import ObjectKey, Origin, Severity
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.meta import SourcedResource
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.secret import Secret, SecretKey
from kfambassador.resources.versions import read_resource
from kfambassador.routing.gateway import Gateway, build_gateway
from kfambassador.routing.policy import TenancyPolicy

HOME = "platform"
POLICY = TenancyPolicy(gateway_namespace=HOME)


def resource(
    kind: str, name: str = "ambassador", /, *, namespace: str = HOME, created: str = "", **fields: Any
) -> SourcedResource:
    found = read_resource({"apiVersion": "getambassador.io/v2", "kind": kind, "name": name, **fields})
    assert isinstance(found.resource, GatewayResource)
    assert not [fault for fault in found.faults if fault.severity is Severity.ERROR]
    origin = Origin(ObjectKey("Service", namespace, f"{name}-{created}"), document=1)
    return SourcedResource(found.resource, origin, namespace, created)


def module(policy: TenancyPolicy = POLICY, /, **config: Any) -> Gateway:
    return build_gateway(policy, resource("Module", config=config))


def codes(gateway: Gateway) -> dict[str, str]:
    return {problem.path: problem.code for problem in gateway.problems}


def test_without_any_word_nothing_is_said() -> None:
    gateway = build_gateway(POLICY)
    assert gateway.module is NO_MODULE
    assert (gateway.problems, gateway.defaults, gateway.labels, gateway.resolver) == ((), (), {}, None)


def test_it_counts_in_the_gateways_namespace() -> None:
    assert module(server_name="x").module == Module(name="ambassador", server_name="x")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Module", {"config": {"server_name": "x"}}),
        ("TLSContext", {}),
        ("KubernetesEndpointResolver", {}),
        ("CircuitBreaker", {}),
        ("OutlierDetection", {}),
        ("AuthService", {"auth_service": "x"}),
    ],
)
def test_in_another_namespace_it_is_left_out_and_its_author_told(kind: str, fields: dict[str, Any]) -> None:
    gateway = build_gateway(POLICY, resource(kind, namespace="tenant", **fields))
    assert (gateway.module, gateway.contexts, gateway.resolvers) == (NO_MODULE, {}, {})
    assert (gateway.circuit_breakers, gateway.outlier_detections, gateway.auth_services) == ({}, {}, ())
    (problem,) = gateway.problems
    assert (problem.code, problem.severity) == ("not-the-gateways", Severity.ERROR)
    assert HOME in problem.message
    assert "tenant" in problem.message


def test_where_no_namespace_is_the_gateways_all_are() -> None:
    gateway = build_gateway(TenancyPolicy.laptop(), resource("Module", namespace="any", config={"server_name": "x"}))
    assert gateway.module.server_name == "x"
    assert not gateway.problems


def test_what_is_for_another_gateway_is_left_out() -> None:
    gateway = build_gateway(POLICY, resource("Module", ambassador_id="other", config={"server_name": "x"}))
    assert gateway.module is NO_MODULE
    assert [(each.code, each.severity) for each in gateway.problems] == [("other-gateway", Severity.NOTICE)]


def test_what_is_for_another_gateway_takes_no_name() -> None:
    mine, other = resource("Module", created="2"), resource("Module", created="1", ambassador_id="other")
    assert [each.code for each in build_gateway(POLICY, mine, other).problems] == ["other-gateway"]


def test_of_two_with_one_name_the_elder_counts_in_any_order() -> None:
    both = (
        resource("Module", created="2020-01-02", config={"server_name": "younger"}),
        resource("Module", created="2020-01-01", config={"server_name": "elder"}),
    )
    for order in permutations(both):
        gateway = build_gateway(POLICY, *order)
        assert gateway.module.server_name == "elder"
        assert [each.code for each in gateway.problems] == ["duplicate-name"]
        assert gateway.problems[0].origin == both[0].origin


def test_two_kinds_may_share_a_name() -> None:
    gateway = build_gateway(POLICY, resource("TLSContext", "x"), resource("KubernetesEndpointResolver", "x"))
    assert not gateway.problems
    assert list(gateway.contexts) == list(gateway.resolvers) == ["x"]


def test_a_context_remembers_whose_secrets_it_names() -> None:
    assert build_gateway(POLICY, resource("TLSContext", "x")).contexts["x"].namespace == HOME


def test_secrets_are_found_by_their_keys() -> None:
    secret = Secret(SecretKey("team", "s"), certificate="c")
    assert build_gateway(POLICY, secret).secrets == {secret.key: secret}


def test_limits_of_v0_are_kept_as_what_mappings_say() -> None:
    breaker = resource("CircuitBreaker", "b", max_connections=5, max_pending=7)
    detection = resource("OutlierDetection", "o", max_ejection=10)
    gateway = build_gateway(POLICY, breaker, detection)
    assert gateway.circuit_breakers == {"b": (Limits(max_connections=5, max_pending_requests=7),)}
    assert gateway.outlier_detections == {"o": OutlierLimits(max_ejection=10)}


# The Module's defaults --------------------------------------------------------------------------------------------


def test_defaults_are_those_of_mappings() -> None:
    gateway = module(
        cluster_request_timeout_ms=5,
        retry_policy={"retry_on": "5xx"},
        defaults={"httpmapping": {"remove_request_headers": ["x-a"]}},
    )
    assert {name for name, _ in gateway.defaults} == {"timeout_ms", "retry_policy", "remove_request_headers"}
    assert dict(gateway.defaults)["timeout_ms"] == 5


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"cors": {"origins": "*", "credentials": True}}, "config.cors"),
        ({"retry_policy": {"retry_on": "whenever"}}, "config.retry_policy"),
        (
            {"defaults": {"httpmapping": {"add_request_headers": {"kubeflow-userid": "root"}}}},
            "config.defaults.httpmapping.add_request_headers",
        ),
    ],
)
def test_a_default_that_a_mapping_may_not_have_is_refused_once(config: dict[str, object], place: str) -> None:
    gateway = module(**config, cluster_request_timeout_ms=5)
    assert [name for name, _ in gateway.defaults] == ["timeout_ms"]
    assert {problem.path for problem in gateway.problems} == {place}
    assert all(problem.severity is Severity.ERROR for problem in gateway.problems)
    assert "No mapping gets this default" in gateway.problems[0].message


def test_a_default_with_a_near_word_ends_in_its_question() -> None:
    (problem,) = module(retry_policy={"retry_on": "5x"}).problems
    assert problem.message.endswith("did you mean 5xx? No mapping gets this default")


def test_default_labels_are_those_of_the_domain_that_is_asked_about() -> None:
    labels = {"ambassador": {"defaults": ["word"]}, "other": {"defaults": ["word"]}}
    gateway = module(default_labels=labels)
    assert codes(gateway) == {"config.default_labels.other": "label-domain"}
    assert len(gateway.labels["ambassador"]) == 1
    assert codes(module(default_labels=labels, default_label_domain="other")) == {
        "config.default_labels.ambassador": "label-domain"
    }


@pytest.mark.parametrize(
    ("asked", "dns", "found"),
    [
        ("endpoint", True, "endpoint"),
        ("kubernetes-endpoint", True, "endpoint"),
        ("kubernetes-service", True, "kubernetes-service"),
        ("kubernetes-service", False, "endpoint"),
        ("pods", True, "endpoint"),
        ("names", True, "kubernetes-service"),
    ],
)
def test_the_default_resolver_is_settled(asked: str, dns: bool, found: str) -> None:
    own = (resource("KubernetesEndpointResolver", "pods"), resource("KubernetesServiceResolver", "names"))
    policy = TenancyPolicy(gateway_namespace=HOME, cluster_dns=dns)
    gateway = build_gateway(policy, resource("Module", config={"resolver": asked}), *own)
    assert gateway.resolver == found
    assert not gateway.problems


@pytest.mark.parametrize(
    ("asked", "code"),
    [("consul", "resolver-not-served"), ("dc1", "resolver-not-served"), ("endpoints", "unknown-resolver")],
)
def test_a_default_resolver_that_is_none_is_refused_once(asked: str, code: str) -> None:
    consul = resource("ConsulResolver", "dc1", datacenter="dc1")
    gateway = build_gateway(POLICY, resource("Module", config={"resolver": asked}), consul)
    assert gateway.resolver is None
    assert gateway.module.resolver is None
    assert codes(gateway) == {"config.resolver": code}


# What only the platform's owner may allow, and what is told ---------------------------------------------------------


def test_a_script_is_run_only_by_the_settings_word() -> None:
    refused = module(lua_scripts="function envoy_on_request(handle) end")
    assert refused.module.lua_scripts is None
    assert codes(refused) == {"config.lua_scripts": "lua-not-allowed"}
    allowed = module(TenancyPolicy(gateway_namespace=HOME, lua_scripts=True), lua_scripts="x")
    assert allowed.module.lua_scripts == "x"
    assert not allowed.problems


@pytest.mark.parametrize(
    ("option", "value", "harmless"),
    [
        ("allow_chunked_length", True, False),
        ("headers_with_underscores_action", "ALLOW", "DROP_HEADER"),
        ("merge_slashes", False, True),
        ("reject_requests_with_escaped_slashes", False, True),
        ("use_remote_address", False, True),
    ],
)
def test_a_protection_that_is_taken_away_is_told(option: str, value: object, harmless: object) -> None:
    gateway = module(**{option: value})
    assert getattr(gateway.module, option) == value
    assert codes(gateway) == {f"config.{option}": "hardening-off"}
    assert gateway.problems[0].severity is Severity.NOTICE
    assert not module(**{option: harmless}).problems


@pytest.mark.parametrize(
    ("config", "right"),
    [
        ({"envoy_log_format": {"a": "b"}}, False),
        ({"envoy_log_type": "text", "envoy_log_format": {"a": "b"}}, False),
        ({"envoy_log_type": "json", "envoy_log_format": "b"}, False),
        ({"envoy_log_type": "json", "envoy_log_format": {"a": "b"}}, True),
        ({"envoy_log_type": "typed_json"}, True),
        ({"envoy_log_format": "b"}, True),
    ],
)
def test_a_format_of_the_log_is_of_its_type(config: dict[str, object], right: bool) -> None:
    gateway = module(**config)
    assert codes(gateway) == ({} if right else {"config.envoy_log_format": "wrong-type"})
    assert right or gateway.module.envoy_log_format is None


def test_a_larger_bound_for_expressions_than_envoys_is_told() -> None:
    assert codes(module(regex_max_size=1001)) == {"config.regex_max_size": "out-of-range"}
    assert not module(regex_max_size=1000).problems


def test_a_balancer_for_services_of_one_address_is_told() -> None:
    balancer = {"policy": "round_robin"}
    assert codes(module(load_balancer=balancer, resolver="kubernetes-service")) == {"config.load_balancer": "no-effect"}
    assert not module(load_balancer=balancer, resolver="endpoint").problems
