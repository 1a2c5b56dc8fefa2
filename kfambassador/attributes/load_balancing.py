"""Which of the service's endpoints gets a request."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kfambassador.attributes.base import (
    Attributes,
    ClusterDraft,
    Duration,
    HeaderName,
    HeaderText,
    Part,
    RouteDraft,
    Scope,
    milliseconds,
)

if TYPE_CHECKING:
    from kfambassador.envoy.protos import Message

#: Policies that send requests with the same key to the same endpoint.
HASHING = frozenset({"ring_hash", "maglev"})

# Envoy's Cluster.LbPolicy, by number, because attribute files import no protobuf.
_POLICIES = {"round_robin": 0, "least_request": 1, "ring_hash": 2, "maglev": 5}


class HashCookie(Part):
    """A cookie that keeps a client with its endpoint."""

    name: Annotated[HeaderName, Field(description="The cookie's name.")]
    path: Annotated[HeaderText | None, Field(description="The path of a cookie that is made.")] = None
    ttl: Annotated[
        Duration | None,
        Field(
            description="How long a cookie lives that is made for clients without one, such as 60s; 0s for a session. "
            "None is made when absent."
        ),
    ] = None


class LoadBalancer(Part):
    """A policy and, for those that hash, the one thing that is hashed."""

    policy: Annotated[
        Literal["round_robin", "least_request", "ring_hash", "maglev"],
        Field(description="round_robin, least_request, ring_hash or maglev."),
    ]
    cookie: Annotated[HashCookie | None, Field(description="Hash a cookie: {name, path, ttl}.")] = None
    header: Annotated[HeaderName | None, Field(description="Hash a header of this name.")] = None
    source_ip: Annotated[bool | None, Field(description="Hash the client's address.")] = None

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        keys = sum(map(bool, (self.cookie, self.header, self.source_ip)))
        if self.policy in HASHING and keys != 1:
            message = "exactly one of cookie, header and source_ip with policy {policy}"
            raise PydanticCustomError("hash_key", message, {"policy": self.policy})
        if self.policy not in HASHING and keys:
            message = "none of cookie, header and source_ip with policy {policy}"
            raise PydanticCustomError("hash_key", message, {"policy": self.policy})
        return self


class LoadBalancing(Attributes, frozen=True):
    """Which of the service's endpoints gets a request (Ambassador, "Load balancing")."""

    scope: ClassVar[Scope] = Scope.CLUSTER

    load_balancer: Annotated[
        LoadBalancer | None,
        Field(
            description="Which endpoint gets a request: {policy}; for ring_hash and maglev with one of cookie "
            "{name, path, ttl}, header and source_ip. round_robin when absent."
        ),
    ] = None

    def on_route(self, draft: RouteDraft) -> None:
        """Say what is hashed."""
        balancer = self.load_balancer
        if balancer is None or balancer.policy not in HASHING:
            return
        key = draft.action.hash_policy.add()
        if balancer.cookie is not None:
            _set_cookie(balancer.cookie, key.cookie)
        elif balancer.header is not None:
            key.header.header_name = balancer.header
        else:
            key.connection_properties.source_ip = True

    def on_cluster(self, draft: ClusterDraft) -> None:
        """Set the policy."""
        if self.load_balancer is not None:
            draft.message.lb_policy = _POLICIES[self.load_balancer.policy]


def _set_cookie(cookie: HashCookie, key: "Message") -> None:
    key.name = cookie.name
    if cookie.path is not None:
        key.path = cookie.path
    if cookie.ttl is not None:
        key.ttl.FromMilliseconds(milliseconds(cookie.ttl) or 0)
