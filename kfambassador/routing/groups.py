"""Mappings that compete for the same requests, joined into one route with shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kfambassador.problems import Fault, Origin, Problem, Severity, Veil
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.clusters import Upstream
from kfambassador.routing.model import Match, Route, Split, Target
from kfambassador.routing.order import OrderKey
from kfambassador.routing.weights import WHOLE, build_shares, is_rescaled


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mapping understood: all that can be said of it without looking at any other.

    Attributes:
        sourced: The mapping and where it came from.
        mapping: The mapping as it holds: completed by the gateway's defaults.
        match: Its conditions.
        order: Where its route stands among all; equal for candidates that compete for the same requests.
        identity: Namespace and name; unique.
        seniority: Older claims come first.
        target: Where it points; None when that could not be understood.
        upstream: What it says of its cluster; None for a redirect, which needs none.
        problems: What is wrong with it.
        is_sound: Whether it is for this gateway and in order by itself.
    """

    sourced: SourcedMapping
    mapping: Mapping
    match: Match
    order: OrderKey
    identity: str
    seniority: tuple[str, str, int]
    target: Target | None
    upstream: Upstream | None
    problems: tuple[Problem, ...]
    is_sound: bool

    @property
    def cluster(self) -> str:
        """The name of its cluster; "" for a redirect."""
        return self.upstream.name if self.upstream else ""

    @property
    def service(self) -> ServiceKey | None:
        """The Service it would point at, if there is one by that name."""
        return self.upstream.service if self.upstream else None


@dataclass(frozen=True, slots=True)
class GroupedRoute:
    """A route, its members, and the problems of joining them.

    Attributes:
        route: The route; None when no member may be served.
        upstreams: The clusters its members need, each with who names it.
        problems: What is to be told.
    """

    route: Route | None
    upstreams: tuple[tuple[Upstream, Origin], ...] = ()
    problems: tuple[Problem, ...] = ()


def is_redirect(mapping: Mapping) -> bool:
    """Tell whether a mapping answers with another place; one that is a shadow as well answers nobody."""
    return mapping.host_redirect and not mapping.shadow


def join_group(*members: Candidate) -> GroupedRoute:
    """Join candidates with the same match into one route.

    Members share by weight. Shadows get copies and no share. A redirect answers by itself and shares with nobody: the
    eldest decides which of both the route is (Ambassador, "Canary releases", "Redirects" and "Traffic shadowing").

    Args:
        members: At least one, the eldest first.
    """
    shadows = [member for member in members if member.mapping.shadow]
    sharing = [member for member in members if not member.mapping.shadow]
    if not sharing:
        return GroupedRoute(None, problems=tuple(map(_tell_alone, shadows)))
    served, problems = _admit(sharing)
    weights = [member.mapping.weight for member in served]
    splits = tuple(_build_split(*each) for each in zip(served, build_shares(weights), strict=True))
    if is_rescaled(weights):
        problems.extend(_tell_shares(member, split) for member, split in zip(served, splits, strict=True))
    copied: list[Candidate] = [] if splits[0].cluster == "" else shadows[:1]
    problems += [_refuse_shadow(shadow, copied) for shadow in shadows[len(copied) :]]
    copies = tuple(_build_split(each, WHOLE if each.mapping.weight is None else each.mapping.weight) for each in copied)
    route = Route(served[0].match, served[0].mapping.precedence, splits, copies)
    named = [(each.upstream, each.sourced.origin) for each in (*served, *copied) if each.upstream is not None]
    return GroupedRoute(route, tuple(named), tuple(problems))


def _admit(sharing: Sequence[Candidate]) -> tuple[list[Candidate], list[Problem]]:
    """Keep a redirect to itself."""
    first = sharing[0]
    if first.cluster:
        served = [member for member in sharing if member.cluster]
        refused = [member for member in sharing if not member.cluster]
    else:
        served, refused = [first], list(sharing[1:])
    return served, [_refuse_redirect(member, first) for member in refused]


def _build_split(member: Candidate, share: int) -> Split:
    assert member.target is not None  # noqa: S101 - without a target nobody gets here
    return Split(
        mapping=member.mapping,
        origin=member.sourced.origin,
        namespace=member.sourced.namespace,
        target=member.target,
        cluster=member.cluster,
        share=share,
    )


def _refuse_redirect(member: Candidate, first: Candidate) -> Problem:
    what = "redirects them" if first.cluster == "" else "serves them"
    message = (
        f"a redirect shares its requests with nobody, and mapping {first.mapping.name} of {first.sourced.origin} "
        f"{what} already; give this mapping another match"
    )
    veiled = (
        f"a redirect shares its requests with nobody, and a mapping of another namespace {what} already; give this "
        "mapping another match"
    )
    veil = _veil(first, member, veiled)
    return Fault("conflicting-redirect", message, path="host_redirect", veil=veil).at(member.sourced.origin)


def _tell_alone(shadow: Candidate) -> Problem:
    message = (
        "a shadow gets copies of the requests of another mapping, and there is none with the same match "
        "(prefix, method, host, headers and precedence)"
    )
    return Fault("shadow-alone", message, path="shadow").at(shadow.sourced.origin)


def _refuse_shadow(shadow: Candidate, copied: Iterable[Candidate]) -> Problem:
    other = next(iter(copied), None)
    reason = f"mapping {other.mapping.name} of {other.sourced.origin} is one already" if other else "it is a redirect"
    rule = "a route has one shadow at most, and none if it is a redirect"
    veil = _veil(other, shadow, f"{rule}; a mapping of another namespace is one already") if other else None
    return Fault("second-shadow", f"{rule}; {reason}", path="shadow", veil=veil).at(shadow.sourced.origin)


def _veil(told_of: Candidate, reader: Candidate, message: str) -> Veil | None:
    """Say what those may read of a fault who may not see the mapping it tells of."""
    namespace = told_of.sourced.namespace
    return None if namespace == reader.sourced.namespace else Veil(namespace, message)


def _tell_shares(member: Candidate, split: Split) -> Problem:
    weight = member.mapping.weight
    written = "no weight" if weight is None else f"weight {weight}"
    message = f"the weights of this route do not sum to 100; {written} is {split.share} percent of the requests"
    return Fault("weights-rescaled", message, path="weight", severity=Severity.WARNING).at(member.sourced.origin)
