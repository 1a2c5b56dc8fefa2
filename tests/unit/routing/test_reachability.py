"""Which mappings can never have a request, and who has it instead."""

from typing import Any

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.meta import SourcedMapping
from kfambassador.routing.reachability import find_shadowed, find_unreachable
from tests.builders import compiled, sourced


def unreachable(*written: SourcedMapping) -> dict[str, str]:
    """The mappings that have no request, and those that have theirs."""
    shadowed = find_shadowed(compiled(*written).table.routes())
    return {each.route.splits[0].mapping.name: each.by.splits[0].mapping.name for each in shadowed}


Attributes = dict[str, Any]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/b/"}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/"}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/b", "prefix_exact": True}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/[0-9]+", "prefix_regex": True}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/", "method": "POST", "headers": {"x": "1"}}),
        ({"prefix": "/A/", "precedence": 1, "case_sensitive": False}, {"prefix": "/a/b/"}),
        ({"prefix": "/a/.*", "prefix_regex": True}, {"prefix": "/a/"}),
        ({"prefix": "/a/.*", "prefix_regex": True}, {"prefix": "/a/", "method": "POST"}),
        ({"prefix": ".*", "prefix_regex": True, "precedence": 1}, {"prefix": "/a/"}),
        ({"prefix": "^/a[.]b$|x", "prefix_regex": True, "precedence": 1}, {"prefix": "/a.b", "prefix_exact": True}),
        ({"prefix": "/a/[a-z]+", "prefix_regex": True}, {"prefix": "/a/b", "prefix_exact": True}),
        ({"prefix": "/a/"}, {"prefix": "/a/", "prefix_exact": True}),
        ({"prefix": "/a/", "method": "GET|POST", "method_regex": True}, {"prefix": "/a/", "method": "POST"}),
        ({"prefix": "/a/", "regex_headers": {"x": "[ab]+"}}, {"prefix": "/a/", "headers": {"x": "a"}}),
        ({"prefix": "/a/", "host": "*.com", "precedence": 1}, {"prefix": "/a/", "host": "a.com"}),
        ({"prefix": "/a/", "host": "*.com", "precedence": 1}, {"prefix": "/a/", "host": "*.b.com"}),
        ({"prefix": "/a/", "query_parameters": {"q": True}, "precedence": 1}, {"query_parameters": {"q": "1"}}),
        ({"prefix": "/a/", "headers": {"x": True}, "precedence": 1}, {"prefix": "/a/", "regex_headers": {"x": "1+"}}),
        ({"prefix": "/a/", "host_redirect": True, "precedence": 1}, {"prefix": "/a/b/"}),
    ],
)
def test_what_is_covered_is_found(first: Attributes, second: Attributes) -> None:
    assert unreachable(sourced("first", **first), sourced("second", **{"prefix": "/a/b/", **second})) == {
        "second": "first"
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"prefix": "/a/"}, {"prefix": "/a/b/"}),
        ({"prefix": "/a/", "precedence": 1, "method": "POST"}, {"prefix": "/a/b/"}),
        ({"prefix": "/a/", "precedence": 1, "method": "POST"}, {"prefix": "/a/b/", "method": "GET"}),
        ({"prefix": "/a/", "precedence": 1, "prefix_exact": True}, {"prefix": "/a/"}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a"}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/A/b/"}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "/a/b/", "case_sensitive": False}),
        ({"prefix": "/a/", "precedence": 1}, {"prefix": "(/a/)?b", "prefix_regex": True}),
        ({"prefix": "/a/[a-z]+", "prefix_regex": True}, {"prefix": "/a/b"}),
        ({"prefix": "/a/b.*|x", "prefix_regex": True}, {"prefix": "/a/b"}),
        ({"prefix": "/a/b+.*", "prefix_regex": True, "precedence": 1}, {"prefix": "/a/c"}),
        ({"prefix": "/a/", "headers": {"x": "1"}, "precedence": 1}, {"prefix": "/a/", "query_parameters": {"x": "1"}}),
        ({"prefix": "/a/", "host": "*.b.com", "precedence": 1}, {"prefix": "/a/", "host": "*.com"}),
        ({"prefix": "/a/", "host": "a.com", "precedence": 1}, {"prefix": "/a/", "host": "a.*"}),
        ({"prefix": "/a/", "headers": {"x": "1"}, "precedence": 1}, {"prefix": "/a/", "headers": {"x": True}}),
    ],
)
def test_what_may_be_reached_is_not(first: Attributes, second: Attributes) -> None:
    assert unreachable(sourced("first", **first), sourced("second", **second)) == {}


def test_members_of_a_canary_share() -> None:
    assert unreachable(sourced("a", prefix="/m/", weight=10), sourced("b", prefix="/m/")) == {}


def test_every_mapping_of_the_route_is_told() -> None:
    routes = compiled(
        sourced("all", prefix="/m/", precedence=2),
        sourced("a", prefix="/m/x/", method="POST", host="a.com"),
        sourced("b", prefix="/m/x/", method="POST", host="a.com"),
        sourced("c", prefix="/m/x/", method="POST", host="a.com", shadow=True),
    ).table.routes()
    problems = find_unreachable(routes)
    assert [problem.origin.object.name for problem in problems if problem.origin.object] == ["a", "b", "c"]
    assert {(problem.code, problem.severity, problem.path) for problem in problems} == {
        ("unreachable", Severity.WARNING, "prefix")
    }
    assert problems[0].message == (
        "it never has a request: POST http://a.com/m/x/ goes to mapping all of Service default/all, annotation "
        "document 1, which has precedence 2 and takes everything below '/m/'; give this one another match or a higher "
        "precedence, or take one of them out"
    )


def test_a_thousand_hosts_on_one_prefix_are_compared_with_none_but_their_like() -> None:
    written = [sourced(f"m{number}", prefix="/a/", host=f"h{number}.com") for number in range(1000)]
    twins = [sourced(f"n{number}", prefix="/a/", host=f"h{number}.com", precedence=-1) for number in range(1000)]
    assert unreachable(*written, *twins) == {f"n{number}": f"m{number}" for number in range(1000)}
