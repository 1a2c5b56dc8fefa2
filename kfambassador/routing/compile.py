"""From all that is known to the routing table."""

from collections.abc import Iterable
from itertools import chain, groupby
from operator import attrgetter

from kfambassador.problems import Fault, Problem, has_errors
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.clusters import ResolvedCluster, check_missing, name_cluster, resolve_cluster
from kfambassador.routing.groups import Candidate, GroupedRoute, join_group
from kfambassador.routing.matches import build_match
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Cluster, Compiled, Discovery, RoutingTable, VirtualHost
from kfambassador.routing.order import build_order_key
from kfambassador.routing.targets import read_target


def compile_routes(resources: ResourceSet) -> Compiled:
    """Compile all that is known at one moment.

    Pure: the same resources, in any order, always give the same table.

    Returns:
        The table, and the problems of reading and compiling together.
    """
    return Compiler().compile(resources)


class Compiler:
    """Compiles one state after another, doing again only what a change reaches.

    The answers are those of :func:`compile_routes`; only work already done is remembered.
    """

    def __init__(self) -> None:
        self._understand = Memo(_understand)
        self._join_group = Memo(join_group)
        self._resolve_cluster = Memo(resolve_cluster)

    def compile(self, resources: ResourceSet) -> Compiled:
        """Compile one state; see :func:`compile_routes`."""
        problems = list(resources.problems)
        groups = self._join(self._admit(resources.mappings, problems))
        for group in groups:
            problems.extend(group.problems)
        clusters = self._resolve(groups, resources, problems)
        for memo in (self._understand, self._join_group, self._resolve_cluster):
            memo.end_round()
        host = VirtualHost("all", ("*",), tuple(group.route for group in groups))
        return Compiled(RoutingTable((host,), clusters, resources.generation), tuple(problems))

    def _admit(self, mappings: Iterable[SourcedMapping], problems: list[Problem]) -> Iterable[Candidate]:
        """Understand each mapping, eldest first, and leave out those at fault and those whose name is taken."""
        admitted: dict[str, Candidate] = {}
        for candidate in sorted(self._understand.each(mappings), key=attrgetter("seniority")):
            problems.extend(candidate.problems)
            holder = admitted.get(candidate.identity)
            if holder is not None:
                problems.append(_refuse_name(candidate, holder))
            elif candidate.target is not None and not has_errors(candidate.problems):
                admitted[candidate.identity] = candidate
        return admitted.values()

    def _join(self, candidates: Iterable[Candidate]) -> list[GroupedRoute]:
        """Put the candidates in order, and join those that compete for the same requests: their order is the same."""
        by_order = attrgetter("order")
        # The eldest of a group stays its first: equals keep their order, even in reverse.
        ordered = sorted(candidates, key=by_order, reverse=True)
        return [self._join_group(*members) for _, members in groupby(ordered, key=by_order)]

    def _resolve(
        self, groups: Iterable[GroupedRoute], resources: ResourceSet, problems: list[Problem]
    ) -> tuple[Cluster, ...]:
        """Find the endpoints of every cluster that a route names, and tell each mapping what is wrong with its own."""
        namespaces = frozenset(key.namespace for key in resources.services)
        clusters: dict[str, ResolvedCluster] = {}
        for candidate in chain.from_iterable(group.served for group in groups):
            resolved = clusters.get(candidate.cluster)
            if resolved is None:
                resolved = clusters[candidate.cluster] = self._find(candidate, resources)
            faults = resolved.faults
            if resolved.cluster.discovery is Discovery.DNS and candidate.service not in resources.services:
                faults = check_missing(candidate.service, resolved.cluster.target, namespaces)
            problems += [fault.at(candidate.sourced.origin) for fault in faults]
        return tuple(clusters[name].cluster for name in sorted(clusters))

    def _find(self, candidate: Candidate, resources: ResourceSet) -> ResolvedCluster:
        key = candidate.service
        service = resources.services.get(key) if key else None
        slices = resources.endpoints.get(key, ()) if key else ()
        return self._resolve_cluster(candidate.cluster, candidate.target, candidate.sourced.mapping, service, *slices)


def _understand(sourced: SourcedMapping) -> Candidate:
    """Say of one mapping all that can be said without looking at any other."""
    mapping, origin = sourced.mapping, sourced.origin
    match = build_match(mapping)
    read = read_target(mapping.service, namespace=sourced.namespace)
    faults = (*check_mapping(mapping, match), *read.faults)
    return Candidate(
        sourced=sourced,
        match=match,
        order=build_order_key(match, mapping.precedence),
        identity=f"{sourced.namespace}/{mapping.name}",
        seniority=(sourced.created, f"{origin.object or ''} {origin.file}", origin.document or 0),
        target=read.target,
        service=read.target.service_key() if read.target else None,
        cluster=name_cluster(read.target, mapping) if read.target else "",
        problems=tuple(fault.at(origin) for fault in faults),
    )


def _refuse_name(candidate: Candidate, holder: Candidate) -> Problem:
    name = candidate.sourced.mapping.name
    message = f"the name {name} is taken in its namespace by {holder.sourced.origin}; give this mapping another name"
    return Fault("duplicate-name", message, path="name").at(candidate.sourced.origin)
