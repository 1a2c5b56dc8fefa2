"""One delta stream as a state machine: requests, snapshots and time in, responses out, in an order that loses nothing.

The order, for each snapshot: **add** clusters and endpoints; **warm**: wait until the client has accepted them;
**switch** listeners and routes; **remove** what no accepted route has named for a while. A request that meets a route
before its cluster is ready, or is sent on after it is gone, is a request lost.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter

from kfambassador.envoy.protos import AnyMessage, DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource
from kfambassador.envoy.snapshot import EARLIER, Snapshot, TypeUrl, XdsResource
from kfambassador.xds.subscription import LINGER, PATIENCE, Offer, Rejection, Subscription


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How far one Envoy is.

    Attributes:
        node_id: The name it gave itself, "" before it did.
        version: Envoy's version, as it says itself: ``1.40.0``; "" when it says none.
        acknowledged: The generation of the newest snapshot it serves whole, None before the first. What only older
            ones needed may still be on its way out.
        goal: The generation it is being led to, None before the first snapshot.
        rejection: The refusal that stands, None when there is none; of several that of the newest generation, and then
            the first in the order of serving.
        unanswered: The generations it was told something of and has not answered for; no news by itself.
    """

    node_id: str = ""
    version: str = ""
    acknowledged: int | None = None
    goal: int | None = None
    rejection: Rejection | None = None
    unanswered: frozenset[int] = field(default=frozenset(), compare=False)

    @property
    def generations(self) -> frozenset[int]:
        """The generations it may yet answer for, or was the last to answer for."""
        return self.unanswered | {each for each in (self.acknowledged, self.goal) if each is not None}


class Session:
    """One delta stream.

    Each method takes the time in seconds, of any clock that does not go back, and returns the responses to send.
    Before the first snapshot there are none: an empty answer would take away what the client serves already.

    Args:
        linger: Seconds that clusters and endpoints stay after the last accepted route that named them.

    Example:
        >>> from kfambassador.envoy.snapshot import XdsResource
        >>> cluster = XdsResource.of("models", b"...")
        >>> session = Session()
        >>> session.on_snapshot(Snapshot({TypeUrl.CLUSTER: {"models": cluster}}, generation=1), now=0.0)
        []
        >>> [response] = session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER), now=0.1)
        >>> [resource.name for resource in response.resources]
        ['models']
        >>> acknowledgement = DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER, response_nonce=response.nonce)
        >>> session.on_request(acknowledgement, now=0.2), session.status.acknowledged
        ([], 1)
    """

    def __init__(self, *, linger: float = LINGER) -> None:
        self._goal: Snapshot | None = None
        self._node_id = ""
        self._version = ""
        self._acknowledged: int | None = None
        self._began: float | None = None
        self._warm: tuple[Dict[str, XdsResource], Dict[str, XdsResource]] | None = None
        self._nonces = count(1)
        self._clusters = Subscription(TypeUrl.CLUSTER, linger=linger)
        self._endpoints = Subscription(TypeUrl.ENDPOINTS, linger=linger)
        self._listeners = Subscription(TypeUrl.LISTENER)
        self._routes = Subscription(TypeUrl.ROUTE_CONFIGURATION)
        self._subscriptions = (self._clusters, self._endpoints, self._listeners, self._routes)

    @property
    def status(self) -> NodeStatus:
        """How far this Envoy is."""
        # What was refused in an earlier generation may be on its way out, and hides nothing that is refused now.
        rejections = [each.rejection for each in self._subscriptions if each.rejection is not None]
        return NodeStatus(
            node_id=self._node_id,
            version=self._version,
            acknowledged=self._acknowledged,
            goal=None if self._goal is None else self._goal.generation,
            rejection=max(rejections, key=attrgetter("generation"), default=None),
            unanswered=frozenset().union(*(each.unanswered for each in self._subscriptions)),
        )

    def on_request(self, request: DeltaDiscoveryRequest, now: float) -> list[DeltaDiscoveryResponse]:
        """The client asked for something, or answered a response, or both. A type we do not serve is ignored."""
        self._node_id = self._node_id or request.node.id
        self._version = self._version or _read_version(request)
        self._began = now if self._began is None else self._began
        subscription = next((each for each in self._subscriptions if each.type_url == request.type_url), None)
        if subscription is None:
            return []
        if request.resource_names_subscribe or request.resource_names_unsubscribe:
            self._warm = None
        if request.HasField("error_detail"):
            subscription.refuse(request.response_nonce, request.error_detail.message)
        else:
            subscription.accept(request.response_nonce)
        subscription.ask(
            subscribe=request.resource_names_subscribe,
            unsubscribe=request.resource_names_unsubscribe,
            holding=request.initial_resource_versions,
            now=now,
        )
        return self._advance(now)

    def on_snapshot(self, snapshot: Snapshot, now: float) -> list[DeltaDiscoveryResponse]:
        """There is a newer goal; what the old one still had to say is not said any more."""
        self._goal = snapshot
        return self._advance(now)

    def on_tick(self, now: float) -> list[DeltaDiscoveryResponse]:
        """Time has passed: a step held up by a client that keeps silent may go on."""
        return self._advance(now)

    def _advance(self, now: float) -> list[DeltaDiscoveryResponse]:
        """Say all that may be said now, a response a type at most, in the order in which it must be heard."""
        if self._goal is None:
            return []
        goal = self._goal
        if goal.generation == EARLIER and any(each.brought_other(goal) for each in self._subscriptions):
            # It was told something else since that was kept, and newer: it would be led back.
            return []
        # A client that has not asked for routes on this stream may well use some, of an earlier stream.
        switched = self._listeners.has_reached(goal) and self._routes.has_reached(goal)
        offers = [*self._add(goal, now, removing=switched)]
        if not switched and self._is_warm(goal, now):
            offers += self._switch(goal, now)
        self._acknowledge(goal)
        return [build_response(offer) for offer in offers]

    def _add(self, goal: Snapshot, now: float, *, removing: bool) -> Iterator[Offer]:
        """Clusters, then endpoints: a changed cluster warms anew, and for that needs its endpoints once more."""
        for offer in self._offer(self._clusters, goal, now, removing=removing):
            self._endpoints.renew({resource.name for resource in offer.added}, now)
            yield offer
        yield from self._offer(self._endpoints, goal, now, removing=removing)

    def _switch(self, goal: Snapshot, now: float) -> Iterator[Offer]:
        """Listeners, then routes: a changed listener warms anew, and for that needs its routes once more."""
        for offer in self._offer(self._listeners, goal, now, removing=True):
            self._routes.renew(goal.of_type(TypeUrl.ROUTE_CONFIGURATION), now)
            yield offer
        yield from self._offer(self._routes, goal, now, removing=True)

    def _offer(self, subscription: Subscription, goal: Snapshot, now: float, *, removing: bool) -> Iterator[Offer]:
        offer = subscription.offer(goal, removing=removing, nonce=str(next(self._nonces)), now=now)
        if offer is not None:
            yield offer

    def _is_warm(self, goal: Snapshot, now: float) -> bool:
        """Whether each cluster of the goal was accepted and has its endpoints, or was waited for long enough."""
        if not self._clusters.is_open:
            return self._is_overdue(now)
        wanted = goal.of_type(TypeUrl.CLUSTER), goal.of_type(TypeUrl.ENDPOINTS)
        if wanted == self._warm and self._clusters.has_all(goal) and self._endpoints.has_all(goal):
            # Nothing but routes or listeners changed: thousands of clusters need not be gone through for that.
            return True
        is_warm = not any(self._awaits(cluster, goal, now) for cluster in self._clusters.wanted(goal))
        self._warm = wanted if is_warm else None
        return is_warm

    def _awaits(self, cluster: XdsResource, goal: Snapshot, now: float) -> bool:
        if self._clusters.awaits(cluster, now):
            return True
        assignment = goal.of_type(TypeUrl.ENDPOINTS).get(cluster.name)
        if assignment is None:
            return False
        if self._endpoints.wants(cluster.name):
            return self._endpoints.awaits(assignment, now)
        return not self._clusters.is_overdue(cluster.name, now)

    def _is_overdue(self, now: float) -> bool:
        """Whether the client has had the time to ask for all types."""
        return self._began is not None and now >= self._began + PATIENCE

    def _acknowledge(self, goal: Snapshot) -> None:
        needed = [each for each in self._subscriptions if each.is_open or goal.of_type(each.type_url)]
        for subscription in needed:
            subscription.note(goal)
        generations = [each.generation for each in needed if each.generation is not None]
        if generations and len(generations) == len(needed):
            self._acknowledged = min(generations)


def _read_version(request: DeltaDiscoveryRequest) -> str:
    """Read what an Envoy says its version is; what is no Envoy need not say."""
    if not request.node.HasField("user_agent_build_version"):
        return ""
    version = request.node.user_agent_build_version.version
    return f"{version.major_number}.{version.minor_number}.{version.patch}"


def build_response(offer: Offer) -> DeltaDiscoveryResponse:
    """Turn an offer into the protocol's message."""
    return DeltaDiscoveryResponse(
        type_url=offer.type_url,
        nonce=offer.nonce,
        system_version_info=str(offer.goal.generation),
        resources=[
            Resource(
                name=resource.name,
                version=resource.version,
                resource=AnyMessage(type_url=offer.type_url, value=resource.body),
            )
            for resource in offer.added
        ],
        removed_resources=offer.removed,
    )
