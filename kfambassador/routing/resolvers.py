"""How a mapping asks for its endpoints to be found: the names of resolvers, brought to the two ways there are."""

from collections.abc import Mapping as Dict
from typing import Final, NamedTuple

from kfambassador.problems import Fault, suggest
from kfambassador.resources.resolvers import ConsulResolver, KubernetesEndpointResolver, KubernetesServiceResolver
from kfambassador.routing.clusters import DNS_RESOLVER
from kfambassador.routing.policy import TenancyPolicy

Resolver = KubernetesServiceResolver | KubernetesEndpointResolver | ConsulResolver

#: What asks for Services to be found by their EndpointSlices.
ENDPOINT_RESOLVER: Final = "endpoint"

# The names that are known without a resource (Ambassador, "Resolvers"); None is Consul.
_BUILT_IN: Final[Dict[str, str | None]] = {
    DNS_RESOLVER: DNS_RESOLVER,
    ENDPOINT_RESOLVER: ENDPOINT_RESOLVER,
    "kubernetes-endpoint": ENDPOINT_RESOLVER,
    "consul": None,
    "consul-endpoint": None,
}


class SettledResolver(NamedTuple):
    """Which way endpoints are found, one of the two names; None with the fault where there is none."""

    name: str | None
    fault: Fault | None = None


def settle_resolver(asked: str, resolvers: Dict[str, Resolver], policy: TenancyPolicy) -> SettledResolver:
    """Bring a resolver's name to the way it stands for.

    Where Envoy cannot look Services up by DNS, their EndpointSlices are what is left.

    Args:
        asked: What was written.
        resolvers: The resolvers that the gateway's owner named.
        policy: Whether the cluster's DNS can be asked.

    Example:
        >>> settle_resolver("kubernetes-endpoint", {}, TenancyPolicy()).name
        'endpoint'
        >>> settle_resolver("endpoints", {}, TenancyPolicy()).fault.message
        'there is no resolver endpoints; did you mean endpoint?'
    """
    known = resolvers.get(asked)
    if known is None and asked not in _BUILT_IN:
        message = f"there is no resolver {asked}{suggest(asked, [*_BUILT_IN, *resolvers])}"
        return SettledResolver(None, Fault("unknown-resolver", message, path="resolver"))
    if isinstance(known, KubernetesServiceResolver):
        name: str | None = DNS_RESOLVER
    elif isinstance(known, KubernetesEndpointResolver):
        name = ENDPOINT_RESOLVER
    else:
        name = None if known else _BUILT_IN[asked]
    if name is None:
        message = (
            f"{asked} is a resolver of Consul's, which is not asked here; leave resolver out, and give the service's "
            "name in Kubernetes or in DNS"
        )
        return SettledResolver(None, Fault("resolver-not-served", message, path="resolver"))
    return SettledResolver(name if policy.cluster_dns else ENDPOINT_RESOLVER)
