"""The HTTP filters every request passes, in order.

The chain is the same whatever people publish: a filter that only some routes need is in it for all, and is switched
route by route. So a mapping never changes the listener, and publishing a model never drains a connection.
"""

from typing import Final

from kfambassador.envoy.protos import RBAC, HttpFilter, Router, pack

#: Requests that no route may have, by a pseudo-header and what it then holds; the answer is 403.
REFUSED: Final = (
    (":method", {"exact": "TRACE"}),  # hands cookies and credentials back as a body
    (":authority", {"contains": ","}),  # two Host headers: we would route by one, a backend answer for the other
    (":authority", {"contains": "@"}),  # a user before the host: the same game
)


def build_filters() -> list[HttpFilter]:
    """Build the chain, first filter first; the router, which ends the chain, is last.

    Example:
        >>> [filter.name for filter in build_filters()]
        ['envoy.filters.http.rbac', 'envoy.filters.http.router']
    """
    chain = {
        "envoy.filters.http.rbac": _refuse(),
        # Clients have no business with x-envoy-upstream-service-time and its like.
        "envoy.filters.http.router": Router(suppress_envoy_headers=True),
    }
    return [HttpFilter(name=name, typed_config=pack(config)) for name, config in chain.items()]


def _refuse() -> RBAC:
    """Refuse what Envoy itself would pass on, whoever sends it."""
    matches = [{"header": {"name": name, "string_match": match}} for name, match in REFUSED]
    policy = {"permissions": matches, "principals": [{"any": True}]}
    return RBAC(rules={"action": "DENY", "policies": {"refused": policy}})
