"""Which route takes a request, and what the others say."""

from dataclasses import replace
from typing import Any

import pytest

from kfambassador.resources.meta import SourcedMapping
from kfambassador.resources.module import Module
from kfambassador.routing.describe import describe_explanation
from kfambassador.routing.explain import Explanation, explain, find_winner
from kfambassador.routing.model import PathKind, PathMatch
from kfambassador.routing.outcomes import rewrite_path
from kfambassador.routing.regex import substitute
from kfambassador.routing.requests import RequestLine
from tests.builders import compiled, mapping, sourced


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
    assert rewrite_path(match, mapping(rewrite=rewrite), path) == upstream


def test_an_explanation_in_plain_words() -> None:
    described = describe_explanation(ask("POST", "/m/x", table=TABLE[:2]))
    assert described["request"] == {"method": "POST", "host": "localhost", "path": "/m/x"}
    assert described["upstream_paths"] == {"default/post": "/v1/m:predictx"}
    assert described["verdicts"] == [
        {"mappings": ["default/post"], "match": {"prefix": "/m/", "method": "POST"}, "reason": ""},
        {"mappings": ["default/any"], "match": {"prefix": "/m/"}, "reason": ""},
    ]


@pytest.mark.parametrize("path", ["/m/", "/nobody", "/%zz"])
def test_who_only_asks_for_the_winner_is_told_the_same_of_it(path: str) -> None:
    table, line = compiled(*TABLE).table, RequestLine.read("POST", path, {})
    assert find_winner(table, line) == replace(explain(table, line), verdicts=())


def test_nobody_takes_the_request() -> None:
    explanation = ask("GET", "/x", table=())
    assert describe_explanation(explanation) == {
        "request": {"method": "GET", "host": "localhost", "path": "/x"},
        "winner": None,
        "verdicts": [],
    }


@pytest.mark.parametrize(
    ("attributes", "url", "location"),
    [
        ({}, "/m/a?x=1", "http://b.com/m/a?x=1"),
        ({"path_redirect": "/new"}, "/m/a?x=1", "http://b.com/new?x=1"),
        ({"path_redirect": "/new?y=2"}, "/m/a?x=1", "http://b.com/new?y=2"),
        ({"prefix_redirect": "/new/"}, "/m/a", "http://b.com/new/a"),
        ({"regex_redirect": {"pattern": "^/m/(.)", "substitution": r"/\1\1"}}, "/m/ab?", "http://b.com/aab?"),
        ({"service": "https://b.com"}, "/m/", "https://b.com/m/"),
        ({"service": "https://b.com:8443"}, "/m/", "https://b.com:8443/m/"),
        ({"service": "b.com:8080"}, "/m/", "http://b.com:8080/m/"),
    ],
)
def test_where_a_redirect_leads(attributes: dict[str, Any], url: str, location: str) -> None:
    redirect = sourced("m", **{"service": "b.com", "host_redirect": True, "redirect_response_code": 308, **attributes})
    described = describe_explanation(ask("GET", url, table=(redirect,)))
    assert described["redirect"] == {"location": location, "code": 308, "words": "permanent redirect"}
    assert "upstream_paths" not in described


def test_each_split_has_its_share_and_its_own_path_and_copies_are_told() -> None:
    table = (
        sourced("a", prefix="/m/", weight=30, rewrite="/a/"),
        sourced("b", prefix="/m/", regex_rewrite={"pattern": "/(m)/", "substitution": r"/\1\1/"}),
        sourced("c", prefix="/m/", shadow=True, weight=5),
    )
    described: Any = describe_explanation(ask("GET", "/m/x", table=table))
    assert {split["mapping"]: split["share"] for split in described["winner"]["splits"]} == {
        "default/a": 30,
        "default/b": 70,
    }
    assert described["upstream_paths"] == {"default/a": "/a/x", "default/b": "/mm/x"}
    assert [(copy["mapping"], copy["share"]) for copy in described["winner"]["shadows"]] == [("default/c", 5)]


@pytest.mark.parametrize(
    ("headers", "method", "url", "wins"),
    [
        ({":path": "/m/?a=1"}, "GET", "/m/?a=1", True),
        ({":path": "/m/?a=1"}, "GET", "/m/", False),
        ({":path": "/m/x"}, "GET", "/m//y/../x", True),
        ({":scheme": "http"}, "GET", "/m/", True),
        ({":scheme": "https"}, "GET", "https://a.com/m/", False),
        ({":method": "POST"}, "POST", "/m/", True),
        ({":method": "POST"}, "GET", "/m/", False),
        ({":authority": "A.com:80"}, "GET", "http://a.com/m/", True),
        ({"x-forwarded-proto": "http"}, "GET", "/m/", True),
        ({"x-real-ip": "1.2.3.4"}, "GET", "/m/", False),
    ],
)
def test_what_is_no_header_of_the_clients_is_asked_for_as_one(
    headers: dict[str, str], method: str, url: str, *, wins: bool
) -> None:
    found = ask(method, url, {"x-real-ip": "1.2.3.4"}, table=(sourced("m", headers=headers),))
    assert (found.winner is not None) is wins


def test_two_conditions_on_one_header_are_both_told_and_both_hold() -> None:
    table = (sourced("m", method="POST", headers={":method": "GET"}, regex_headers={"x-a": "1.*"}),)
    verdict: Any = describe_explanation(ask("POST", "/m/", table=table))["verdicts"]
    assert verdict[0]["match"]["method"] == ["GET", "POST"]
    assert verdict[0]["reason"] == "method 'POST', not 'GET'"


@pytest.mark.parametrize(
    ("method", "url", "headers", "refusal"),
    [
        ("GET", "/m/%2Fx", {}, "400: %2F in a path could mean two things, so no service is shown one"),
        ("GET", "/m/", {"x_a": "1"}, "400: header x_a has an underscore, which many services take for a dash"),
        ("TRACE", "/m/", {}, "403: TRACE hands cookies and credentials back as a body"),
        ("GET", "/m/", {"Host": "a.com,b.com"}, "403: a.com,b.com is no single host"),
    ],
)
def test_what_is_refused_before_any_route_is_asked(
    method: str, url: str, headers: dict[str, str], refusal: str
) -> None:
    described = describe_explanation(ask(method, url, headers))
    assert (described["winner"], described["refusal"], described["verdicts"]) == (None, refusal, [])


def test_what_the_gateways_owner_asked_of_the_listener_holds() -> None:
    options = {
        "merge_slashes": False,
        "reject_requests_with_escaped_slashes": False,
        "headers_with_underscores_action": "DROP_HEADER",
    }
    module = Module.model_validate({"name": "ambassador", **options})
    table = replace(compiled(sourced("m", prefix="/a//%2Fb/"), sourced("h", headers={"x_a": "1"})).table, module=module)

    def wins(url: str) -> bool:
        return explain(table, RequestLine.read("GET", url, {"x_a": "1"})).winner is not None

    assert (wins("/a//%2Fb/"), wins("/a/%2Fb/"), wins("/h/")) == (True, False, False)


@pytest.mark.parametrize(
    ("pattern", "substitution", "text", "becomes"),
    [
        ("a", "b", "/aa", "/bb"),
        ("(a)(b)?", r"[\1\2\0]", "/aab", "/[aa][abab]"),
        ("a*", "x", "baac", "xbxcx"),
        ("", "-", "ab", "-a-b-"),
        ("^/", r"\\", "//", r"\/"),
        ("(a)", r"\2", "/a", "/a"),
        ("z", "y", "/a", "/a"),
    ],
)
def test_substitution_is_as_in_re2(pattern: str, substitution: str, text: str, becomes: str) -> None:
    assert substitute(pattern, substitution, text) == becomes
