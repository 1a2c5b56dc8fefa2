"""The routing table as plain data: for people, programs and golden files alike."""

from collections.abc import Iterable

from kfambassador.problems import Origin, Problem
from kfambassador.routing.explain import Explanation, Verdict
from kfambassador.routing.matches import HOST, METHOD
from kfambassador.routing.model import Cluster, Match, Route, RoutingTable, Split, ValueKind, ValueMatch
from kfambassador.routing.outcomes import REDIRECT_WORDS, read_code

#: What JSON can hold.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_OWN_WORDS = frozenset({"name", "service", "prefix", "weight", "precedence"})


def describe_table(table: RoutingTable) -> dict[str, Json]:
    """Describe a table: its routes in evaluation order, and its clusters."""
    return {
        "routes": [describe_route(route) for route in table.routes()],
        "clusters": [describe_cluster(cluster) for cluster in table.clusters],
    }


def describe_route(route: Route) -> dict[str, Json]:
    """Describe one route; what says nothing is left out.

    Example:
        >>> from kfambassador.routing.model import PathKind, PathMatch
        >>> describe_route(Route(Match(PathMatch(PathKind.PREFIX, "/m/")), precedence=0, splits=()))
        {'match': {'prefix': '/m/'}, 'precedence': 0, 'splits': []}
    """
    described: dict[str, Json] = {
        "match": describe_match(route.match),
        "precedence": route.precedence,
        "splits": [_describe_split(split) for split in route.splits],
    }
    if route.shadows:
        described["shadows"] = [_describe_split(split) for split in route.shadows]
    return described


def describe_match(match: Match) -> dict[str, Json]:
    """Describe a route's conditions.

    Example:
        >>> from kfambassador.routing.model import PathKind, PathMatch
        >>> describe_match(Match(PathMatch(PathKind.EXACT, "/m"), (ValueMatch(METHOD, ValueKind.EXACT, "GET"),)))
        {'exact': '/m', 'method': 'GET'}
    """
    described: dict[str, Json] = {match.path.kind.value: match.path.text}
    if not match.path.case_sensitive:
        described["case_sensitive"] = False
    headers = _describe_values(match.headers)
    described |= {word: headers.pop(name) for name, word in ((METHOD, "method"), (HOST, "host")) if name in headers}
    if headers:
        described["headers"] = headers
    if match.query_parameters:
        described["query_parameters"] = _describe_values(match.query_parameters)
    return described


def _describe_values(conditions: Iterable[ValueMatch]) -> dict[str, Json]:
    """Describe conditions by name; where one name has several, all of them must hold."""
    by_name: dict[str, list[Json]] = {}
    for condition in conditions:
        by_name.setdefault(condition.name, []).append(_describe_value(condition))
    return {name: values if len(values) > 1 else values[0] for name, values in by_name.items()}


def _describe_value(condition: ValueMatch) -> Json:
    if condition.kind is ValueKind.EXACT:
        return condition.value
    return True if condition.kind is ValueKind.PRESENT else {condition.kind.value: condition.value}


def _describe_split(split: Split) -> dict[str, Json]:
    written = split.mapping.model_dump(mode="json", exclude_defaults=True)
    matching = {name for name in written if name in type(split.mapping).families()[0].model_fields}
    return {
        "mapping": name_mapping(split),
        "service": split.mapping.service,
        "cluster": split.cluster,
        "share": split.share,
        "source": str(split.origin),
        **_describe_place(split.origin),
        "attributes": {name: value for name, value in written.items() if name not in matching | _OWN_WORDS},
    }


def describe_cluster(cluster: Cluster) -> dict[str, Json]:
    """Describe a cluster; how its connections are protected is told without a word of any secret."""
    described: dict[str, Json] = {
        "name": cluster.name,
        "target": str(cluster.target),
        "discovery": cluster.discovery.value,
        "endpoints": [str(endpoint) for endpoint in cluster.endpoints],
    }
    if cluster.tls is not None:
        described["tls"] = {
            "context": cluster.tls.context,
            "names": list(cluster.tls.verified_names),
            "verified": cluster.tls.authorities is not None,
        }
    return described


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
        **_describe_place(origin),
    }


def _describe_place(origin: Origin) -> dict[str, Json]:
    return {"object": origin.object_name, "document": origin.document, "line": origin.line}


def describe_explanation(explanation: Explanation) -> dict[str, Json]:
    """Describe what becomes of a request: the winner, where it leads, and what every route says."""
    request, winner = explanation.request, explanation.winner
    described: dict[str, Json] = {
        "request": {"method": request.method, "host": request.host, "path": request.path},
        "winner": None,
        "verdicts": [_describe_verdict(verdict) for verdict in explanation.verdicts],
    }
    if explanation.refusal:
        described["refusal"] = explanation.refusal
    if winner is None:
        return described
    described["winner"] = describe_route(winner)
    first = winner.splits[0]
    if first.cluster:
        if explanation.asks:
            described["asks"] = explanation.asks
        described["upstream_paths"] = {name_mapping(each): explanation.upstream_path(each) for each in winner.splits}
    else:
        code = read_code(first.mapping)
        location = explanation.location(first)
        described["redirect"] = {"location": location, "code": code, "words": REDIRECT_WORDS[code]}
    return described


def name_mapping(split: Split) -> str:
    """Name a split's mapping as everybody does: its namespace and name."""
    return f"{split.namespace}/{split.mapping.name}"


def _describe_verdict(verdict: Verdict) -> dict[str, Json]:
    mappings: list[Json] = [name_mapping(split) for split in verdict.route.splits]
    return {"mappings": mappings, "match": describe_match(verdict.route.match), "reason": verdict.reason}
