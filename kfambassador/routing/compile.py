"""From all that is known to the routing table."""

from collections.abc import Iterable
from functools import partial
from itertools import chain, groupby
from operator import attrgetter

from kfambassador.problems import Fault, Problem, Severity, find_field, has_errors
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping, rank_by_age
from kfambassador.routing.authorization import Guard, choose_guard
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.claims import find_conflicts
from kfambassador.routing.clusters import ResolvedCluster, Upstream, check_missing, resolve_cluster
from kfambassador.routing.defaults import complete
from kfambassador.routing.gateway import Gateway, build_gateway
from kfambassador.routing.groups import Candidate, GroupedRoute, is_redirect, join_group
from kfambassador.routing.matches import build_match
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Cluster, Compiled, Discovery, Match, RoutingTable, VirtualHost
from kfambassador.routing.order import build_order_key
from kfambassador.routing.origination import originate
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.reachability import find_unreachable
from kfambassador.routing.references import Neighbourhood, check_reference, stays_home
from kfambassador.routing.targets import read_target


def compile_routes(resources: ResourceSet, policy: TenancyPolicy) -> Compiled:
    """Compile all that is known at one moment.

    Pure: the same resources, in any order, always give the same table.

    Args:
        resources: All that is known.
        policy: Who may claim what, and which namespace is the gateway's own.

    Returns:
        The table, and the problems of reading and compiling together.
    """
    return Compiler(policy).compile(resources)


class Compiler:
    """Compiles one state after another, doing again only what a change reaches.

    The answers are those of :func:`compile_routes`; only work already done is remembered.
    """

    def __init__(self, policy: TenancyPolicy) -> None:
        self._policy = policy
        self._build_gateway = Memo(build_gateway)
        self._choose_guard = Memo(choose_guard)
        self._gateway: Gateway | None = None
        self._understand: Memo[Candidate] = Memo(_understand)  # replaced with the first gateway
        self._join_group = Memo(join_group)
        self._known = Neighbourhood({}, {})
        self._check_target = Memo(partial(_check_target, policy))
        # These read the one Service that is named; whoever looks around sees to it that they are asked anew.
        self._stays_home: Memo[bool] = Memo(self._tell_home)
        self._find_cluster: Memo[ResolvedCluster] = Memo(self._resolve_cluster)
        # The same problem stays the same object, so that whoever tells of new ones need not compare texts.
        self._place = Memo(Fault.at)

    def compile(self, resources: ResourceSet) -> Compiled:
        """Compile one state; see :func:`compile_routes`."""
        gateway = self._gather(resources)
        guard, told = self._choose_guard(gateway)
        problems = [*resources.problems, *gateway.problems, *told]
        self._look_around(resources)
        groups = self._join(self._admit(resources.mappings, problems))
        problems.extend(chain.from_iterable(group.problems for group in groups if group.problems))
        routes = tuple(group.route for group in groups if group.route is not None)
        problems.extend(find_unreachable(routes))
        clusters = self._resolve(groups, guard, problems)
        self._end_round()
        host = VirtualHost("all", ("*",), routes)
        authorization = guard.authorization if guard else None
        table = RoutingTable((host,), clusters, gateway.module, authorization, resources.generation)
        return Compiled(table, tuple(problems))

    def _end_round(self) -> None:
        self._build_gateway.end_round()
        self._choose_guard.end_round()
        self._understand.end_round()
        self._join_group.end_round()
        self._check_target.end_round()
        self._stays_home.end_round()
        self._find_cluster.end_round()
        self._place.end_round()

    def _gather(self, resources: ResourceSet) -> Gateway:
        """Gather what holds for everybody. Where it changes, every mapping is understood anew."""
        gateway = self._build_gateway(self._policy, *resources.shared, *resources.secrets.values())
        if gateway is not self._gateway:
            self._gateway = gateway
            self._understand = Memo(partial(_understand, gateway))
        return gateway

    def _admit(self, mappings: Iterable[SourcedMapping], problems: list[Problem]) -> list[Candidate]:
        """Understand each mapping, eldest first, and leave out those at fault and those whose claims are others'."""
        admitted: dict[str, Candidate] = {}
        for candidate in sorted(self._understand.each(mappings), key=attrgetter("seniority")):
            if candidate.problems:
                problems.extend(candidate.problems)
            holder = admitted.get(candidate.identity)
            if holder is not None and self._policy.accepts(candidate.mapping.ambassador_id):
                problems.append(_refuse_name(candidate, holder))
            elif candidate.is_sound:
                refused = () if self._stays_home(candidate) else self._check_target(candidate, self._known)
                problems.extend(refused)
                if not refused:
                    admitted[candidate.identity] = candidate
        conflicts = find_conflicts(tuple(admitted.values()), self._policy)
        problems.extend(conflicts.values())
        return [each for identity, each in admitted.items() if identity not in conflicts]

    def _look_around(self, resources: ResourceSet) -> None:
        """Note the Services that are known, as the very same object while they are the same; forget what changed."""
        known = Neighbourhood(resources.services, resources.endpoints)
        changed = known.list_changes(self._known)
        if changed:
            self._known = known
            self._stays_home.forget(lambda candidate: candidate.service in changed)
            self._find_cluster.forget(lambda upstream: upstream.service in changed)

    def _join(self, candidates: Iterable[Candidate]) -> list[GroupedRoute]:
        """Put the candidates in order, and join those that compete for the same requests: their order is the same."""
        by_order = attrgetter("order")
        # The eldest of a group stays its first: equals keep their order, even in reverse.
        ordered = sorted(candidates, key=by_order, reverse=True)
        return [self._join_group(*members) for _, members in groupby(ordered, key=by_order)]

    def _resolve(
        self, groups: Iterable[GroupedRoute], guard: Guard | None, problems: list[Problem]
    ) -> tuple[Cluster, ...]:
        """Find the endpoints of every cluster that is named, and tell everybody what is wrong with their own."""
        named = chain.from_iterable(group.upstreams for group in groups)
        clusters: dict[str, ResolvedCluster] = {}
        for upstream, origin in named if guard is None else chain(named, ((guard.upstream, guard.origin),)):
            resolved = clusters.get(upstream.name)
            if resolved is None:
                resolved = clusters[upstream.name] = self._find_cluster(upstream)
            faults = resolved.faults
            if resolved.cluster.discovery is Discovery.DNS and upstream.service not in self._known.services:
                faults = check_missing(upstream.service, upstream.target, self._known.namespaces)
            if faults:
                problems += [self._place(fault, origin) for fault in faults]
        return tuple(clusters[name].cluster for name in sorted(clusters))

    def _tell_home(self, candidate: Candidate) -> bool:
        """Tell whether a mapping surely points at its own namespace; a redirect points nowhere."""
        upstream, namespace = candidate.upstream, candidate.sourced.namespace
        if upstream is None:
            return True
        service = self._known.find_service(upstream.service)
        return stays_home(upstream.target, namespace, service=service, policy=self._policy)

    def _resolve_cluster(self, upstream: Upstream) -> ResolvedCluster:
        key = upstream.service
        service = self._known.find_service(key)
        slices = self._known.endpoints.get(key, ()) if key else ()
        return resolve_cluster(self._policy, upstream, service, *slices)


def _understand(gateway: Gateway, sourced: SourcedMapping) -> Candidate:
    """Say of one mapping all that can be said without looking at any other."""
    origin = sourced.origin
    mapping, faults = complete(sourced.mapping, gateway)
    match = build_match(mapping)
    read = read_target(mapping.service, namespace=_home(sourced, gateway), protected=bool(mapping.tls))
    judged = _judge(sourced, mapping, match, gateway)
    target, faults = read.target, (*faults, *judged, *read.faults)
    upstream = None
    if target is not None and not is_redirect(mapping):
        tls, more = originate(mapping, target, gateway)
        faults = (*faults, *more)
        upstream = Upstream.of(target, mapping, tls)
    accepted = gateway.policy.accepts(mapping.ambassador_id)
    if not accepted:
        faults = (_tell_other_gateway(mapping),)
    problems = tuple(fault.at(origin) for fault in faults)
    return Candidate(
        sourced=sourced,
        mapping=mapping,
        match=match,
        order=build_order_key(match, mapping.precedence),
        identity=f"{sourced.namespace}/{mapping.name}",
        seniority=rank_by_age(sourced),
        target=target,
        upstream=upstream,
        problems=problems,
        is_sound=accepted and not has_errors(problems),
    )


def _judge(sourced: SourcedMapping, mapping: Mapping, match: Match, gateway: Gateway) -> tuple[Fault, ...]:
    """Judge a mapping by itself. What is to be said of the Module's defaults is said once, at the Module."""
    faults = check_mapping(mapping, match, gateway.module)
    if mapping is sourced.mapping or not faults:
        return faults
    inherited = {name for name, _ in gateway.defaults} - sourced.mapping.model_fields_set
    return tuple(
        fault for fault in faults if fault.severity is Severity.ERROR or find_field(fault.path) not in inherited
    )


def _check_target(policy: TenancyPolicy, candidate: Candidate, known: Neighbourhood) -> tuple[Problem, ...]:
    """Say why a mapping may not point where it does."""
    assert candidate.upstream is not None  # noqa: S101 - a redirect stays home: it points nowhere
    target, namespace = candidate.upstream.target, candidate.sourced.namespace
    service = known.find_service(candidate.service)
    faults = check_reference(target, namespace, service=service, known=known, policy=policy)
    return tuple(fault.at(candidate.sourced.origin) for fault in faults)


def _home(sourced: SourcedMapping, gateway: Gateway) -> str:
    """The namespace of a service name without a dot; "" for a redirect, which names no Service."""
    if is_redirect(sourced.mapping):
        return ""
    if gateway.module.use_ambassador_namespace_for_service_resolution and gateway.policy.gateway_namespace:
        return gateway.policy.gateway_namespace
    return sourced.namespace


def _tell_other_gateway(mapping: Mapping) -> Fault:
    message = f"it is for another gateway, {', '.join(mapping.ambassador_id)}, and is left out here"
    return Fault("other-gateway", message, path="ambassador_id", severity=Severity.NOTICE)


def _refuse_name(candidate: Candidate, holder: Candidate) -> Problem:
    name = candidate.mapping.name
    message = f"the name {name} is taken in its namespace by {holder.sourced.origin}; give this mapping another name"
    return Fault("duplicate-name", message, path="name").at(candidate.sourced.origin)
