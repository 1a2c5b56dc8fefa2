"""The listener: what it asks for, and that nothing but its settings changes it. Its hardening is proved on a real
Envoy in tests/e2e/test_hardening.py."""

import re
import subprocess
from datetime import timedelta

import pytest

from kfambassador.attributes.base import LONGEST_MS
from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap
from kfambassador.envoy.filters import build_filters
from kfambassador.envoy.listeners import LISTENER, ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.protos import EarlyHeaderMutation, HttpConnectionManager, Listener, MessageToJson
from kfambassador.local.envoy_process import find_envoy, private_directory
from kfambassador.names import HEARSAY_HEADERS
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.log_format import HEADER_OPERATORS, PLAIN_OPERATORS
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.resources.module_filters import FilterOptions
from kfambassador.resources.module_listener import LARGEST_HEADERS_KB, MOST, MOST_HOPS, ListenerOptions


def read(settings: ListenerSettings, module: Module = NO_MODULE) -> tuple[Listener, HttpConnectionManager]:
    listener = Listener.FromString(build_listener(settings, module).body)
    manager = HttpConnectionManager()
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
    return listener, manager


def test_it_listens_on_the_loopback_unless_told_otherwise() -> None:
    listener, _ = read(ListenerSettings())
    assert listener.address.socket_address.address == "127.0.0.1"
    assert listener.address.socket_address.port_value == 8080


def test_its_resource_is_named_as_the_listener_is() -> None:
    listener, _ = read(ListenerSettings())
    assert build_listener(ListenerSettings()).name == listener.name == LISTENER


def test_its_routes_come_apart_from_it() -> None:
    _, manager = read(ListenerSettings())
    assert manager.WhichOneof("route_specifier") == "rds"
    assert manager.rds.route_config_name == ROUTES
    assert manager.rds.config_source.HasField("ads")


def test_the_router_ends_the_chain() -> None:
    _, manager = read(ListenerSettings())
    names = [entry.name for entry in manager.http_filters]
    assert names == [entry.name for entry in build_filters()]
    assert names[-1] == "envoy.filters.http.router"


def test_no_upgrade_is_allowed() -> None:
    _, manager = read(ListenerSettings())
    assert not manager.upgrade_configs


@pytest.mark.parametrize(
    "changed",
    [
        ListenerSettings(address="0.0.0.0"),
        ListenerSettings(port=0),
        ListenerSettings(headers_timeout=timedelta(seconds=1)),
        ListenerSettings(idle_timeout=timedelta(seconds=1)),
        ListenerSettings(concurrent_streams=7),
        ListenerSettings(connection_buffer=4096),
    ],
)
def test_every_setting_changes_the_version_and_nothing_else_does(changed: ListenerSettings) -> None:
    default = build_listener(ListenerSettings())
    assert build_listener(ListenerSettings()) == default
    assert build_listener(changed).version != default.version


# What a Module changes ----------------------------------------------------------------------------------------------

_HARDENED = {
    "merge_slashes": True,
    "reject_requests_with_escaped_slashes": True,
    "headers_with_underscores_action": "REJECT_REQUEST",
    "use_remote_address": True,
    "suppress_envoy_headers": True,
}
_CHANGED = {
    "allow_chunked_length": True,
    "buffer": {"max_request_bytes": 10},
    "buffer_limit_bytes": 1,
    "enable_grpc_http11_bridge": True,
    "enable_grpc_web": True,
    "enable_http10": True,
    "envoy_log_format": "x",
    "envoy_log_path": "/dev/stderr",
    "envoy_log_type": "json",
    "forward_client_cert_details": "FORWARD_ONLY",
    "grpc_stats": {"all_methods": True},
    "gzip": {},
    "headers_with_underscores_action": "ALLOW",
    "ip_allow": ({"peer": "10.0.0.0/8"},),
    "ip_deny": ({"remote": "10.0.0.0/8"},),
    "listener_idle_timeout_ms": 0,
    "lua_scripts": "function envoy_on_request(handle) end",
    "max_request_headers_kb": 1,
    "merge_slashes": False,
    "preserve_external_request_id": True,
    "proper_case": True,
    "reject_requests_with_escaped_slashes": False,
    "server_name": "x",
    "set_current_client_cert_details": {"subject": False, "uri": True},
    "suppress_envoy_headers": False,
    "use_proxy_proto": True,
    "use_remote_address": False,
    "x_forwarded_proto_redirect": True,
    "xff_num_trusted_hops": 1,
}
OPTIONS = {*ListenerOptions.model_fields, *FilterOptions.model_fields} - {*GatewayResource.model_fields}


def module(**options: object) -> Module:
    return Module.model_validate({"name": "ambassador", **options})


def test_every_option_about_the_listener_is_tried_here() -> None:
    assert set(_CHANGED) == OPTIONS


@pytest.mark.parametrize("option", _CHANGED)
def test_every_option_changes_the_listener(option: str) -> None:
    changed = module(**{option: _CHANGED[option]})
    assert build_listener(ListenerSettings(), changed).version != build_listener(ListenerSettings()).version


@pytest.mark.parametrize("option", _HARDENED)
def test_the_gateways_own_hardening_is_what_an_absent_option_leaves(option: str) -> None:
    said = module(**{option: _HARDENED[option]})
    assert build_listener(ListenerSettings(), said) == build_listener(ListenerSettings())


def test_no_default_of_mappings_changes_the_listener() -> None:
    defaults = module(cluster_request_timeout_ms=1, enable_ipv6=True, resolver="endpoint", default_label_domain="x")
    assert build_listener(ListenerSettings(), defaults) == build_listener(ListenerSettings())


def test_the_same_options_are_the_same_bytes_in_any_order() -> None:
    forms = ({"a": "1", "b": "2", "c": "3"}, {"c": "3", "a": "1", "b": "2"})
    one, other = (module(envoy_log_type="json", envoy_log_format=form) for form in forms)
    assert build_listener(ListenerSettings(), one) == build_listener(ListenerSettings(), other)


@pytest.mark.parametrize("name", [*HEARSAY_HEADERS, "x-envoy-internal", "x-original-host"])
def test_hearsay_is_hearsay_with_underscores_too_where_they_are_let_through(name: str) -> None:
    spellings = {name.replace("-", "_"), name.replace("-", "_", 1), name}
    assert spellings == {
        each for each in spellings if is_stripped(each, module(headers_with_underscores_action="ALLOW"))
    }
    assert not is_stripped("x_user", module(headers_with_underscores_action="ALLOW"))


def is_stripped(header: str, by: Module) -> bool:
    _, manager = read(ListenerSettings(), by)
    (extension,) = manager.early_header_mutation_extensions
    mutation = EarlyHeaderMutation()
    extension.typed_config.Unpack(mutation)
    for each in mutation.mutations:
        matcher = each.remove_on_match.key_matcher
        if each.remove == header or (matcher.prefix and header.startswith(matcher.prefix)):
            return True
        if matcher.safe_regex.regex and re.fullmatch(matcher.safe_regex.regex, header):
            return True
    return False


@pytest.mark.e2e
def test_envoy_takes_every_option_and_all_of_them_together() -> None:
    everything = module(**(_CHANGED | {"envoy_log_format": None}))
    modules = [everything, *(module(**{name: value}) for name, value in _CHANGED.items())]
    extremes = {
        "buffer_limit_bytes": MOST,
        "gzip": {"memory_level": 9, "window_bits": 9, "compression_level": "SPEED", "compression_strategy": "HUFFMAN",
                 "min_content_length": 0, "content_type": ("a/b",), "disable_on_etag_header": True,
                 "remove_accept_encoding_header": True},
        "grpc_stats": {"services": ({"name": "a.B", "method_names": ("C",)},)},
        "ip_allow": (),
        "listener_idle_timeout_ms": LONGEST_MS,
        "max_request_headers_kb": LARGEST_HEADERS_KB,
        "xff_num_trusted_hops": MOST_HOPS,
    }  # fmt: skip
    refusal = validate(*modules, *(module(**{name: value}) for name, value in extremes.items()))
    assert refusal == ""


@pytest.mark.e2e
def test_envoy_takes_every_operator_of_the_log_and_refuses_others() -> None:
    operators = " ".join(
        [*(f"%{name}%" for name in sorted(PLAIN_OPERATORS)), *(f"%{name}(x?y):9%" for name in sorted(HEADER_OPERATORS))]
    )
    assert validate(module(envoy_log_format=f"{operators} %START_TIME(%Y %s %z)% 100%%")) == ""
    unknown = module().model_copy(update={"envoy_log_format": "%NONSENSE%"})
    assert "NONSENSE" in validate(unknown)


def validate(*modules: Module) -> str:
    """What Envoy says against listeners with these options; "" when it takes them."""
    with private_directory() as directory:
        bootstrap = build_bootstrap(BootstrapSettings(directory))
        for number, each in enumerate(modules):
            listener, _ = read(ListenerSettings(port=0), each)
            listener.name = str(number)
            bootstrap.static_resources.listeners.append(listener)
        config = directory / "envoy.json"
        config.write_text(MessageToJson(bootstrap))
        command = [str(find_envoy()), "--mode", "validate", "--config-path", str(config), "--log-level", "error"]
        judged = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if judged.returncode == 0 else judged.stderr + judged.stdout
