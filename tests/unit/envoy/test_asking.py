"""The listener that is asked: the gateway's own up to where a route is chosen, and nothing behind that."""

from pathlib import PurePath

from kfambassador.envoy.asking import ASKING, build_asking_listener
from kfambassador.envoy.listeners import LISTENER, ListenerSettings, build_listener
from kfambassador.envoy.protos import HttpConnectionManager, Listener
from kfambassador.envoy.snapshot import TypeUrl
from kfambassador.envoy.translate import translate
from kfambassador.resources.module import Module
from kfambassador.routing.model import RoutingTable

SOCKET = PurePath("/run/kfa/ask.sock")
SETTINGS = ListenerSettings(asking_socket=SOCKET)
MODULE = Module.model_validate({"name": "ambassador", "use_proxy_proto": True, "merge_slashes": False})

#: What may differ: what comes behind the choice of a route, and by what name it is counted.
DIFFERENT = ("stat_prefix", "http_filters", "local_reply_config", "access_log")


def manager_of(listener: Listener) -> HttpConnectionManager:
    manager = HttpConnectionManager()
    listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
    return manager


def both(module: Module) -> tuple[Listener, Listener]:
    listener = build_listener(SETTINGS, module)
    return Listener.FromString(listener.body), Listener.FromString(build_asking_listener(listener, SOCKET).body)


def test_whatever_touches_a_request_before_its_route_is_the_same() -> None:
    ours, asking = map(manager_of, both(MODULE))
    assert (ours.merge_slashes, asking.merge_slashes) == (False, False)
    for name in DIFFERENT:
        ours.ClearField(name)
        asking.ClearField(name)
    assert ours == asking


def test_it_is_a_socket_of_its_owner_alone_and_expects_no_proxy() -> None:
    _, asking = both(MODULE)
    assert (asking.address.pipe.path, asking.address.pipe.mode) == (str(SOCKET), 0o600)
    assert not asking.listener_filters


def test_every_request_is_refused_before_it_is_routed() -> None:
    _, asking = both(MODULE)
    filters = [each.name for each in manager_of(asking).http_filters]
    assert filters == ["envoy.filters.http.rbac", ASKING, "envoy.filters.http.router"]
    assert manager_of(asking).local_reply_config.body_format.json_format["route"] == "%ROUTE_NAME%"


def test_it_is_there_where_it_has_a_place() -> None:
    table = RoutingTable(module=MODULE)
    assert list(translate(table, SETTINGS).of_type(TypeUrl.LISTENER)) == [LISTENER, ASKING]
    assert list(translate(table, ListenerSettings()).of_type(TypeUrl.LISTENER)) == [LISTENER]
