"""The Module: every option of Ambassador's is known, and what is wrong with one leaves the others as they are."""

import re
from typing import Any, get_args

import pytest

from kfambassador.attributes.timeouts import Timeouts
from kfambassador.problems import Fault, Severity
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.log_format import HEADER_OPERATORS, PLAIN_OPERATORS, check_format
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.module_defaults import HttpDefaults
from kfambassador.resources.versions import read_resource

# Every option the Module ``ambassador`` ever had (Ambassador, "The Ambassador Module").
EVERY_OPTION = re.findall(
    r"\w+",
    """
add_linkerd_headers admin_port allow_chunked_length auth_enabled buffer buffer_limit_bytes circuit_breakers
cluster_idle_timeout_ms cluster_max_connection_lifetime_ms cluster_request_timeout_ms cors retry_policy load_balancer
resolver keepalive debug_mode default_label_domain default_labels defaults diagnostics liveness_probe readiness_probe
diag_port enable_grpc_http11_bridge enable_grpc_web grpc_stats enable_http10 enable_ipv4 enable_ipv6 envoy_log_type
envoy_log_format envoy_log_path envoy_validation_timeout error_response_overrides forward_client_cert_details
set_current_client_cert_details gzip header_case_overrides proper_case headers_with_underscores_action ip_allow ip_deny
listener_idle_timeout_ms lua_scripts max_request_headers_kb merge_slashes reject_requests_with_escaped_slashes
strip_matching_host_port preserve_external_request_id prune_unreachable_routes regex_max_size regex_type runtime_flags
server_name service_port statsd suppress_envoy_headers tls use_ambassador_namespace_for_service_resolution
use_proxy_proto use_remote_address x_forwarded_proto_redirect xff_num_trusted_hops
""",
)


def read(name: str = "ambassador", /, **config: object) -> tuple[Module | None, dict[str, Fault]]:
    document = {"apiVersion": "ambassador/v1", "kind": "Module", "name": name, "config": config}
    found = read_resource(document)  # type: ignore[arg-type]  # what YAML gives
    assert found.resource is None or isinstance(found.resource, Module)
    return found.resource, {fault.path: fault for fault in found.faults}


def hold(**config: object) -> Module:
    module, faults = read(**config)
    assert module is not None
    assert not faults
    return module


@pytest.mark.parametrize("option", EVERY_OPTION)
def test_every_option_is_known(option: str) -> None:
    assert (option in Module.model_fields) != (option in Module.ineffective)


@pytest.mark.parametrize("option", Module.ineffective)
def test_an_option_without_effect_is_taken_with_a_word_why(option: str) -> None:
    module, faults = read(**{option: {"anything": 1}, "server_name": "x"})
    assert module == Module(name="ambassador", server_name="x")
    assert [(fault.code, fault.severity) for fault in faults.values()] == [("no-effect", Severity.NOTICE)]
    assert faults[f"config.{option}"].message.startswith(f"{option} has no effect: ")


def test_a_module_that_says_nothing_is_none() -> None:
    assert hold() == NO_MODULE


@pytest.mark.parametrize(
    ("option", "near"),
    [("cluster_request_timeout", "cluster_request_timeout_ms"), ("merge_slash", "merge_slashes")],
)
def test_an_unknown_option_is_a_problem_with_the_nearest_name(option: str, near: str) -> None:
    module, faults = read(**{option: 1, "server_name": "x"})
    assert module == Module(name="ambassador", server_name="x")
    fault = faults[f"config.{option}"]
    assert (fault.code, fault.severity) == ("unknown-option", Severity.WARNING)
    assert fault.message == f"{option} is not an option of a Module and is left out; did you mean {near}?"


@pytest.mark.parametrize(
    ("config", "place", "near"),
    [
        ({"gzip": {"memory_levl": 1}}, "config.gzip.memory_levl", "memory_level"),
        ({"defaults": {"httpmaping": {}}}, "config.defaults.httpmaping", "httpmapping"),
        (
            {"defaults": {"httpmapping": {"stat_name": "x"}}},
            "config.defaults.httpmapping.stat_name",
            "stats_name",
        ),
        ({"cors": {"origin": "*"}}, "config.cors.origin", "origins"),
        (
            {"grpc_stats": {"services": [{"name": "a", "method_name": []}]}},
            "config.grpc_stats.services[0].method_name",
            "method_names",
        ),
    ],
)
def test_so_is_one_deeper_inside_and_all_around_it_holds(config: dict[str, object], place: str, near: str) -> None:
    module, faults = read(**config)
    assert module is not None
    assert list(faults) == [place]
    assert faults[place].message.endswith(f"did you mean {near}?")
    assert getattr(module, next(iter(config))) is not None


def test_a_bad_value_leaves_out_just_its_option() -> None:
    module, faults = read(cluster_request_timeout_ms=-1, gzip={"window_bits": 16}, xff_num_trusted_hops=1)
    assert module == Module(name="ambassador", xff_num_trusted_hops=1)
    assert {path: fault.severity for path, fault in faults.items()} == {
        "config.cluster_request_timeout_ms": Severity.ERROR,
        "config.gzip.window_bits": Severity.ERROR,
    }


def test_a_bad_default_leaves_out_none_of_the_others_in_its_group() -> None:
    module, faults = read(defaults={"httpmapping": {"stats_name": 5, "remove_request_headers": "x-a"}})
    assert module is not None
    assert module.defaults is not None
    assert module.defaults.httpmapping == HttpDefaults(remove_request_headers=("x-a",))
    assert list(faults) == ["config.defaults.httpmapping.stats_name"]


@pytest.mark.parametrize("config", ["text", [1], 5])
def test_a_config_that_is_no_object_is_told_and_nothing_of_it_holds(config: object) -> None:
    document = {"apiVersion": "ambassador/v1", "kind": "Module", "name": "ambassador", "config": config}
    found = read_resource(document)  # type: ignore[arg-type]
    assert found.resource == NO_MODULE
    assert [(fault.code, fault.path) for fault in found.faults] == [("wrong-type", "config")]


def test_a_problem_stands_where_its_option_stood_in_a_custom_resource() -> None:
    document = {
        "apiVersion": "getambassador.io/v3alpha1",
        "kind": "Module",
        "metadata": {"name": "ambassador"},
        "spec": {"config": {"nonsense": 1, "xff_num_trusted_hops": "many"}},
    }
    found = read_resource(document)  # type: ignore[arg-type]
    assert {fault.path for fault in found.faults} == {"spec.config.nonsense", "spec.config.xff_num_trusted_hops"}


def test_an_option_with_nothing_behind_its_colon_is_one_left_out() -> None:
    assert hold(server_name=None, gzip=None) == NO_MODULE


# What a list of addresses holds -----------------------------------------------------------------------------------


def test_addresses_are_read_as_ranges() -> None:
    ranges = hold(ip_allow=[{"peer": "10.1.2.3/8"}, {"remote": "::1"}]).ip_allow
    assert ranges is not None
    assert [(str(each.peer), str(each.remote)) for each in ranges] == [("10.0.0.0/8", "None"), ("None", "::1/128")]


@pytest.mark.parametrize("entry", [{"peer": "10.0.0.0/33"}, {"peer": 5}, {}, "10.0.0.1", {"peer": "a", "remote": "b"}])
def test_an_address_that_is_none_lets_nobody_in_and_takes_no_other_with_it(entry: object) -> None:
    for option in ("ip_allow", "ip_deny"):
        module, faults = read(**{option: [entry, {"peer": "10.0.0.1"}, entry]})
        assert [str(each.peer) for each in getattr(module, option)] == ["10.0.0.1/32"]
        assert any(fault.severity is Severity.ERROR for fault in faults.values())


@pytest.mark.parametrize("value", [5, "10.0.0.1", [{"peer": "everybody"}]])
def test_a_list_of_who_is_let_in_that_cannot_be_read_lets_nobody_in(value: object) -> None:
    module, faults = read(ip_allow=value)
    assert module is not None
    assert module.ip_allow == ()
    assert all("only the other addresses of the list are let in" in fault.message for fault in faults.values())


# Values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "add_linkerd_headers", "cluster_idle_timeout_ms", "cluster_max_connection_lifetime_ms", "cors", "enable_ipv4",
        "enable_ipv6", "keepalive", "load_balancer", "retry_policy",
    ],
)  # fmt: skip
def test_a_default_is_what_the_attribute_by_that_name_may_be(field: str) -> None:
    default, attribute = Module.model_fields[field], Mapping.model_fields[field]
    assert get_args(default.annotation) == get_args(attribute.annotation)
    assert default.metadata == attribute.metadata


def test_the_default_timeout_is_what_a_timeout_may_be() -> None:
    default, attribute = Module.model_fields["cluster_request_timeout_ms"], Timeouts.model_fields["timeout_ms"]
    assert default.metadata == attribute.metadata


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"compression_level": "BEST"}, "BEST_COMPRESSION"),
        ({"compression_level": "SPEED"}, "BEST_SPEED"),
        ({"compression_level": "DEFAULT"}, "DEFAULT_COMPRESSION"),
        ({"compression_level": "BEST_SPEED"}, "BEST_SPEED"),
        ({"compression_strategy": "HUFFMAN"}, "HUFFMAN_ONLY"),
        ({"compression_strategy": "DEFAULT"}, "DEFAULT_STRATEGY"),
        ({"compression_strategy": "RLE"}, "RLE"),
    ],
)
def test_ambassadors_words_for_compression_are_envoys(written: dict[str, str], read: str) -> None:
    gzip = hold(gzip=written).gzip
    assert getattr(gzip, next(iter(written))) == read


@pytest.mark.parametrize(
    "config",
    [
        {"buffer": {"max_request_bytes": 0}},
        {"buffer": {}},
        {"buffer_limit_bytes": 0},
        {"max_request_headers_kb": 8193},
        {"gzip": {"memory_level": 10}},
        {"gzip": {"compression_level": "MOST"}},
        {"headers_with_underscores_action": "KEEP"},
        {"server_name": "a\nb"},
        {"server_name": "ä"},
        {"xff_num_trusted_hops": -1},
        {"load_balancer": {"policy": "maglev"}},
        {"retry_policy": {"num_retries": 1}},
        {"envoy_log_path": "/etc/passwd"},
        {"envoy_log_format": "%NONSENSE%"},
        {"envoy_log_format": {"a": "%REQ%"}},
        {"regex_max_size": 0},
        {"enable_grpc_web": "yes"},
    ],
)
def test_what_envoy_would_refuse_is_refused_here(config: dict[str, object]) -> None:
    module, faults = read(**config)
    assert module == NO_MODULE
    assert [fault.severity for fault in faults.values()] == [Severity.ERROR]
    assert next(iter(faults)).startswith(f"config.{next(iter(config))}")


@pytest.mark.parametrize(
    "form",
    [
        "plain", "100%%", "%REQ(:METHOD)% %REQ(X-A?:PATH):10% %RESP(x-b)%", "%START_TIME%",
        "%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)%", *(f"%{name}%" for name in sorted(PLAIN_OPERATORS)),
        *(f"%{name}(x)%" for name in sorted(HEADER_OPERATORS)),
    ],
)  # fmt: skip
def test_a_line_of_the_log_may_say(form: str) -> None:
    assert check_format(form) == form


@pytest.mark.parametrize("form", ["%", "100%", "%REQ%", "%REQ()%", "%REQ(a b)%", "%PROTOCOL(x)%", "%ENVIRONMENT(X)%",
                                  "%protocol%", "%START_TIME((%)%", "%REQ(a%)%"])  # fmt: skip
def test_and_may_not_say(form: str) -> None:
    with pytest.raises(ValueError, match="operators"):
        check_format(form)


# Other Modules, and other kinds -----------------------------------------------------------------------------------


def test_the_module_tls_is_told_to_do_nothing_and_so_are_its_contexts() -> None:
    module, faults = read("tls", server={"enabled": True}, client={}, upstream={"secret": "s"})
    assert module is None
    fault = faults["name"]
    assert (fault.code, fault.severity) == ("no-effect", Severity.WARNING)
    assert "TLSContext" in fault.message
    assert re.search(r"Mappings that name upstream in tls are refused", fault.message)


def test_a_module_by_another_name_is_told_to_do_nothing() -> None:
    module, faults = read("ambasador", anything=1)
    assert module is None
    assert list(faults) == ["name"]
    assert faults["name"].message.endswith("is called ambassador")


def test_the_module_authentication_is_an_authorization_service_and_leaves_no_gateway_open() -> None:
    config: Any = {
        "auth_service": "auth:3000",
        "path_prefix": "/check",
        "timeout_ms": "soon",
        "allowed_header": ["x-a"],
    }
    found = read_resource({"apiVersion": "ambassador/v0", "kind": "Module", "name": "authentication", "config": config})
    # Misread, it is there and asks nobody, so nothing passes.
    assert found.resource == AuthService(name="authentication", path_prefix="/check")
    assert {fault.path for fault in found.faults} == {"config.timeout_ms", "config.allowed_header"}


def test_an_option_beside_config_is_told_where_it_belongs() -> None:
    document: Any = {"apiVersion": "ambassador/v1", "kind": "Module", "name": "ambassador", "merge_slashes": False}
    found = read_resource(document)
    assert found.resource == NO_MODULE
    assert [(fault.path, fault.severity) for fault in found.faults] == [("merge_slashes", Severity.WARNING)]
    assert found.faults[0].message.endswith("the options of a Module stand in config")


def test_a_name_among_the_options_is_not_the_modules() -> None:
    assert read(name="x", ambassador_id="y")[0] == NO_MODULE


def test_an_authorization_service_does_not_vanish_with_its_name() -> None:
    found = read_resource({"apiVersion": "ambassador/v1", "kind": "AuthService", "auth_service": 5})
    assert isinstance(found.resource, AuthService)
    assert {fault.severity for fault in found.faults} == {Severity.ERROR}


def test_every_option_is_described() -> None:
    assert [name for name, field in Module.model_fields.items() if not field.description] == []
