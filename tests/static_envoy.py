"""A real Envoy with the shipped bootstrap and listener, and routes written into them instead of served over xDS."""

import socket
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from http.client import HTTPResponse

from kfambassador.envoy.bootstrap import BootstrapSettings, build_bootstrap
from kfambassador.envoy.listeners import ListenerSettings, build_listener
from kfambassador.envoy.protos import HttpConnectionManager, Listener, MessageToJson, RouteConfiguration
from kfambassador.local.background import BackgroundServer
from kfambassador.resources.module import NO_MODULE, Module


def static_bootstrap(
    bootstrap: BootstrapSettings,
    *,
    virtual_hosts: list[dict[str, object]],
    backends: Dict[str, BackgroundServer],
    listener: ListenerSettings | None = None,
    module: Module = NO_MODULE,
) -> str:
    """The first configuration of an Envoy that needs no control plane: one cluster a backend, named as its key."""
    message = build_bootstrap(bootstrap)
    message.ClearField("dynamic_resources")
    settings = listener or ListenerSettings(port=0)
    message.static_resources.listeners.append(static_listener(settings, virtual_hosts, module))
    for name, backend in backends.items():
        message.static_resources.clusters.add(**_cluster(name, backend))
    return str(MessageToJson(message))


def static_listener(
    settings: ListenerSettings, virtual_hosts: list[dict[str, object]], module: Module = NO_MODULE
) -> Listener:
    """The shipped listener with its routes inside."""
    listener = Listener.FromString(build_listener(settings, module).body)
    shipped = listener.filter_chains[0].filters[0].typed_config
    manager = HttpConnectionManager()
    shipped.Unpack(manager)
    manager.route_config.CopyFrom(RouteConfiguration(name="static", virtual_hosts=virtual_hosts))
    shipped.Pack(manager)
    return listener


def route_to(cluster: str, *, prefix: str = "/") -> dict[str, object]:
    """A route that sends a prefix to a cluster as it is."""
    return {"match": {"prefix": prefix}, "route": {"cluster": cluster}}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read off a raw connection."""

    status: int
    headers: Dict[str, str]
    body: bytes


def send_raw(address: tuple[str, int], request: bytes) -> Answer:
    """Send bytes as they are, and read the one answer; nothing on our side tidies the request up."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        answer = HTTPResponse(connection)
        try:
            answer.begin()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            answer.close()


def get(path: str, *headers: str, host: str = "gateway.example") -> bytes:
    """A GET's bytes, the target and every header line just as written."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _cluster(name: str, backend: BackgroundServer) -> dict[str, object]:
    place = {"socket_address": {"address": backend.address, "port_value": backend.port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": place}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}
