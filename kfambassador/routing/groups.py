"""Mappings that compete for the same requests, joined into one route with shares."""

from dataclasses import dataclass

from kfambassador.problems import Fault, Problem, Severity
from kfambassador.resources.meta import SourcedMapping
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Match, Route, Split, Target
from kfambassador.routing.order import OrderKey
from kfambassador.routing.weights import build_shares, is_rescaled


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mapping understood: all that can be said of it without looking at any other.

    Attributes:
        sourced: The mapping and where it came from.
        match: Its conditions.
        order: Where its route stands among all; equal for candidates that compete for the same requests.
        identity: Namespace and name; unique.
        seniority: Older claims come first.
        target: Where it points; None when that could not be understood.
        service: The Service its target would be, if there is one by that name.
        cluster: The name of its cluster.
        problems: What is wrong with it.
    """

    sourced: SourcedMapping
    match: Match
    order: OrderKey
    identity: str
    seniority: tuple[str, str, int]
    target: Target | None
    service: ServiceKey | None
    cluster: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class GroupedRoute:
    """A route, its members, and the problems of joining them."""

    route: Route
    served: tuple[Candidate, ...]
    problems: tuple[Problem, ...] = ()


def join_group(*members: Candidate) -> GroupedRoute:
    """Join candidates with the same match into one route.

    The namespace of the eldest member owns the match: in Ambassador a mapping of any other namespace silently takes
    half of its requests; here it is told, and not served.

    Args:
        members: At least one, the eldest first.
    """
    first = members[0]
    owner = first.sourced.namespace
    served = tuple(member for member in members if member.sourced.namespace == owner)
    weights = [member.sourced.mapping.weight for member in served]
    splits = tuple(
        Split(
            mapping=member.sourced.mapping,
            origin=member.sourced.origin,
            namespace=member.sourced.namespace,
            cluster=member.cluster,
            share=share,
        )
        for member, share in zip(served, build_shares(weights), strict=True)
    )
    problems = [_refuse(member, first) for member in members if member.sourced.namespace != owner]
    if is_rescaled(weights):
        problems.extend(_tell_shares(member, split) for member, split in zip(served, splits, strict=True))
    route = Route(first.match, first.sourced.mapping.precedence, splits)
    return GroupedRoute(route, served, tuple(problems))


def _refuse(member: Candidate, owner: Candidate) -> Problem:
    message = (
        f"the same requests belong to mapping {owner.sourced.mapping.name} of {owner.sourced.origin}, which was there "
        "first; choose another prefix or host, or ask that namespace to publish this service as its own"
    )
    return Fault("conflicting-route", message, path="prefix").at(member.sourced.origin)


def _tell_shares(member: Candidate, split: Split) -> Problem:
    weight = member.sourced.mapping.weight
    written = "no weight" if weight is None else f"weight {weight}"
    message = f"the weights of this route do not sum to 100; {written} is {split.share} percent of the requests"
    return Fault("weights-rescaled", message, path="weight", severity=Severity.WARNING).at(member.sourced.origin)
