"""First claim wins: which mappings would take requests that belong to another namespace.

A mapping claims the paths below its prefix, on its hosts. Methods, headers and query parameters have no part in it:
who owns a prefix owns it for every method, or two tenants would share one model by accident.

A younger mapping of another namespace loses when it lies inside an older claim, or overlaps it and would be evaluated
first, so that requests the older mapping takes would be its. What stands behind an older claim (a shorter prefix, say)
takes only what that leaves, and is free. A mapping that lost claims nothing.

The gateway's own namespace publishes catch-alls, such as the dashboard's ``/``, which must not own everything: a longer
literal prefix below one of its claims is free for all. Otherwise it follows the same rule, by age, also where it is
the younger: adding a part to the platform must not silently take away a model somebody is using. The platform's owner
is told of the conflict, and is the one person who can remove the older mapping.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from kfambassador.problems import Fault, Problem, Veil
from kfambassador.routing.anchors import find_beginning
from kfambassador.routing.groups import Candidate
from kfambassador.routing.matches import HOST, write_expression
from kfambassador.routing.model import PathKind, PathMatch, ValueKind, ValueMatch
from kfambassador.routing.order import OrderKey
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.reachability import implies
from kfambassador.routing.regex import matches_whole

_REGEX: Final = PathKind.REGEX
_ENDED: Final = (ValueKind.EXACT, ValueKind.SUFFIX)
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Claim(NamedTuple):
    """What of a candidate decides whom a request belongs to.

    Attributes:
        candidate: The candidate.
        namespace: Its namespace.
        home: Whether that is the gateway's own.
        order: Where its route stands; greater is evaluated first.
        precedence: What it was raised by.
        path: Its condition on the path.
        hosts: Its conditions on the host; none is any host.
        beginning: What every path it takes begins with.
        key: The same without regard to case, for looking up.
        host: The end of every host it takes, backwards, for looking up; "" when they have none in common.
    """

    candidate: Candidate
    namespace: str
    home: bool
    order: OrderKey
    precedence: int
    path: PathMatch
    hosts: tuple[ValueMatch, ...]
    beginning: str
    key: str
    host: str


def find_conflicts(candidates: Sequence[Candidate], policy: TenancyPolicy) -> dict[str, Problem]:
    """Find the mappings that may not be served because their requests belong to another namespace.

    Args:
        candidates: All that are in order by themselves, the eldest first.
        policy: Without ``claims`` nobody owns anything.

    Returns:
        The problem of each mapping that loses, by the candidate's identity.
    """
    if not policy.claims or len({each.sourced.namespace for each in candidates}) <= 1:
        return {}
    claims = [build_claim(each, policy) for each in candidates]
    ground = _Ground(claims)
    conflicts: dict[str, Problem] = {}
    for claim in claims:
        owner = ground.find_owner(claim)
        if owner is None:
            ground.give(claim)
        else:
            conflicts[claim.candidate.identity] = _refuse(claim, owner)
    return conflicts


def build_claim(candidate: Candidate, policy: TenancyPolicy) -> Claim:
    """Say what a candidate claims."""
    namespace = candidate.sourced.namespace
    path, headers = candidate.match.path, candidate.match.headers
    beginning = find_beginning(path)
    hosts = tuple([each for each in headers if each.name == HOST and each.kind is not ValueKind.PRESENT])
    return Claim(
        candidate=candidate,
        namespace=namespace,
        home=policy.is_home(namespace),
        order=candidate.order,
        precedence=candidate.mapping.precedence,
        path=path,
        hosts=hosts if headers else (),
        beginning=beginning,
        key=_fold(beginning),
        host=_find_end(hosts) if hosts else "",
    )


def _find_end(hosts: tuple[ValueMatch, ...]) -> str:
    return max((each.value[::-1] for each in hosts if each.kind in _ENDED), key=len, default="")


def takes_from(junior: Claim, senior: Claim) -> bool:
    """Tell whether a younger claim would take requests that belong to an older one: the rule itself.

    Where expressions leave it open whether two conditions meet, they do.
    """
    if junior.namespace == senior.namespace or _is_free_below(junior, senior):
        return False
    # Hosts may be asked for by expression, which costs most: hardly any pair gets that far twice.
    meet = _paths_meet(junior, senior) and _hosts_meet(junior, senior)
    return meet and (junior.order > senior.order or _lies_inside(junior, senior))


def _is_free_below(junior: Claim, senior: Claim) -> bool:
    literal = junior.path.kind is not _REGEX
    return senior.home and literal and len(junior.beginning) > len(senior.beginning)


def _lies_inside(junior: Claim, senior: Claim) -> bool:
    """Tell whether all that the junior could take is claimed by the senior."""
    below = senior.path.kind is PathKind.PREFIX
    one, other = (junior.beginning, senior.beginning) if below else (junior.path.text, senior.path.text)
    if _is_case_blind(junior, senior):
        one, other = _fold(one), _fold(other)
    if not (one.startswith(other) if below else one == other):
        return False
    return all(any(implies(narrow, wide) for narrow in junior.hosts) for wide in senior.hosts)


def _hosts_meet(one: Claim, other: Claim) -> bool:
    return not any(_exclude(here, there) for here in one.hosts for there in other.hosts)


def _exclude(one: ValueMatch, other: ValueMatch) -> bool:
    """Tell whether no host can meet both conditions."""
    if other.kind is ValueKind.EXACT:
        one, other = other, one
    value = one.value
    if one.kind is ValueKind.EXACT:
        if other.kind is ValueKind.REGEX:
            return not matches_whole(write_expression(other), value)
        whole = {ValueKind.SUFFIX: value.endswith, ValueKind.PREFIX: value.startswith}.get(other.kind, value.__eq__)
        return not whole(other.value)
    if one.kind is not other.kind or one.kind is ValueKind.REGEX:
        return False
    if one.kind is ValueKind.SUFFIX:
        return not (value.endswith(other.value) or other.value.endswith(value))
    return not (value.startswith(other.value) or other.value.startswith(value))


def _paths_meet(one: Claim, other: Claim) -> bool:
    """Tell whether a path could be taken by both."""
    for plain, expression in ((one.path, other.path), (other.path, one.path)):
        if expression.kind is _REGEX and plain.kind is PathKind.EXACT and plain.case_sensitive:
            return matches_whole(expression.text, plain.text)
    here, there = (one.key, other.key) if _is_case_blind(one, other) else (one.beginning, other.beginning)
    if one.path.kind is PathKind.EXACT and len(there) > len(here):
        return False
    if other.path.kind is PathKind.EXACT and len(here) > len(there):
        return False
    return here.startswith(there) or there.startswith(here)


def _is_case_blind(one: Claim, other: Claim) -> bool:
    return not (one.path.case_sensitive and other.path.case_sensitive)


def _fold(text: str) -> str:
    """Fold ASCII only, as Envoy does: any other letter may change its length, and paths are cut by length."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


# Kinds of hosts that are sooner gone through than looked up, as there are at nearly every beginning.
_FEW: Final = 4
# Claims with one beginning, by whether they are the gateway's own and by the end of their hosts.
_Held = dict[tuple[bool, str], list["Claim"]]


class _Ground:
    """The claims that hold, by the beginning of their paths and the end of their hosts.

    Two claims can meet only where one's beginning is a beginning of the other's, and the same of the ends of their
    hosts. Claims on shorter beginnings are always asked; those on longer ones only where the text does not decide which
    is evaluated first: the claim is an expression, or raised above others.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._paths = _Tree({claim.key for claim in claims})
        self._hosts = _Tree({claim.host for claim in claims})
        self._held: dict[str, _Held] = {}
        self._last: dict[str, OrderKey] = {}  # of those held under each beginning, where the one evaluated last stands
        self._lowest = min(claim.precedence for claim in claims)

    def give(self, claim: Claim) -> None:
        """Let a claim hold against all that are asked about later."""
        self._held.setdefault(claim.key, {}).setdefault((claim.home, claim.host), []).append(claim)
        self._last[claim.key] = min(claim.order, self._last.get(claim.key, claim.order))

    def find_owner(self, claim: Claim) -> Claim | None:
        """Find the claim that this one would take requests from: the one on the longest beginning of its own."""
        plain = claim.path.kind is not _REGEX
        for key in self._paths.list_above(claim.key):
            if key in self._held:
                # What the gateway's own namespace claims further up leaves a plain prefix free.
                sides = (False,) if plain and key != claim.key else (False, True)
                for owner in self._list_rivals(self._held[key], claim, sides):
                    if takes_from(claim, owner):
                        return owner
        return None if plain and claim.precedence <= self._lowest else self._find_below(claim)

    def _find_below(self, claim: Claim) -> Claim | None:
        for key in self._paths.list_below(claim.key):
            # Nothing lies inside a claim that stands deeper, so only those evaluated after this one can lose by it.
            if key in self._held and claim.order > self._last[key]:
                for owner in self._list_rivals(self._held[key], claim, (False, True)):
                    if takes_from(claim, owner):
                        return owner
        return None

    def _list_rivals(self, held: _Held, claim: Claim, sides: Sequence[bool]) -> Iterator[Claim]:
        if len(held) <= _FEW:
            for (side, host), claims in held.items():
                if side in sides and (host.startswith(claim.host) or claim.host.startswith(host)):
                    yield from claims
            return
        for side in sides:
            for host in self._hosts.list_above(claim.host):
                yield from held.get((side, host), ())
        if self._hosts.list_below(claim.host):
            for (side, host), claims in held.items():
                if side in sides and len(host) > len(claim.host) and host.startswith(claim.host):
                    yield from claims


class _Tree:
    """Texts, and which of them begin which."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted(texts)
        self._above: dict[str, tuple[str, ...]] = {}
        self._ends: dict[str, int] = {}
        self._places: dict[str, int] = {}
        line: tuple[str, ...] = ()
        for place, text in enumerate(self._texts):
            while line and not text.startswith(line[0]):
                self._ends[line[0]] = place
                line = line[1:]
            line = self._above[text] = (text, *line)
            self._places[text] = place

    def list_above(self, text: str) -> tuple[str, ...]:
        """The text and those that it begins with, the longest first."""
        return self._above[text]

    def list_below(self, text: str) -> Sequence[str]:
        """Those that begin with the text, without itself."""
        return self._texts[self._places[text] + 1 : self._ends.get(text, len(self._texts))]


def _refuse(junior: Claim, owner: Claim) -> Problem:
    first = "" if _lies_inside(junior, owner) else ", but would go to this one, which is evaluated before it"
    other = "a longer prefix that is no expression" if owner.home else "another prefix"
    holder = owner.candidate.sourced
    message = (
        f"requests for {_show_contested(junior, owner)} belong to mapping {holder.mapping.name} of {holder.origin}, "
        f"which was there first{first}; choose {other} or another host, or ask namespace {holder.namespace} to publish "
        "this service as its own"
    )
    some = "some of the requests" if first else "requests"
    # In the loser's own words, with whom to ask: of the winner's conditions it may know no more than it wrote itself,
    # or whoever tries expressions out would be told of everybody's paths one by one.
    veiled = (
        f"{some} for {_show_contested(junior, junior)} belong to a mapping of namespace {holder.namespace}, which was "
        f"there first{first}; choose {other} or another host, or ask there"
    )
    veil = Veil(holder.namespace, veiled)
    return Fault("conflicting-route", message, path="prefix", veil=veil).at(junior.candidate.sourced.origin)


def _show_contested(junior: Claim, owner: Claim) -> str:
    """Show a request that both could take, as closely as their conditions tell."""
    exact = [each for each in (junior, owner) if each.path.kind is PathKind.EXACT]
    # Of two that begin alike the expression tells more.
    deepest = (
        exact[0] if exact else max(junior, owner, key=lambda each: (len(each.beginning), each.path.kind is _REGEX))
    )
    like = "paths like " if deepest.path.kind is _REGEX else ""
    plain_first = sorted((*junior.hosts, *owner.hosts), key=lambda each: each.kind is not ValueKind.EXACT)
    return f"{like}{deepest.path.text} on {_show_host(plain_first[0]) if plain_first else 'any host'}"


def _show_host(condition: ValueMatch) -> str:
    shown = {ValueKind.SUFFIX: f"*{condition.value}", ValueKind.PREFIX: f"{condition.value}*"}
    like = "hosts like " if condition.kind is ValueKind.REGEX else ""
    return like + shown.get(condition.kind, condition.value)
