"""Resolvers: how the endpoints of a mapping's service are found."""

from typing import ClassVar

from kfambassador.resources.gateway import GatewayResource


class KubernetesServiceResolver(GatewayResource, frozen=True):
    """By the Service's DNS name: one address, behind which the cluster itself spreads requests."""

    noun: ClassVar[str] = "a KubernetesServiceResolver"


class KubernetesEndpointResolver(GatewayResource, frozen=True):
    """By the Service's EndpointSlices: Envoy knows every pod."""

    noun: ClassVar[str] = "a KubernetesEndpointResolver"


class ConsulResolver(GatewayResource, frozen=True):
    """By Consul. Read so that mappings naming it can be told, and not served."""

    noun: ClassVar[str] = "a ConsulResolver"

    address: str | None = None
    datacenter: str
