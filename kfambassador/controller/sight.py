"""What somebody may see of the controller's work: narrowed first, and only then described, so nothing is forgotten.

Pure. A route belongs to the namespaces of its mappings, an object and its problems to the object's own. What belongs to
the gateway as a whole is for those who see all.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from kfambassador.controller.envoy_view import name_in_statistics
from kfambassador.controller.provenance import Provenance
from kfambassador.controller.state import Work
from kfambassador.problems import Problem
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.model import Authorization, Compiled, Route, RoutingTable, VirtualHost


@dataclass(frozen=True, slots=True)
class Sight:
    """Which namespaces somebody sees.

    Attributes:
        namespaces: The names; None is all, and what belongs to none.
        is_owner: Whether the gateway is theirs: they may be told of it as a whole, and change how it runs.

    Example:
        >>> Sight(frozenset({"team"})).sees("team"), Sight(frozenset({"team"})).sees("other"), Sight(None).sees("any")
        (True, False, True)
    """

    namespaces: frozenset[str] | None
    is_owner: bool = False

    @property
    def sees_all(self) -> bool:
        """Whether nothing is kept from them."""
        return self.namespaces is None

    def sees(self, namespace: str) -> bool:
        """Tell whether they see a namespace."""
        return self.namespaces is None or namespace in self.namespaces

    def narrowed_to(self, namespaces: Collection[str]) -> "Sight":
        """The same person, asking about these namespaces only."""
        return replace(self, namespaces=frozenset(each for each in namespaces if self.sees(each)))


#: Of whom nothing is kept.
OWNER = Sight(None, is_owner=True)


def list_namespaces(work: Work) -> frozenset[str]:
    """List the namespaces that carry configuration, or have a mapping in the table."""
    written = {key.namespace for key in work.resources.sources if key.namespace}
    return frozenset(written | {each.namespace for each in work.resources.mappings})


def narrow_work(work: Work, sight: Sight) -> Work:
    """Leave of a generation what somebody may see. Services, endpoints and Secrets are left out altogether."""
    if sight.sees_all:
        return work
    known = work.resources
    resources = ResourceSet(
        mappings=tuple([each for each in known.mappings if sight.sees(each.namespace)]),
        shared=tuple([each for each in known.shared if sight.sees(each.namespace)]),
        sources={key: version for key, version in known.sources.items() if sight.sees(key.namespace)},
        expiries={key: moment for key, moment in known.expiries.items() if sight.sees(key.namespace)},
        expired=frozenset(key for key in known.expired if sight.sees(key.namespace)),
        problems=narrow_problems(known.problems, sight),
        generation=known.generation,
    )
    compiled = Compiled(
        _narrow_table(work.compiled.table, resources, sight), narrow_problems(work.compiled.problems, sight)
    )
    return replace(work, resources=resources, compiled=compiled, provenance=Provenance())


def narrow_problems(problems: Iterable[Problem], sight: Sight) -> tuple[Problem, ...]:
    """Leave the problems of objects somebody may see, in words that tell of nothing else."""
    if sight.sees_all:
        return tuple(problems)
    return tuple([each.told_to(sight.sees) for each in problems if _belongs(each, sight)])


def narrow_route(route: Route, sight: Sight) -> Route | None:
    """Leave of a route the parts somebody may see: the very same route where that is all of it, None when it is none.

    The shares stay what they are, so they may sum to less than 100.
    """
    splits = tuple([each for each in route.splits if sight.sees(each.namespace)])
    shadows = tuple([each for each in route.shadows if sight.sees(each.namespace)]) if route.shadows else ()
    if len(splits) == len(route.splits) and len(shadows) == len(route.shadows):
        return route
    return replace(route, splits=splits, shadows=shadows) if splits or shadows else None


def find_shared_clusters(table: RoutingTable, sight: Sight) -> frozenset[str]:
    """Name the clusters whose counters would tell of requests to routes that somebody may not see.

    Several clusters are counted as one where their ``stats_name`` is the same, whoever wrote it.
    """
    if sight.sees_all:
        return frozenset()
    hidden = {each.cluster for route in table.routes() for each in route.receivers if not sight.sees(each.namespace)}
    if table.authorization is not None:
        hidden.add(table.authorization.cluster)
    counted = {name_in_statistics(each) for each in table.clusters if each.name in hidden}
    return frozenset(each.name for each in table.clusters if name_in_statistics(each) in counted)


def _narrow_table(table: RoutingTable, resources: ResourceSet, sight: Sight) -> RoutingTable:
    hosts = tuple(_narrow_host(host, sight) for host in table.virtual_hosts)
    own = _own_authorization(table, resources)
    named = {each.cluster for host in hosts for route in host.routes for each in route.receivers}
    if own is not None:
        named.add(own.cluster)
    clusters = tuple([each for each in table.clusters if each.name in named])
    return replace(table, virtual_hosts=hosts, clusters=clusters, authorization=own)


def _narrow_host(host: VirtualHost, sight: Sight) -> VirtualHost:
    narrowed = (narrow_route(route, sight) for route in host.routes)
    return replace(host, routes=tuple([route for route in narrowed if route is not None]))


def _own_authorization(table: RoutingTable, resources: ResourceSet) -> Authorization | None:
    asked = table.authorization
    if asked is None or all(each.resource is not asked.service for each in resources.shared):
        return None
    return asked


def _belongs(problem: Problem, sight: Sight) -> bool:
    place = problem.origin.object
    return place is not None and sight.sees(place.namespace)
