"""A conversation with a session, written as a script: what happens, and what the session then says."""

from collections.abc import Callable

from kfambassador.envoy.protos import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.xds.session import Session
from tests.snapshots import build_snapshot

_TYPES = {
    "clusters": TypeUrl.CLUSTER,
    "endpoints": TypeUrl.ENDPOINTS,
    "listeners": TypeUrl.LISTENER,
    "routes": TypeUrl.ROUTE_CONFIGURATION,
}
_WORDS = {type_url: word for word, type_url in _TYPES.items()}


class Conversation:
    """A session, the time, and the nonce a client would answer with.

    Attributes:
        session: The session spoken to.
        now: The time, in seconds.
    """

    def __init__(self) -> None:
        self.session = Session()
        self.now = 100.0
        self._nonces: dict[TypeUrl, list[str]] = {type_url: [] for type_url in TypeUrl}

    def request(self, request: DeltaDiscoveryRequest) -> str:
        """Send a request, and tell what it led to."""
        return self._tell(self.session.on_request(request, self.now))

    def publish(self, snapshot: Snapshot) -> str:
        """Give the session a goal, and tell what it led to."""
        return self._tell(self.session.on_snapshot(snapshot, self.now))

    def wait(self, seconds: float) -> str:
        """Let time pass, and tell what it led to."""
        self.now += seconds
        return self._tell(self.session.on_tick(self.now))

    def nonce(self, type_url: TypeUrl, back: int = 0) -> str:
        """The nonce of the last response of a type, or of an earlier one; "" when there was none."""
        nonces = self._nonces[type_url]
        return nonces[-1 - back] if len(nonces) > back else ""

    def _tell(self, responses: list[DeltaDiscoveryResponse]) -> str:
        for response in responses:
            self._nonces[TypeUrl(response.type_url)].append(response.nonce)
        return "; ".join(map(_describe, responses))


Step = Callable[[Conversation], str]


def ask(kind: str, *names: str, drop: str = "", holding: dict[str, str] | None = None) -> Step:
    """The client subscribes to names, and drops others."""
    request = DeltaDiscoveryRequest(
        type_url=_TYPES[kind],
        resource_names_subscribe=names,
        resource_names_unsubscribe=drop.split(),
        initial_resource_versions=holding or {},
    )
    return lambda conversation: conversation.request(request)


def accept(kind: str, *names: str, back: int = 0) -> Step:
    """The client acknowledges the last response of a kind, or one further back, and may ask for names with it."""

    def step(conversation: Conversation) -> str:
        nonce = conversation.nonce(_TYPES[kind], back)
        request = DeltaDiscoveryRequest(type_url=_TYPES[kind], response_nonce=nonce, resource_names_subscribe=names)
        return conversation.request(request)

    return step


def refuse(kind: str, *, back: int = 0) -> Step:
    """The client refuses the last response of a kind, or one further back."""

    def step(conversation: Conversation) -> str:
        request = DeltaDiscoveryRequest(type_url=_TYPES[kind], response_nonce=conversation.nonce(_TYPES[kind], back))
        request.error_detail.message = f"bad {kind}"
        return conversation.request(request)

    return step


def publish(generation: int, *, clusters: str = "", endpoints: str = "", listeners: str = "", routes: str = "") -> Step:
    """There is a new snapshot, written as for ``build_snapshot``."""
    snapshot = build_snapshot(generation, clusters=clusters, endpoints=endpoints, listeners=listeners, routes=routes)
    return lambda conversation: conversation.publish(snapshot)


def wait(seconds: float) -> Step:
    """Time passes."""
    return lambda conversation: conversation.wait(seconds)


def played(*script: tuple[Step, str]) -> Conversation:
    """Play a script, and compare what is said at each step."""
    conversation = Conversation()
    for number, (step, expected) in enumerate(script, start=1):
        said = step(conversation)
        assert said == expected, f"step {number}: {said!r} instead of {expected!r}"
    return conversation


def _describe(response: DeltaDiscoveryResponse) -> str:
    names = [f"+{resource.name}" for resource in response.resources]
    return " ".join([_WORDS[TypeUrl(response.type_url)], *names, *(f"-{name}" for name in response.removed_resources)])


#: An Envoy that holds nothing asks for all of one model, "a", and is given it.
NEW_ENVOY: tuple[tuple[Step, str], ...] = (
    (ask("clusters", "*"), "clusters +a"),
    (ask("endpoints", "a"), "endpoints +a"),
    (accept("endpoints"), ""),
    (accept("clusters"), ""),
    (ask("listeners", "*"), "listeners +http"),
    (ask("routes", "main"), "routes +main"),
    (accept("listeners"), ""),
    (accept("routes"), ""),
)
