"""A second listener that tells which route a request would take, and lets no request through.

Envoy itself is the judge of what Envoy does. This listener is the gateway's own in every setting that touches a
request before a route is chosen, asks for the same routes, and refuses whatever comes with an answer that says what
was chosen. It is a Unix socket in Envoy's private directory: whoever may ask is whoever may ask Envoy's admin.
"""

from pathlib import PurePath
from typing import Final

from kfambassador.envoy.protos import RBAC, AnyMessage, HttpConnectionManager, HttpFilter, Listener, Router, pack
from kfambassador.envoy.snapshot import XdsResource

#: The listener's name; its statistics are counted apart from the gateway's by it.
ASKING: Final = "explain"

#: What an answer tells, as Envoy's operators. The raw name: a mapping may give its cluster another in statistics.
ANSWER: Final = {
    "route": "%ROUTE_NAME%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "path": "%REQ(:PATH)%",
    "details": "%RESPONSE_CODE_DETAILS%",
}

#: What the names of the same are preceded by in headers.
ANSWER_PREFIX: Final = "x-kfambassador-"

_REFUSING: Final = "envoy.filters.http.rbac"
_ROUTING: Final = "envoy.filters.http.router"


def build_asking_listener(listener: XdsResource, socket: PurePath) -> XdsResource:
    """Derive it from the gateway's own listener, so that no setting of that can be forgotten.

    Args:
        listener: The listener clients connect to.
        socket: Where to listen; Envoy makes the socket, with mode 0600.

    Example:
        >>> from kfambassador.envoy.listeners import ListenerSettings, build_listener
        >>> build_asking_listener(build_listener(ListenerSettings()), PurePath("/run/envoy/explain.sock")).name
        'explain'
    """
    message = Listener.FromString(listener.body)
    message.name = ASKING
    message.address.pipe.path = str(socket)
    message.address.pipe.mode = 0o600
    # Nobody stands between the one who asks and this socket.
    del message.listener_filters[:]
    [manager] = message.filter_chains[0].filters
    manager.typed_config.CopyFrom(_refuse_all(manager.typed_config))
    return XdsResource.of(ASKING, message.SerializeToString(deterministic=True))


def _refuse_all(packed: AnyMessage) -> AnyMessage:
    manager = HttpConnectionManager()
    packed.Unpack(manager)
    manager.stat_prefix = ASKING
    refusals = [each for each in manager.http_filters if each.name == _REFUSING]
    del manager.http_filters[:]
    # Filters that ask somebody else (authorization, rate limits) must not be asked on behalf of a mere question.
    manager.http_filters.extend([*refusals, _refuse(), HttpFilter(name=_ROUTING, typed_config=pack(Router()))])
    manager.local_reply_config.CopyFrom(_tell_all())
    del manager.access_log[:]
    packed_again: AnyMessage = pack(manager, deterministic=True)
    return packed_again


def _refuse() -> HttpFilter:
    policy = {"permissions": [{"any": True}], "principals": [{"any": True}]}
    rules = {"action": "DENY", "policies": {ASKING: policy}}
    return HttpFilter(name=ASKING, typed_config=pack(RBAC(rules=rules)))


def _tell_all() -> object:
    """Tell it in the body; and in headers too, because the answer to a HEAD has no body."""
    headers = [{"header": {"key": f"{ANSWER_PREFIX}{name}", "value": value}} for name, value in ANSWER.items()]
    any_status = {"op": "GE", "value": {"default_value": 100, "runtime_key": "kfambassador.any_status"}}
    mapper = {"filter": {"status_code_filter": {"comparison": any_status}}, "headers_to_add": headers}
    local_reply = {"body_format": {"json_format": ANSWER}, "mappers": [mapper]}
    return HttpConnectionManager(local_reply_config=local_reply).local_reply_config
