"""What one stream asked for of one type, what it was given, and what it said to that."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from enum import Enum

from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource

PATIENCE = 5.0
"""Seconds after which a silent or refusing client no longer holds up what comes next."""

LINGER = 5.0
"""Seconds that something stays after the last accepted route that named it.

Requests that were given that route go on with it. One about which an AuthService is asked, for as long as that by
default, is lost where its cluster goes first. And Envoy crashes (1.40.0) where a shadow's cluster goes in the very
moment in which a request that is being copied to it is answered before all of it was received.
"""

MOST_UNANSWERED = 8
"""So many responses are remembered until the client's verdict: one that never answers costs no more memory."""

_ALL = "*"
_NEVER_GIVEN = ""
_LEGACY_WILDCARD = frozenset({TypeUrl.CLUSTER, TypeUrl.LISTENER})


class Standing(Enum):
    """What the client said to what it was given."""

    SILENT = "silent"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Held:
    """One resource as this client has it.

    Attributes:
        version: The version it was given last, None when it was told that there is none.
        since: When it was first given that version, in seconds of the caller's clock.
        standing: What the client said to it.
        nonce: The response that gave it, "" when none on this stream did.
    """

    version: str | None
    since: float
    standing: Standing = Standing.SILENT
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One response, remembered until the client's verdict.

    Attributes:
        type_url: The type of all in it.
        nonce: The name the client will use for it.
        goal: The snapshot it leads to.
        added: The resources in it, in the goal's order.
        removed: The names it takes away, or says do not exist.
        made_at: When it was made, in seconds of the caller's clock.
    """

    type_url: TypeUrl
    nonce: str
    goal: Snapshot
    added: tuple[XdsResource, ...]
    removed: tuple[str, ...]
    made_at: float

    def versions(self) -> dict[str, str | None]:
        """Each name in the response with its version, None for a removed one."""
        return {**dict.fromkeys(self.removed), **{resource.name: resource.version for resource in self.added}}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Envoy refused a response.

    Attributes:
        type_url: The type it was of.
        generation: The generation of the snapshot it was made from, or of the newest with the very same resources.
        message: Why, in Envoy's own words.
        resources: The names in the refused response; at least one of them is at fault.
    """

    type_url: TypeUrl
    generation: int
    message: str
    resources: tuple[str, ...]


class Subscription:
    """One type on one stream.

    Args:
        type_url: The type.
        linger: Seconds that what nothing names any more stays.

    Attributes:
        is_open: Whether the client has asked for anything of this type yet.
        generation: The newest generation whose resources of this type were all accepted, None before the first.
        rejection: The refusal that still stands, None when there is none.
    """

    def __init__(self, type_url: TypeUrl, *, linger: float = 0.0) -> None:
        self.type_url = type_url
        self._linger = linger
        self.is_open = False
        self.generation: int | None = None
        self.rejection: Rejection | None = None
        self._refused: Dict[str, XdsResource] | None = None
        self._wildcard = False
        self._unanswered = False  # who asks for all there is waits for an answer, even when there is nothing
        self._names: set[str] = set()
        self._held: dict[str, Held] = {}
        self._outdated: set[str] = set()
        self._offers: dict[str, Offer] = {}
        # The resources of a goal that is held whole, and of one besides which nothing is held: looked at once.
        self._complete: Dict[str, XdsResource] | None = None
        self._exact: Dict[str, XdsResource] | None = None
        self._unused: dict[str, float] = {}

    @property
    def unanswered(self) -> frozenset[int]:
        """The generations of the responses that the client has not answered."""
        return frozenset(offer.goal.generation for offer in self._offers.values())

    def ask(self, *, subscribe: Iterable[str], unsubscribe: Iterable[str], holding: Dict[str, str], now: float) -> None:
        """Take in what one request says about names.

        A name asked for again is given again: the client may have forgotten it.

        Args:
            subscribe: Names to add; ``*`` stands for all.
            unsubscribe: Names to drop. Under ``*`` a dropped name is still wanted, and is given once more.
            holding: Versions by name the client kept from an earlier stream: they count as given.
            now: The time, in seconds.
        """
        asked = set(subscribe)
        self._complete = self._exact = None
        if not self.is_open:
            self._wildcard = not asked and self.type_url in _LEGACY_WILDCARD
            self._unanswered = not holding and (self._wildcard or _ALL in asked)
        self._wildcard = self._wildcard or _ALL in asked
        self.is_open = True
        self._names |= asked - {_ALL}
        self._held |= {name: Held(_NEVER_GIVEN, now) for name in asked - {_ALL}}
        self._drop(set(unsubscribe), now)
        for name, version in holding.items():
            if self.wants(name) and name not in self._outdated:
                self._held[name] = Held(version, now, Standing.ACCEPTED)

    def _drop(self, names: set[str], now: float) -> None:
        self._names -= names
        self._wildcard = self._wildcard and _ALL not in names
        if self._wildcard:
            self._held |= {name: Held(_NEVER_GIVEN, now) for name in names}
        elif names:
            self._held = {name: held for name, held in self._held.items() if name in self._names}

    def renew(self, names: Iterable[str], now: float) -> None:
        """Count those of ``names`` that are asked for as not given yet: the client needs them once more.

        Before the first request it is not known which are; then the client's word that it holds them counts for
        nothing, because it gave that word before it heard what makes it need them again.
        """
        if not self.is_open:
            self._outdated.update(names)
        self._held |= {name: Held(_NEVER_GIVEN, now) for name in names if name in self._held}
        self._complete = None

    def offer(self, goal: Snapshot, *, removing: bool, nonce: str, now: float) -> Offer | None:
        """Make the next response towards a goal, and remember it until the verdict.

        Args:
            goal: What the client should hold in the end.
            removing: Whether nothing it uses names what is not of the goal any more: that is taken away once it has
                lingered. That a name it waits for does not exist is told at once.
            nonce: The name the client will answer with.
            now: The time, in seconds.

        Returns:
            None when there is nothing to say, or while the client has not answered the last offer and may yet do so.
        """
        self._note_unused(goal, removing=removing, now=now)
        if self.has_reached(goal) or any(now < offer.made_at + PATIENCE for offer in self._offers.values()):
            return None
        withheld = self._refused is not None and self._refused == goal.of_type(self.type_url)
        if withheld and self.rejection is not None:
            # The same would only be refused again: the verdict on this goal is known.
            self.rejection = replace(self.rejection, generation=goal.generation)
        added = () if self.has_all(goal) else tuple(self._missing(goal, withheld=withheld))
        removed = tuple(
            name
            for name in self._superfluous(goal, withheld=withheld)
            if self._has_lingered(name, now) or self._is_waited_for(name)
        )
        if not added and not removed and not self._unanswered:
            return None
        self._unanswered = False
        offer = Offer(self.type_url, nonce, goal, added, removed, now)
        self._offers[nonce] = offer
        if len(self._offers) > MOST_UNANSWERED:
            # Answers come in order: whoever answers a newer one has answered this one, or never will.
            del self._offers[next(iter(self._offers))]
        self._complete = None
        for name, version in offer.versions().items():
            self._held[name] = Held(version, self._since(name, version, now), nonce=nonce)
        return offer

    def accept(self, nonce: str) -> None:
        """The client accepted the response of this nonce; a nonce it was never given or has answered is ignored."""
        offer = self._offers.pop(nonce, None)
        if offer is None:
            return
        self._stand(offer, Standing.ACCEPTED)
        if self._refused != offer.goal.of_type(self.type_url):
            self._refused = self.rejection = None
            self.generation = offer.goal.generation

    def refuse(self, nonce: str, message: str) -> None:
        """The client refused the response of this nonce.

        It may have taken a part of it, so what it holds of these names is unknown. They are given again as soon as
        the goal of this type is another one; before that, the client would only refuse them again.
        """
        offer = self._offers.pop(nonce, None)
        if offer is None:
            return
        self._stand(offer, Standing.REFUSED)
        self._refused = offer.goal.of_type(self.type_url)
        self.rejection = Rejection(self.type_url, offer.goal.generation, message, tuple(offer.versions()))

    def has_all(self, goal: Snapshot) -> bool:
        """Whether the client has accepted all it wants of a goal, whatever else it holds."""
        if not self.is_open or self._offers or self._unanswered:
            return False
        resources = goal.of_type(self.type_url)
        if self._complete is not resources:
            is_equal = self._complete == resources  # quick, where looking at each resource is not
            is_complete = is_equal or next(self._missing(goal, withheld=False), None) is None
            self._complete = resources if is_complete else None
        return self._complete is resources

    def has_reached(self, goal: Snapshot) -> bool:
        """Whether the client has accepted all it wants of a goal, and holds nothing else."""
        return self.has_all(goal) and next(self._superfluous(goal, withheld=False), None) is None

    def brought_other(self, goal: Snapshot) -> bool:
        """Whether the client brought something along from an earlier stream that is not of this goal."""
        resources = goal.of_type(self.type_url)
        brought = ((name, held) for name, held in self._held.items() if held.version and not held.nonce)
        return any(name not in resources or resources[name].version != held.version for name, held in brought)

    def note(self, goal: Snapshot) -> None:
        """Take note of the goal's generation when the client has all of it."""
        if self.has_all(goal):
            self.generation = goal.generation

    def wanted(self, goal: Snapshot) -> Iterator[XdsResource]:
        """The resources of a goal that the client asked for."""
        resources = goal.of_type(self.type_url)
        if self._wildcard:
            return iter(resources.values())
        return (resources[name] for name in sorted(self._names & resources.keys()))

    def awaits(self, resource: XdsResource, now: float) -> bool:
        """Whether the client has yet to accept a resource, and may still be waited for."""
        held = self._held.get(resource.name)
        if held is None or held.version != resource.version:
            return True
        return held.standing is not Standing.ACCEPTED and now < held.since + PATIENCE

    def is_overdue(self, name: str, now: float) -> bool:
        """Whether the client was given a resource so long ago that it is no longer waited for."""
        return name in self._held and now >= self._held[name].since + PATIENCE

    def wants(self, name: str) -> bool:
        """Whether the client asked for a name."""
        return self._wildcard or name in self._names

    def _missing(self, goal: Snapshot, *, withheld: bool) -> Iterator[XdsResource]:
        return (
            resource
            for resource in self.wanted(goal)
            if self._lacks(resource.name, resource.version, withheld=withheld)
        )

    def _superfluous(self, goal: Snapshot, *, withheld: bool) -> Iterator[str]:
        return (name for name in sorted(self._absent(goal)) if self._lacks(name, None, withheld=withheld))

    def _absent(self, goal: Snapshot) -> set[str]:
        """The names the client holds, or was told of, that a goal does not have."""
        resources = goal.of_type(self.type_url)
        absent = set() if self._exact is resources else self._held.keys() - resources.keys()
        self._exact = None if absent else resources
        return absent

    def _lacks(self, name: str, version: str | None, *, withheld: bool) -> bool:
        held = self._held.get(name)
        if held is None or held.version != version:
            return True
        return held.standing is Standing.REFUSED and not withheld

    def _note_unused(self, goal: Snapshot, *, removing: bool, now: float) -> None:
        """Note since when nothing names what the client holds; what a goal has again begins anew."""
        absent = self._absent(goal)
        noted = absent if removing else absent & self._unused.keys()
        self._unused = {name: self._unused.get(name, now) for name in noted}

    def _has_lingered(self, name: str, now: float) -> bool:
        return name in self._unused and now >= self._unused[name] + self._linger

    def _is_waited_for(self, name: str) -> bool:
        held = self._held[name]
        return held.version == _NEVER_GIVEN or (held.standing is Standing.REFUSED and name in self._names)

    def _since(self, name: str, version: str | None, now: float) -> float:
        held = self._held.get(name)
        return held.since if held is not None and held.version == version else now

    def _stand(self, offer: Offer, standing: Standing) -> None:
        for name, version in offer.versions().items():
            held = self._held.get(name)
            if held is None or held.nonce != offer.nonce:
                continue  # dropped, asked for again or offered anew since: this verdict is not about that
            self._held[name] = replace(held, standing=standing)
            if version is None and standing is Standing.ACCEPTED and name not in self._names:
                del self._held[name]
