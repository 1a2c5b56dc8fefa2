"""The HTTP filters every request passes, in order.

The chain is the same whatever people publish: a filter that only some routes need is in it for all, and is switched
route by route. So a mapping never changes the listener, and publishing a model never drains a connection.
"""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from typing import Final

from kfambassador.envoy.authorization import build_ext_authz
from kfambassador.envoy.custom_responses import build_custom_response
from kfambassador.envoy.module_filters import build_doors, build_optional
from kfambassador.envoy.protos import (
    RBAC,
    AnyMessage,
    Cors,
    CorsPolicy,
    CustomResponse,
    ExtAuthzPerRoute,
    HttpFilter,
    Message,
    Router,
    pack,
)
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.routing.model import Authorization

#: Requests that no route may have, by a pseudo-header and what it then holds; the answer is 403.
REFUSED: Final = (
    (":method", {"exact": "TRACE"}),  # hands cookies and credentials back as a body
    (":authority", {"contains": ","}),  # two Host headers: we would route by one, a backend answer for the other
    (":authority", {"contains": "@"}),  # a user before the host: the same game
)

#: What makes each filter's options on a route: mostly their message itself.
_ROUTE_OPTIONS: Final[Dict[str, Callable[..., Message]]] = {
    "envoy.filters.http.cors": CorsPolicy,
    "envoy.filters.http.custom_response": build_custom_response,
    "envoy.filters.http.ext_authz": ExtAuthzPerRoute,
}


def build_filters(module: Module = NO_MODULE, authorization: Authorization | None = None) -> list[HttpFilter]:
    """Build the chain, first filter first; the router, which ends the chain, is last.

    Args:
        module: What the gateway's owner asked for; mappings have no say.
        authorization: Whom to ask whether a request may pass; None asks nobody.

    Example:
        >>> [filter.name.removeprefix("envoy.filters.http.") for filter in build_filters()]
        ['rbac', 'cors', 'custom_response', 'router']
    """
    # Clients have no business with x-envoy-upstream-service-time and its like.
    router = Router(suppress_envoy_headers=module.suppress_envoy_headers is not False)
    asking = {"envoy.filters.http.ext_authz": build_ext_authz(authorization)} if authorization else {}
    chain = {
        "envoy.filters.http.rbac": _refuse(),
        **build_doors(module),
        # Before anything that could turn a preflight away: browsers send it without credentials.
        "envoy.filters.http.cors": Cors(),
        "envoy.filters.http.custom_response": CustomResponse(),
        **asking,
        **build_optional(module),
        "envoy.filters.http.router": router,
    }
    return [HttpFilter(name=name, typed_config=pack(config)) for name, config in chain.items()]


def pack_route_options(name: str, options: Dict[str, object]) -> AnyMessage:
    """Pack what a filter does on one route.

    Args:
        name: The filter's name in the chain.
        options: The fields of its message for routes; bodies by status for ``custom_response``.
    """
    # Maps are written in one order, so that the same options are the same bytes.
    return pack(_ROUTE_OPTIONS[name](**options), deterministic=True)


def _refuse() -> RBAC:
    """Refuse what Envoy itself would pass on, whoever sends it."""
    matches = [{"header": {"name": name, "string_match": match}} for name, match in REFUSED]
    policy = {"permissions": matches, "principals": [{"any": True}]}
    return RBAC(rules={"action": "DENY", "policies": {"refused": policy}})
