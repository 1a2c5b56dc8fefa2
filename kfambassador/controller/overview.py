"""The overview: everything that is known of the gateway, in parts that can be asked for one by one.

The parts have the names Ambassador's own overview gave them, and hold what it did not tell: effective shares, who lost
a conflict, what could not be read, and what Envoy refused. No part holds a secret: certificates are spoken of by name.
"""

import platform
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

from kfambassador import __version__
from kfambassador.controller.envoy_view import EnvoyView, describe_levels, describe_traffic, name_in_statistics
from kfambassador.controller.history import History
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.state import SourceStatus, Work
from kfambassador.problems import Problem, Severity
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.meta import SourcedResource
from kfambassador.resources.tls_context import TLSContext
from kfambassador.routing.describe import (
    Json,
    describe_cluster,
    describe_match,
    describe_problem,
    describe_route,
    name_mapping,
)
from kfambassador.routing.model import Cluster, Route, Split
from kfambassador.xds.session import NodeStatus

#: Of a kind that is known and not acted on.
_NOT_SERVED: Final = "kind-not-served"
#: Resolvers that are always there (Ambassador, "Resolvers").
_BUILT_IN: Final[Dict[str, str]] = {
    "kubernetes-service": "KubernetesServiceResolver",
    "endpoint": "KubernetesEndpointResolver",
    "kubernetes-endpoint": "KubernetesEndpointResolver",
}


@dataclass(frozen=True)
class Seen:
    """All that an overview is made of, at one moment.

    Attributes:
        work: What was compiled.
        settings: How the controller runs.
        history: What happened until now.
        served: The newest generation that every Envoy acknowledged.
        nodes: The Envoys that are connected.
        lost: What cannot be followed at present, and why, by kind.
        envoy: What Envoy says of itself.
        shared: The clusters whose counters tell of requests that are none of the reader's business.
    """

    work: Work
    settings: ControllerSettings
    history: History
    served: int | None
    nodes: tuple[NodeStatus, ...]
    lost: Dict[str, str]
    envoy: EnvoyView
    shared: frozenset[str] = frozenset()

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """All routes, in the order they are evaluated."""
        return self.work.compiled.table.routes()

    @cached_property
    def sources(self) -> tuple[SourceStatus, ...]:
        """Every object that carries configuration."""
        return tuple(self.work.source(key, served=self.served) for key in self.work.resources.sources)

    @cached_property
    def clusters(self) -> Dict[str, Cluster]:
        """The clusters by name."""
        return {cluster.name: cluster for cluster in self.work.compiled.table.clusters}

    @cached_property
    def groups(self) -> Dict[str, Route]:
        """The routes by what they are called in addresses."""
        return {name_group(route): route for route in self.routes}

    def traffic(self, cluster: str) -> dict[str, Json]:
        """What became of a cluster's requests."""
        known = self.clusters.get(cluster)
        return self.tell_traffic(cluster, self.envoy.counters.get(name_in_statistics(known), {}) if known else {})

    def tell_traffic(self, cluster: str, counters: Dict[str, int]) -> dict[str, Json]:
        """Describe what became of a cluster's requests, where it may be told."""
        if cluster in self.shared:
            return {**dict.fromkeys(describe_traffic({})), "health": "unknown", "shared": True}
        return describe_traffic(counters)

    def problems(self, severity: Severity) -> list[Json]:
        """The problems of one severity."""
        return [describe_problem(each) for each in self.work.compiled.problems if each.severity is severity]


def name_group(route: Route) -> str:
    """Name a route by what it matches, so that it keeps its name whoever shares it."""
    path, headers, parameters = route.match
    conditions = (path, *headers, *parameters)
    text = "\n".join((str(route.precedence), str(len(headers)), *("\t".join(map(str, each)) for each in conditions)))
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def describe_overview(seen: Seen, key: str = "", *, without: Collection[str] = ()) -> dict[str, Json]:
    """Describe everything but some parts, or the part with this key alone.

    Raises:
        KeyError: There is no such part.
    """
    if key:
        return {key: PARTS[key](seen)}
    return {name: part(seen) for name, part in PARTS.items() if name not in without}


def describe_source(status: SourceStatus) -> dict[str, Json]:
    """Describe how far an object has come."""
    return {
        "object": str(status.key),
        "resource_version": status.resource_version,
        "state": status.state.value,
        "mappings": list(status.mappings),
        "problems": [describe_problem(problem) for problem in status.problems],
    }


def describe_group(seen: Seen, route: Route) -> dict[str, Json]:
    """Describe a route, its effective shares and how its services fare."""
    return {
        "group": name_group(route),
        "key": _write_key(route),
        **describe_route(route),
        "clusters": [
            {
                "name": split.cluster,
                "mapping": name_mapping(split),
                "service": split.mapping.service,
                "weight": split.mapping.weight,
                "effective_weight": split.share,
                **seen.traffic(split.cluster),
            }
            for split in route.splits
        ],
    }


def _describe_system(seen: Seen) -> Json:
    policy = seen.settings.policy
    ids: list[Json] = [*sorted(policy.gateway_ids)]
    return {
        "version": __version__,
        "hostname": platform.node(),
        "ambassador_id": ids,
        "ambassador_namespace": policy.gateway_namespace,
        "single_namespace": seen.settings.namespace,
        "uptime": seen.history.age(seen.history.started),
        "configuration_age": seen.history.age(seen.history.compiled),
        "generation": seen.work.generation,
        "served": seen.served,
    }


def _describe_envoy(seen: Seen) -> Json:
    view = seen.envoy
    return {
        "alive": not view.error,
        "ready": view.state == "LIVE" and seen.served is not None,
        "version": view.version,
        "state": view.state,
        "uptime": view.uptime,
        "error": view.error,
        "connected": len(seen.nodes),
    }


def _describe_nodes(seen: Seen) -> Json:
    return [
        {
            "node": node.node_id,
            "acknowledged": node.acknowledged,
            "rejection": node.rejection.message if node.rejection else None,
        }
        for node in seen.nodes
    ]


def _describe_refusals(seen: Seen) -> Json:
    return [
        {"age": seen.history.age(each.at), "generation": each.generation, "node": each.node, "words": each.words}
        for each in reversed(seen.history.refusals)
    ]


def _describe_problems(seen: Seen) -> Json:
    return [describe_problem(problem) for problem in seen.work.compiled.problems]


def _select(seen: Seen, wanted: Callable[[Problem], bool]) -> list[Json]:
    return [describe_problem(problem) for problem in seen.work.compiled.problems if wanted(problem)]


def _describe_unread(seen: Seen) -> Json:
    """What is wrong with texts rather than with what they say."""
    return [
        describe_problem(problem)
        for problem in seen.work.resources.problems
        if problem.severity is Severity.ERROR and problem.origin.document is not None
    ]


def _describe_clusters(seen: Seen) -> Json:
    return {name: describe_cluster(cluster) for name, cluster in seen.clusters.items()}


def _describe_statistics(seen: Seen) -> Json:
    return {name: seen.traffic(name) for name in seen.clusters}


def _describe_source_map(seen: Seen) -> Json:
    routes: dict[str, list[Json]] = {}
    clusters: dict[str, list[Json]] = {}
    for route in seen.routes:
        for split in route.receivers:
            source = str(split.origin.object or split.origin)
            routes.setdefault(source, []).append(name_group(route))
            clusters.setdefault(source, []).append(split.cluster)
    return {
        str(status.key): {
            "state": status.state.value,
            "mappings": list(status.mappings),
            "groups": routes.get(str(status.key), []),
            "clusters": [each for each in clusters.get(str(status.key), []) if each],
            "problems": len(status.problems),
        }
        for status in seen.sources
    }


def _describe_elements(seen: Seen) -> Json:
    return [_describe_element(each) for each in seen.work.resources.shared]


def _describe_resolvers(seen: Seen) -> Json:
    own = [each for each in seen.work.resources.shared if type(each.resource).__name__.endswith("Resolver")]
    built_in: list[Json] = [{"kind": kind, "name": name, "source": "built in"} for name, kind in _BUILT_IN.items()]
    return [*built_in, *map(_describe_element, own)]


def _describe_services(seen: Seen) -> Json:
    """The services a gateway itself asks, and whether this one does."""
    authorization = seen.work.compiled.table.authorization
    asked = authorization.service if authorization else None
    known = [each for each in seen.work.resources.shared if isinstance(each.resource, AuthService)]
    others = [each for each in seen.work.compiled.problems if each.code == _NOT_SERVED]
    return [
        *({"served": each.resource is asked, **_describe_element(each)} for each in known),
        *({"served": False, **describe_problem(each)} for each in others),
    ]


def _describe_contexts(seen: Seen) -> Json:
    return [_describe_element(each) for each in seen.work.resources.shared if isinstance(each.resource, TLSContext)]


def _describe_element(each: SourcedResource) -> dict[str, Json]:
    kind = type(each.resource).__name__
    return {"kind": kind, "name": each.resource.name, "namespace": each.namespace, "source": str(each.origin)}


def _describe_groups(seen: Seen) -> Json:
    return {
        name: {
            "match": describe_match(route.match),
            "precedence": route.precedence,
            "mappings": _name_all(route.splits),
            "shadows": _name_all(route.shadows),
        }
        for name, route in seen.groups.items()
    }


def _name_all(splits: Iterable[Split]) -> list[Json]:
    return [name_mapping(split) for split in splits]


def _write_key(route: Route) -> str:
    """Write a route's match in one line, as an address reads."""
    match = describe_match(route.match)
    path = next(str(match[kind]) for kind in ("prefix", "exact", "regex") if kind in match)
    return f"{match.get('method', '*')} {match.get('host', '*')} {path}"


#: The parts that tell of the gateway as a whole, which is its owner's.
OWNERS_PARTS: Final = frozenset({"system", "envoy_status", "loginfo", "envoys", "refusals", "lost"})

#: The parts of an overview, each by its key.
PARTS: Final[Dict[str, Callable[[Seen], Json]]] = {
    "system": _describe_system,
    "envoy_status": _describe_envoy,
    "loginfo": lambda seen: describe_levels(seen.envoy.levels),
    "generation": lambda seen: seen.work.generation,
    "served": lambda seen: seen.served,
    "envoys": _describe_nodes,
    "refusals": _describe_refusals,
    "lost": lambda seen: {**seen.lost},
    "errors": lambda seen: seen.problems(Severity.ERROR),
    "warnings": lambda seen: seen.problems(Severity.WARNING),
    "notices": lambda seen: seen.problems(Severity.NOTICE),
    "conflicts": lambda seen: _select(seen, lambda problem: problem.is_conflict),
    "unread": _describe_unread,
    "problems": _describe_problems,
    "route_info": lambda seen: [describe_group(seen, route) for route in seen.routes],
    "groups": _describe_groups,
    "cluster_info": _describe_clusters,
    "cluster_stats": _describe_statistics,
    "sources": lambda seen: [describe_source(status) for status in seen.sources],
    "source_map": _describe_source_map,
    "ambassador_elements": _describe_elements,
    "ambassador_resolvers": _describe_resolvers,
    "ambassador_services": _describe_services,
    "tlscontexts": _describe_contexts,
}
