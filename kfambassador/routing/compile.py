"""From all that is known to the routing table."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from kfambassador.problems import Fault, Problem, has_errors
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.checks import check_mapping
from kfambassador.routing.clusters import ResolvedCluster, check_missing, name_cluster, resolve_cluster
from kfambassador.routing.groups import Candidate, GroupedRoute, join_group
from kfambassador.routing.matches import build_match
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Compiled, RoutingTable, VirtualHost
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

    The answers are those of :func:`compile_routes`; only the work already done is remembered.
    """

    def __init__(self) -> None:
        self._candidates: Memo[Candidate] = Memo()
        self._groups: Memo[GroupedRoute] = Memo()
        self._clusters: Memo[ResolvedCluster] = Memo()

    def compile(self, resources: ResourceSet) -> Compiled:
        """Compile one state; see :func:`compile_routes`."""
        problems = list(resources.problems)
        groups = self._join(self._admit(resources.mappings, problems))
        clusters = self._resolve(groups, resources, problems)
        routes = tuple(group[1].route for group in groups)
        for _, grouped in groups:
            problems.extend(grouped.problems)
        for memo in (self._candidates, self._groups, self._clusters):
            memo.end_round()
        host = VirtualHost("all", ("*",), routes)
        return Compiled(RoutingTable((host,), clusters, resources.generation), tuple(problems))

    def _admit(self, mappings: Iterable[SourcedMapping], problems: list[Problem]) -> list[Candidate]:
        """Understand each mapping, eldest first, and leave out those at fault and those whose name is taken."""
        understood = [self._candidates.get((each,), lambda each=each: _understand(each)) for each in mappings]  # type: ignore[misc]  # bound now
        admitted: dict[str, Candidate] = {}
        for candidate in sorted(understood, key=attrgetter("seniority")):
            problems.extend(candidate.problems)
            holder = admitted.get(candidate.identity)
            if holder is not None:
                problems.append(_refuse_name(candidate, holder))
            elif candidate.target is not None and not has_errors(candidate.problems):
                admitted[candidate.identity] = candidate
        return list(admitted.values())

    def _join(self, candidates: Iterable[Candidate]) -> list[tuple[Sequence[Candidate], GroupedRoute]]:
        """Join the candidates that compete for the same requests, and put the routes in order."""
        members: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            members.setdefault(candidate.group, []).append(candidate)
        groups = [
            (group, self._groups.get(tuple(group), lambda group=group: join_group(group)))  # type: ignore[misc]  # bound now
            for group in members.values()
        ]
        groups.sort(key=lambda each: each[1].order, reverse=True)
        return groups
