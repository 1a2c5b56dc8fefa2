"""The routing table as plain data: for people, programs and golden files alike."""

from kfambassador.problems import Problem
from kfambassador.routing.explain import Explanation, Verdict
from kfambassador.routing.matches import HOST, METHOD
from kfambassador.routing.model import Cluster, Match, Route, RoutingTable, Split, ValueKind, ValueMatch

#: What JSON can hold.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_OWN_WORDS = frozenset({"name", "service", "prefix", "weight", "precedence"})


def describe_table(table: RoutingTable) -> dict[str, Json]:
    """Describe a table: its routes in evaluation order, and its clusters."""
    return {
        "routes": [describe_route(route) for route in table.routes()],
        "clusters": [_describe_cluster(cluster) for cluster in table.clusters],
    }


def describe_route(route: Route) -> dict[str, Json]:
    """Describe one route; what says nothing is left out.

    Example:
        >>> from kfambassador.routing.model import PathKind, PathMatch
        >>> describe_route(Route(Match(PathMatch(PathKind.PREFIX, "/m/")), precedence=0, splits=()))
        {'match': {'prefix': '/m/'}, 'precedence': 0, 'splits': []}
    """
    return {
        "match": _describe_match(route.match),
        "precedence": route.precedence,
        "splits": [_describe_split(split) for split in route.splits],
    }


def _describe_match(match: Match) -> dict[str, Json]:
    described: dict[str, Json] = {match.path.kind.value: match.path.text}
    if not match.path.case_sensitive:
        described["case_sensitive"] = False
    described |= {
        word: _describe_value(condition)
        for name, word in ((METHOD, "method"), (HOST, "host"))
        for condition in match.headers
        if condition.name == name
    }
    headers = [condition for condition in match.headers if condition.name not in {METHOD, HOST}]
    if headers:
        described["headers"] = {condition.name: _describe_value(condition) for condition in headers}
    if match.query_parameters:
        described["query_parameters"] = {
            condition.name: _describe_value(condition) for condition in match.query_parameters
        }
    return described


def _describe_value(condition: ValueMatch) -> Json:
    if condition.kind is ValueKind.EXACT:
        return condition.value
    return True if condition.kind is ValueKind.PRESENT else {condition.kind.value: condition.value}


def _describe_split(split: Split) -> dict[str, Json]:
    written = split.mapping.model_dump(mode="json", exclude_defaults=True)
    matching = {name for name in written if name in type(split.mapping).families()[0].model_fields}
    return {
        "mapping": f"{split.namespace}/{split.mapping.name}",
        "service": split.mapping.service,
        "cluster": split.cluster,
        "share": split.share,
        "source": str(split.origin),
        "attributes": {name: value for name, value in written.items() if name not in matching | _OWN_WORDS},
    }


def _describe_cluster(cluster: Cluster) -> dict[str, Json]:
    return {
        "name": cluster.name,
        "target": str(cluster.target),
        "discovery": cluster.discovery.value,
        "endpoints": [str(endpoint) for endpoint in cluster.endpoints],
    }


def describe_problem(problem: Problem) -> dict[str, Json]:
    """Describe a problem, its place in parts and in words."""
    origin = problem.origin
    return {
        "severity": problem.severity.value,
        "code": problem.code,
        "message": problem.message,
        "path": problem.path,
        "place": str(origin),
        "file": origin.file,
        "object": str(origin.object) if origin.object else "",
        "document": origin.document,
        "line": origin.line,
    }


def describe_explanation(explanation: Explanation) -> dict[str, Json]:
    """Describe what becomes of a request: the winner, and what the routes that share its path say."""
    request = explanation.request
    described: dict[str, Json] = {
        "request": {"method": request.method, "host": request.host, "path": request.path},
        "winner": None,
        "verdicts": [_describe_verdict(verdict) for verdict in explanation.verdicts],
    }
    if explanation.winner is not None:
        described["winner"] = describe_route(explanation.winner)
        described["upstream_paths"] = {
            f"{split.namespace}/{split.mapping.name}": explanation.upstream_path(split)
            for split in explanation.winner.splits
        }
    return described


def _describe_verdict(verdict: Verdict) -> dict[str, Json]:
    mappings: list[Json] = [f"{split.namespace}/{split.mapping.name}" for split in verdict.route.splits]
    return {"mappings": mappings, "match": _describe_match(verdict.route.match), "reason": verdict.reason}
