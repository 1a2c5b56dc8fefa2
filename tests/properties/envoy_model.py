"""An Envoy reduced to what matters to a session: clusters that warm, answers it withholds, content it refuses.

A body is text: a cluster's and an assignment's is any, a route configuration's is the names of the clusters it uses.
Content with the word ``poison`` is refused.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from kfambassador.envoy.protos import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from kfambassador.envoy.snapshot import TypeUrl

ROUTES = "main"


@dataclass
class Holdings:
    """What outlives a stream.

    Attributes:
        versions: For each type, the version of each resource that was accepted.
        clusters: The clusters that requests can be sent to.
        warming: The clusters, new or changed, that have no endpoints yet.
        routes: The clusters that the route configuration in use names.
    """

    versions: dict[TypeUrl, dict[str, str]] = field(default_factory=lambda: {each: {} for each in TypeUrl})
    clusters: set[str] = field(default_factory=set)
    warming: set[str] = field(default_factory=set)
    routes: frozenset[str] = frozenset()


class EnvoyModel:
    """One Envoy on one stream; a new stream takes over the holdings of the old one.

    Attributes:
        has: What it holds.
        outbox: Requests it has written and the session has not read yet.
        faults: What the session did that loses requests or wastes work, in words.
    """

    def __init__(self, has: Holdings) -> None:
        self.has = has
        self.outbox: deque[DeltaDiscoveryRequest] = deque()
        self.faults: list[str] = []
        self._withheld: list[str] = []
        self._due_again: dict[TypeUrl, Counter[str]] = {each: Counter() for each in TypeUrl}
        # A changed cluster whose endpoints do not come goes on with those it has, after a timeout of Envoy's.
        has.warming -= has.clusters
        for type_url, names in self._subscriptions():
            self._send(type_url, resource_names_subscribe=names, initial_resource_versions=has.versions[type_url])

    def _subscriptions(self) -> Iterable[tuple[TypeUrl, list[str]]]:
        """What it asks for first, in Envoy's order."""
        yield TypeUrl.CLUSTER, ["*"]
        if self.has.clusters | self.has.warming:
            yield TypeUrl.ENDPOINTS, sorted(self.has.clusters | self.has.warming)
        yield TypeUrl.LISTENER, ["*"]
        yield TypeUrl.ROUTE_CONFIGURATION, [ROUTES]

    def receive(self, response: DeltaDiscoveryResponse) -> None:
        """Take a response in, and answer it now or, while clusters warm, later."""
        type_url = TypeUrl(response.type_url)
        self._note_repetitions(type_url, response)
        if type_url is TypeUrl.CLUSTER:
            self._due_again[TypeUrl.ENDPOINTS].update(resource.name for resource in response.resources)
        if type_url is TypeUrl.LISTENER:
            self._due_again[TypeUrl.ROUTE_CONFIGURATION].update([ROUTES])
        if any(b"poison" in resource.resource.value for resource in response.resources):
            self._due_again[type_url].update(resource.name for resource in response.resources)
            self._due_again[type_url].update(response.removed_resources)
            self._answer(type_url, response.nonce, error_detail={"message": "poison"})
            return
        match type_url:
            case TypeUrl.CLUSTER:
                self._take_clusters(response)
            case TypeUrl.ENDPOINTS:
                self._take_endpoints(response)
            case TypeUrl.ROUTE_CONFIGURATION:
                self._take_routes(response)
        self._keep_versions(type_url, response)
        if type_url is TypeUrl.CLUSTER:
            self._withheld.append(response.nonce)
        else:
            self._answer(type_url, response.nonce)
        self._release()

    def _keep_versions(self, type_url: TypeUrl, response: DeltaDiscoveryResponse) -> None:
        versions = self.has.versions[type_url]
        versions |= {resource.name: resource.version for resource in response.resources}
        for name in response.removed_resources:
            versions.pop(name, None)
        # Endpoints of a cluster that is gone, or that crossed with its removal, are not kept.
        endpoints = self.has.versions[TypeUrl.ENDPOINTS]
        for name in endpoints.keys() - self.has.clusters - self.has.warming:
            del endpoints[name]

    def _take_clusters(self, response: DeltaDiscoveryResponse) -> None:
        known = self.has.clusters | self.has.warming
        new = sorted({resource.name for resource in response.resources} - known)
        changed = {resource.name for resource in response.resources} & known
        gone = set(response.removed_resources) & known
        self.has.warming |= changed | set(new)
        if gone & self.has.routes:
            self.faults.append(f"removed {sorted(gone & self.has.routes)} while routes name them")
        self.has.clusters -= gone
        self.has.warming -= gone
        self._due_again[TypeUrl.ENDPOINTS].update(new)
        if new or gone:
            self._send(TypeUrl.ENDPOINTS, resource_names_subscribe=new, resource_names_unsubscribe=sorted(gone))

    def _take_endpoints(self, response: DeltaDiscoveryResponse) -> None:
        told = {resource.name for resource in response.resources} | set(response.removed_resources)
        warmed = told & self.has.warming
        self.has.clusters |= warmed
        self.has.warming -= warmed

    def _take_routes(self, response: DeltaDiscoveryResponse) -> None:
        for resource in response.resources:
            self.has.routes = frozenset(resource.resource.value.decode().split("+")) - {""}
        cold = self.has.routes - self.has.clusters
        if cold:
            self.faults.append(f"routes to {sorted(cold)}, which are not warm")

    def _note_repetitions(self, type_url: TypeUrl, response: DeltaDiscoveryResponse) -> None:
        due = self._due_again[type_url]
        for resource in response.resources:
            if self.has.versions[type_url].get(resource.name) == resource.version and due[resource.name] <= 0:
                self.faults.append(f"sent {resource.name} again, which had not changed")
            due[resource.name] = max(0, due[resource.name] - 1)

    def _release(self) -> None:
        if not self.has.warming:
            for nonce in self._withheld:
                self._answer(TypeUrl.CLUSTER, nonce)
            self._withheld.clear()

    def _answer(self, type_url: TypeUrl, nonce: str, **fields: object) -> None:
        self._send(type_url, response_nonce=nonce, **fields)

    def _send(self, type_url: TypeUrl, **fields: object) -> None:
        self.outbox.append(DeltaDiscoveryRequest(type_url=type_url, **fields))
