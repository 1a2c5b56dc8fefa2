"""A session and a model of Envoy, driven at random: whatever happens in whatever order, nothing is lost."""

from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kfambassador.envoy.protos import DeltaDiscoveryResponse
from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.xds.session import Session
from kfambassador.xds.subscription import LINGER
from tests.properties.envoy_model import ROUTES, EnvoyModel, Holdings
from tests.snapshots import build_snapshot

NAMES = ("a", "b", "c", "d")
CONTENT = st.sampled_from(["1", "2", "poison"])


@st.composite
def goals(draw: st.DrawFn) -> dict[str, str]:
    """A snapshot's resources as text: some clusters, endpoints for each, and routes to some of them."""
    clusters = draw(st.lists(st.sampled_from(NAMES), unique=True))
    routes = draw(st.lists(st.sampled_from(clusters), unique=True)) if clusters else []
    words = [*routes, *draw(st.sampled_from([[], ["poison"]]))]
    return {
        "clusters": " ".join(f"{name}@{draw(CONTENT)}" for name in clusters),
        "endpoints": " ".join(f"{name}@{draw(CONTENT)}" for name in clusters),
        "listeners": f"http@{draw(CONTENT)}",
        "routes": f"{ROUTES}@{'+'.join(words)}",
    }


class StreamMachine(RuleBasedStateMachine):
    """One Envoy that answers in its own time; time itself stands still, so nothing lingers."""

    faults_allowed: tuple[str, ...] = ()
    linger = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.generation = 0
        self.goal: Snapshot | None = None
        self.session = Session(linger=self.linger)
        self.envoy = EnvoyModel(Holdings())
        self.inbox: deque[DeltaDiscoveryResponse] = deque()
        self.unanswered: Counter[str] = Counter()

    @rule(goal=goals())
    def a_snapshot_is_published(self, goal: dict[str, str]) -> None:
        self.generation += 1
        self.goal = build_snapshot(self.generation, **goal)
        self._hear(self.session.on_snapshot(self.goal, self.now))

    @precondition(lambda self: self.envoy.outbox)
    @rule()
    def the_session_reads(self) -> None:
        request = self.envoy.outbox.popleft()
        if request.response_nonce:
            self.unanswered[request.type_url] -= 1
        self._hear(self.session.on_request(request, self.now))

    @precondition(lambda self: self.inbox)
    @rule()
    def envoy_reads(self) -> None:
        self.envoy.receive(self.inbox.popleft())

    @rule(server_restarts=st.booleans())
    def the_stream_breaks(self, *, server_restarts: bool) -> None:
        self.session = Session(linger=self.linger)
        self.envoy = EnvoyModel(self.envoy.has)
        self.inbox.clear()
        self.unanswered.clear()
        if self.goal is not None and not server_restarts:
            self._hear(self.session.on_snapshot(self.goal, self.now))

    def _hear(self, responses: list[DeltaDiscoveryResponse]) -> None:
        self.inbox.extend(responses)
        self.unanswered.update(response.type_url for response in responses)

    @invariant()
    def nothing_is_lost_or_wasted(self) -> None:
        faults = [fault for fault in self.envoy.faults if not fault.startswith(self.faults_allowed)]
        assert faults == []

    @invariant()
    def one_response_a_type_is_unanswered(self) -> None:
        assert all(number <= 1 for number in self.unanswered.values())

    def teardown(self) -> None:
        """Whatever happened, a clean snapshot is reached in the end, and a new stream then has nothing to say."""
        self.a_snapshot_is_published(
            {"clusters": "a@9 b@9", "endpoints": "a@9 b@9", "listeners": "http@9", "routes": f"{ROUTES}@a+b"}
        )
        self._settle()
        assert self.goal is not None
        for type_url in TypeUrl:
            held = self.envoy.has.versions[type_url]
            assert held == {name: each.version for name, each in self.goal.of_type(type_url).items()}
        assert self.session.status.acknowledged == self.generation
        assert self.session.status.rejection is None
        self.the_stream_breaks(server_restarts=False)
        assert self._settle() == 0

    def _settle(self) -> int:
        """Let both sides read all there is; returns how many responses it took."""
        received = 0
        while self.envoy.outbox or self.inbox:
            while self.envoy.outbox:
                self.the_session_reads()
            while self.inbox:
                received += 1
                self.envoy_reads()
            self.nothing_is_lost_or_wasted()
        return received


class ImpatientMachine(StreamMachine):
    """The same while time passes, so that the session does not wait for ever; then a route may be cold."""

    faults_allowed = ("routes to",)
    linger = LINGER

    @rule(seconds=st.sampled_from([1.0, 3.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self._hear(self.session.on_tick(self.now))

    def one_response_a_type_is_unanswered(self) -> None:
        """Not so here: one that stays unanswered does not hold up the next."""

    def _settle(self) -> int:
        received = super()._settle()
        for _ in range(8):
            self.time_passes(6.0)
            received += super()._settle()
        return received


StreamMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
ImpatientMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestStream = StreamMachine.TestCase
TestImpatientStream = ImpatientMachine.TestCase
