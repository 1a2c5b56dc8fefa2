"""Which route wins for a request, and why the others do not."""

from dataclasses import dataclass, replace

from kfambassador.resources.secrecy import is_secret_name
from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import PathKind, PathMatch, Route, RoutingTable, Split, ValueKind, ValueMatch
from kfambassador.routing.outcomes import build_location, rewrite_path
from kfambassador.routing.regex import matches_whole
from kfambassador.routing.requests import RequestLine, arrive, find_refusal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one route says to the request: why it does not match, or "" when it does."""

    route: Route
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of a request.

    Attributes:
        request: The request asked about, its path as the routes see it.
        winner: The route that takes it; None when it is refused, or answered with 404.
        verdicts: What every route says, in evaluation order. A route behind the winner may match as well: it is
            shadowed for this request. None where only the winner was asked for.
        refusal: Why the gateway refuses it before any route is asked, beginning with the status; "" when it does not.
        asks: Which service is asked first whether the request may pass; "" when nobody is.
    """

    request: RequestLine
    winner: Route | None
    verdicts: tuple[Verdict, ...] = ()
    refusal: str = ""
    asks: str = ""

    def upstream_path(self, split: Split) -> str:
        """The path the service sees when this split of the winner takes the request, without the query."""
        if self.winner is None:
            return self.request.path
        return rewrite_path(self.winner.match.path, split.mapping, self.request.path)

    def location(self, split: Split) -> str:
        """Where this split of the winner sends the client; "" when it is no redirect."""
        if self.winner is None or split.cluster:
            return ""
        return build_location(self.winner.match.path, split, self.request)


def explain(table: RoutingTable, request: RequestLine) -> Explanation:
    """Ask the table, as Envoy would, which route takes a request."""
    found = find_winner(table, request)
    if found.refusal:
        return found
    verdicts = tuple(Verdict(route, find_mismatch(route, found.request)) for route in table.routes())
    return replace(found, verdicts=verdicts)


def find_winner(table: RoutingTable, request: RequestLine) -> Explanation:
    """Ask the same, without the verdicts: nobody behind the winner is asked."""
    refusal = find_refusal(request, table.module)
    if refusal:
        return Explanation(request, None, refusal=refusal)
    arrived = arrive(request, table.module)
    winner = next((route for route in table.routes() if not find_mismatch(route, arrived)), None)
    return Explanation(arrived, winner, asks=_find_asked(table, winner))


def _find_asked(table: RoutingTable, winner: Route | None) -> str:
    """Say which authorization service has a word before the winner; redirects and ``bypass_auth`` ask nobody."""
    asked = table.authorization
    if asked is None or winner is None:
        return ""
    free = all(not split.cluster or split.mapping.bypass_auth for split in winner.splits)
    return "" if free else asked.service.auth_service or f"AuthService {asked.service.name}, which is at fault"


def find_mismatch(route: Route, request: RequestLine) -> str:
    """Say which condition fails first; "" when all hold."""
    match = route.match
    if not _path_matches(match.path, request.path):
        return f"path {request.path} is not {_describe_path(match.path)}"
    for condition in match.headers:
        value = request.header(condition.name)
        if not _value_matches(condition, value):
            return _tell_difference(_spell(condition.name), condition, value)
    for condition in match.query_parameters:
        value = request.query.get(condition.name)
        if not _value_matches(condition, value):
            return _tell_difference(f"query parameter {condition.name}", condition, value)
    return ""


def _tell_difference(named: str, condition: ValueMatch, value: str | None) -> str:
    """Say what a value is and should be; of one that may be a secret no more than whether it is there."""
    if is_secret_name(condition.name):
        return f"{named} {'is missing' if value is None else 'has another value'}"
    return f"{named} {'is missing' if value is None else repr(value)}, not {_describe(condition)}"


def _path_matches(match: PathMatch, path: str) -> bool:
    if match.kind is PathKind.REGEX:
        return matches_whole(match.text, path)
    text = match.text
    if not match.case_sensitive:
        text, path = text.lower(), path.lower()
    return path == text if match.kind is PathKind.EXACT else path.startswith(text)


def _value_matches(condition: ValueMatch, value: str | None) -> bool:
    if value is None:
        return False
    if condition.kind is ValueKind.REGEX:
        return matches_whole(write_expression(condition), value)
    return {
        ValueKind.EXACT: value == condition.value,
        ValueKind.PRESENT: True,
        ValueKind.PREFIX: value.startswith(condition.value),
        ValueKind.SUFFIX: value.endswith(condition.value),
    }[condition.kind]


def _describe_path(match: PathMatch) -> str:
    words = {PathKind.PREFIX: "below", PathKind.EXACT: "exactly", PathKind.REGEX: "like"}
    return f"{words[match.kind]} {match.text}"


def _describe(condition: ValueMatch) -> str:
    words = {
        ValueKind.EXACT: repr(condition.value),
        ValueKind.PRESENT: "any value",
        ValueKind.PREFIX: f"{condition.value}*",
        ValueKind.SUFFIX: f"*{condition.value}",
        ValueKind.REGEX: f"like {condition.value}",
    }
    return words[condition.kind]


def _spell(name: str) -> str:
    return {METHOD: "method", HOST: "host"}.get(name, f"header {name}")
