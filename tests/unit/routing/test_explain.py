"""Which route takes a request, and what the others say."""

import pytest

from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.describe import describe_explanation
from kfambassador.routing.explain import Explanation, RequestLine, explain, rewrite_path
from kfambassador.routing.model import PathKind, PathMatch
from tests.builders import compiled, sourced


@pytest.mark.parametrize(
    ("url", "host", "path", "query"),
    [
        ("/models/x/", "localhost", "/models/x/", {}),
        ("models/x/", "localhost", "/models/x/", {}),
        ("", "localhost", "/", {}),
        ("http://a.com", "a.com", "/", {}),
        ("https://A.com:8443/x", "a.com", "/x", {}),
        ("http://user:secret@a.com/x", "a.com", "/x", {}),
        ("http://[::1]:8080/x", "[::1]", "/x", {}),
        ("http://[::1/x", "[:", "/x", {}),
        ("http://a.com./x", "a.com", "/x", {}),
        ("//admin/x", "localhost", "//admin/x", {}),
        ("/a//b", "localhost", "/a//b", {}),
        ("/x?a=1&b=&c&a=2", "localhost", "/x", {"a": "1", "b": "", "c": ""}),
        ("/x?a=%20+&&", "localhost", "/x", {"a": "%20+"}),
        ("/x?u=http://b.com/", "localhost", "/x", {"u": "http://b.com/"}),
        ("/x#there", "localhost", "/x", {}),
        ("/models/x:predict", "localhost", "/models/x:predict", {}),
    ],
)
def test_a_request_is_read_from_what_a_person_types(url: str, host: str, path: str, query: dict[str, str]) -> None:
    assert RequestLine.read("get", url) == RequestLine("GET", host, path, query)


def test_a_host_header_beats_the_host_of_the_url() -> None:
    request = RequestLine.read("GET", "http://a.com/x", {"HOST": "B.com:80", "X-Y": "Z"})
    assert (request.host, request.headers) == ("b.com", {"x-y": "Z"})


TABLE = (
    sourced("any", prefix="/m/"),
    sourced("post", prefix="/m/", method="POST", rewrite="/v1/m:predict"),
    sourced("host", prefix="/m/", host="*.example.org", headers={"x-kind": "a", "x-any": True}),
    sourced("query", prefix="/m/", query_parameters={"version": "2"}, regex_query_parameters={"user": "u[0-9]+"}),
    sourced("exact", prefix="/m/exact", prefix_exact=True, rewrite="/whole"),
    sourced("regex", prefix="/m/[0-9]+/x", prefix_regex=True),
    sourced("loud", prefix="/M/LOUD/", case_sensitive=False),
    sourced("glob", prefix="/glob/", host="a.*"),
    sourced("host-regex", prefix="/hr/", host="(a|B).com", host_regex=True),
)


def ask(
    method: str, url: str, headers: dict[str, str] | None = None, *, table: tuple[SourcedMapping, ...] = TABLE
) -> Explanation:
    return explain(compiled(*table).table, RequestLine.read(method, url, headers))


@pytest.mark.parametrize(
    ("method", "url", "headers", "winner"),
    [
        ("GET", "/m/x", {}, "any"),
        ("POST", "/m/x", {}, "post"),
        ("GET", "http://a.example.org/m/", {"x-kind": "a", "X-Any": ""}, "host"),
        ("GET", "http://a.example.org/m/", {"x-kind": "b", "x-any": ""}, "any"),
        ("GET", "http://a.example.org/m/", {"x-kind": "a"}, "any"),
        ("GET", "http://example.org/m/", {"x-kind": "a", "x-any": ""}, "any"),
        ("GET", "/m/?version=2&user=u7", {}, "query"),
        ("GET", "/m/?version=2&user=7", {}, "any"),
        ("GET", "/m/?version=3&user=u7", {}, "any"),
        ("GET", "/m/exact", {}, "exact"),
        ("GET", "/m/exact/", {}, "any"),
        ("GET", "/m/7/x", {}, "regex"),
        ("GET", "/m/7/xy", {}, "any"),
        ("GET", "/m/loud/x", {}, "loud"),
        ("GET", "http://a.net/glob/", {}, "glob"),
        ("GET", "http://b.net/glob/", {}, None),
        ("GET", "http://b.com/hr/", {}, "host-regex"),
        ("GET", "http://c.com/hr/", {}, None),
        ("GET", "/m", {}, None),
    ],
)
def test_the_winner(method: str, url: str, headers: dict[str, str], winner: str | None) -> None:
    found = ask(method, url, headers).winner
    assert (found.splits[0].mapping.name if found else None) == winner


@pytest.mark.parametrize(
    ("method", "url", "name", "reason"),
    [
        ("GET", "/x", "any", "path /x is not below /m/"),
        ("GET", "/x", "exact", "path /x is not exactly /m/exact"),
        ("GET", "/x", "regex", "path /x is not like /m/[0-9]+/x"),
        ("GET", "/m/", "post", "method 'GET', not 'POST'"),
        ("GET", "/m/", "host", "host 'localhost', not *.example.org"),
        ("GET", "http://x.example.org/m/", "host", "header x-any is missing, not any value"),
        ("GET", "/m/", "query", "query parameter user is missing, not like u[0-9]+"),
        ("GET", "/m/?user=u1&version=3", "query", "query parameter version '3', not '2'"),
        ("GET", "http://x.net/glob/", "glob", "host 'x.net', not a.*"),
        ("GET", "http://x.net/hr/", "host-regex", "host 'x.net', not like (a|B).com"),
        ("POST", "/m/x", "any", ""),
    ],
)
def test_every_other_route_says_why_not(method: str, url: str, name: str, reason: str) -> None:
    verdicts = {verdict.route.splits[0].mapping.name: verdict.reason for verdict in ask(method, url).verdicts}
    assert verdicts[name] == reason


@pytest.mark.parametrize(
    ("match", "rewrite", "path", "upstream"),
    [
        (PathMatch(PathKind.PREFIX, "/x/"), None, "/x/a", "/a"),
        (PathMatch(PathKind.PREFIX, "/x"), None, "/x/a", "//a"),
        (PathMatch(PathKind.PREFIX, "/x/"), "", "/x/a", "/x/a"),
        (PathMatch(PathKind.PREFIX, "/nd"), "/x/", "/nd/abc", "/x//abc"),
        (PathMatch(PathKind.PREFIX, "/models/test/"), "/model/test/:predict", "/models/test/", "/model/test/:predict"),
        (PathMatch(PathKind.PREFIX, "/models/test/"), "/m:predict", "/models/test/abc", "/m:predictabc"),
        (PathMatch(PathKind.PREFIX, "/X/", case_sensitive=False), "/y/", "/x/a", "/y/a"),
        (PathMatch(PathKind.EXACT, "/x/"), None, "/x/", "/"),
        (PathMatch(PathKind.EXACT, "/x/"), "/y", "/x/", "/y"),
        (PathMatch(PathKind.REGEX, "/x/.*"), "/y", "/x/abc", "/y"),
        (PathMatch(PathKind.REGEX, "/x/.*"), "", "/x/abc", "/x/abc"),
    ],
)
def test_the_path_the_service_sees(match: PathMatch, rewrite: str | None, path: str, upstream: str) -> None:
    assert rewrite_path(match, rewrite, path) == upstream


def test_an_explanation_in_plain_words() -> None:
    described = describe_explanation(ask("POST", "/m/x", table=TABLE[:2]))
    assert described["request"] == {"method": "POST", "host": "localhost", "path": "/m/x"}
    assert described["upstream_paths"] == {"default/post": "/v1/m:predictx"}
    assert described["verdicts"] == [
        {"mappings": ["default/post"], "match": {"prefix": "/m/", "method": "POST"}, "reason": ""},
        {"mappings": ["default/any"], "match": {"prefix": "/m/"}, "reason": ""},
    ]


def test_nobody_takes_the_request() -> None:
    explanation = ask("GET", "/x", table=())
    assert describe_explanation(explanation) == {
        "request": {"method": "GET", "host": "localhost", "path": "/x"},
        "winner": None,
        "verdicts": [],
    }
