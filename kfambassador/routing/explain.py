"""Which route wins for a request, and why the others do not."""

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import PathKind, PathMatch, Route, RoutingTable, Split, ValueKind, ValueMatch
from kfambassador.routing.regex import matches_whole

_ANY_HOST = "localhost"
# Any text is a URL of some kind; what a parser of URLs would refuse, Envoy may well route.
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request as far as routing looks at it.

    Attributes:
        method: In upper case.
        host: Without its port, in lower case.
        path: Without its query.
        query: The query parameters as written, not decoded; of one given twice, the first counts. So it is in Envoy.
        headers: Names in lower case.
    """

    method: str
    host: str
    path: str
    query: Dict[str, str] = field(default_factory=dict)
    headers: Dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, method: str, url: str, headers: Dict[str, str] | None = None) -> "RequestLine":
        """Read a request from what a person types.

        Args:
            method: Such as ``get``.
            url: A whole URL, or only its path and query.
            headers: Request headers; ``Host`` beats the URL's host.

        Example:
            >>> RequestLine.read("get", "http://A.com:8080/x?a=1", {"X-Y": "z"})
            RequestLine(method='GET', host='a.com', path='/x', query={'a': '1'}, headers={'x-y': 'z'})
        """
        parts = _URL.match(url)
        host, path, query = parts.group("host", "path", "query") if parts else (None, url, None)
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        host = lower.pop("host", _ANY_HOST if host is None else host.rpartition("@")[2])
        return cls(method.upper(), _bare_host(host), f"/{path.removeprefix('/')}", _read_query(query or ""), lower)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one route says to the request: why it does not match, or "" when it does."""

    route: Route
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of a request.

    Attributes:
        request: The request asked about.
        winner: The route that takes it; None when it is answered with 404.
        verdicts: What every route says, in evaluation order. A route behind the winner may match as well: it is
            shadowed for this request.
    """

    request: RequestLine
    winner: Route | None
    verdicts: tuple[Verdict, ...]

    def upstream_path(self, split: Split) -> str:
        """The path the service sees when this split of the winner takes the request, without the query."""
        if self.winner is None:
            return self.request.path
        return rewrite_path(self.winner.match.path, split.mapping.rewrite, self.request.path)


def explain(table: RoutingTable, request: RequestLine) -> Explanation:
    """Ask the table, as Envoy would, which route takes a request.

    The path is taken as Envoy's router sees it: ``..`` and doubled slashes already resolved.
    """
    verdicts = tuple(Verdict(route, _find_mismatch(route, request)) for route in table.routes())
    winner = next((verdict.route for verdict in verdicts if not verdict.reason), None)
    return Explanation(request, winner, verdicts)


def rewrite_path(match: PathMatch, rewrite: str | None, path: str) -> str:
    """Give the path the service sees.

    Example:
        >>> rewrite_path(PathMatch(PathKind.PREFIX, "/models/test/"), "/model/test/:predict", "/models/test/v2")
        '/model/test/:predictv2'
    """
    replacement = "/" if rewrite is None else rewrite
    if not replacement:
        return path
    return replacement + path[len(match.text) :] if match.kind is PathKind.PREFIX else replacement


def _read_query(text: str) -> Dict[str, str]:
    query: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        query.setdefault(name, value)
    return query


def _find_mismatch(route: Route, request: RequestLine) -> str:
    """Say which condition fails first; "" when all hold."""
    match = route.match
    if not _path_matches(match.path, request.path):
        return f"path {request.path} is not {_describe_path(match.path)}"
    for condition in match.headers:
        value = _read_header(condition.name, request)
        if not _value_matches(condition, value):
            return (
                f"{_spell(condition.name)} {'is missing' if value is None else repr(value)}, not {_describe(condition)}"
            )
    for condition in match.query_parameters:
        value = request.query.get(condition.name)
        if not _value_matches(condition, value):
            found = "is missing" if value is None else repr(value)
            return f"query parameter {condition.name} {found}, not {_describe(condition)}"
    return ""


def _path_matches(match: PathMatch, path: str) -> bool:
    if match.kind is PathKind.REGEX:
        return matches_whole(match.text, path)
    text = match.text
    if not match.case_sensitive:
        text, path = text.lower(), path.lower()
    return path == text if match.kind is PathKind.EXACT else path.startswith(text)


def _read_header(name: str, request: RequestLine) -> str | None:
    if name == METHOD:
        return request.method
    if name == HOST:
        return request.host
    return request.headers.get(name)


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


def _bare_host(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdigit() else host.lower()).removesuffix(".")
