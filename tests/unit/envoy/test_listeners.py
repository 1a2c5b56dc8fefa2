"""The listener: what it asks for, and that nothing but its settings changes it. Its hardening is proved on a real
Envoy in tests/e2e/test_hardening.py."""

from datetime import timedelta

import pytest

from kfambassador.envoy.filters import build_filters
from kfambassador.envoy.listeners import LISTENER, ROUTES, ListenerSettings, build_listener
from kfambassador.envoy.protos import HttpConnectionManager, Listener


def read(settings: ListenerSettings) -> tuple[Listener, HttpConnectionManager]:
    listener = Listener.FromString(build_listener(settings).body)
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
