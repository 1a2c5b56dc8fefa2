"""How the service's addresses are found."""

from typing import Annotated, ClassVar

from pydantic import Field

from kfambassador.attributes.base import Attributes, ClusterDraft, Scope

#: What dns_type may say, in lower case.
STRICT_DNS, LOGICAL_DNS = "strict_dns", "logical_dns"

# Envoy's numbers, because attribute files import no protobuf: of Cluster.DiscoveryType,
_STRICT_DNS = 1
_LOGICAL_DNS = 2
# and of Cluster.DnsLookupFamily, by whether IPv4 and IPv6 are on. What is off altogether is IPv4, as in Ambassador.
_LOOKUPS = {(True, False): 1, (False, False): 1, (True, True): 0, (False, True): 2}


class Discovery(Attributes, frozen=True):
    """How the service's addresses are found. All but ``resolver`` is for services that are looked up by DNS."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    resolver: Annotated[
        str | None,
        Field(
            min_length=1,
            description="How the endpoints are found: endpoint by EndpointSlices, kubernetes-service by DNS, or the "
            "name of a resolver. EndpointSlices for Services of the cluster when absent.",
        ),
    ] = None
    dns_type: Annotated[
        str | None,
        Field(
            description="strict_dns: every address DNS gives is used, and those it no longer gives are left. "
            "logical_dns: one address at a time for new connections. strict_dns when absent."
        ),
    ] = None
    respect_dns_ttl: Annotated[
        bool, Field(description="Look the name up again when DNS's answer expires, rather than every five seconds.")
    ] = False
    enable_ipv4: Annotated[bool | None, Field(description="Use IPv4 addresses; true when absent.")] = None
    enable_ipv6: Annotated[bool | None, Field(description="Use IPv6 addresses; false when absent.")] = None

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Say how DNS is asked, where it is."""
        if draft.message.type != _STRICT_DNS:
            return
        if self.dns_type is not None and self.dns_type.lower() == LOGICAL_DNS:
            draft.message.type = _LOGICAL_DNS
        if self.respect_dns_ttl:
            draft.message.respect_dns_ttl = True
        draft.message.dns_lookup_family = _LOOKUPS[self.enable_ipv4 is not False, self.enable_ipv6 is True]
