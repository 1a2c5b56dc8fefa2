"""The HTTP filters every request passes, in order.

The chain is the same whatever people publish: a filter that only some routes need is in it for all, and is switched
route by route. So a mapping never changes the listener, and publishing a model never drains a connection.
"""

from kfambassador.envoy.protos import HttpFilter, Router, pack


def build_filters() -> list[HttpFilter]:
    """Build the chain, first filter first; the router, which ends the chain, is last.

    Example:
        >>> [filter.name for filter in build_filters()]
        ['envoy.filters.http.router']
    """
    chain = {
        # Clients have no business with x-envoy-upstream-service-time and its like.
        "envoy.filters.http.router": Router(suppress_envoy_headers=True),
    }
    return [HttpFilter(name=name, typed_config=pack(config)) for name, config in chain.items()]
