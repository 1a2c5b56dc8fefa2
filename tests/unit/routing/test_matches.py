"""A mapping's conditions as one match, whatever the way they were written."""

import pytest

from kfambassador.routing.matches import HOST, METHOD, build_match
from kfambassador.routing.model import PathKind, PathMatch, ValueKind, ValueMatch
from tests.builders import mapping


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({}, PathMatch(PathKind.PREFIX, "/m/")),
        ({"prefix_exact": True}, PathMatch(PathKind.EXACT, "/m/")),
        ({"prefix_regex": True}, PathMatch(PathKind.REGEX, "/m/")),
        ({"prefix_regex": True, "prefix_exact": True}, PathMatch(PathKind.REGEX, "/m/")),
        ({"case_sensitive": False}, PathMatch(PathKind.PREFIX, "/m/", case_sensitive=False)),
        (
            {"prefix_exact": True, "case_sensitive": False},
            PathMatch(PathKind.EXACT, "/m/", case_sensitive=False),
        ),
        ({"prefix_regex": True, "case_sensitive": False}, PathMatch(PathKind.REGEX, "/m/")),
    ],
)
def test_the_path(attributes: dict[str, object], path: PathMatch) -> None:
    assert build_match(mapping("m", **attributes)).path == path


@pytest.mark.parametrize(
    ("attributes", "conditions"),
    [
        ({}, []),
        ({"method": "POST"}, [ValueMatch(METHOD, ValueKind.EXACT, "POST")]),
        ({"method": "GET|POST", "method_regex": True}, [ValueMatch(METHOD, ValueKind.REGEX, "GET|POST")]),
        ({"host": "A.com"}, [ValueMatch(HOST, ValueKind.EXACT, "a.com")]),
        ({"host": "a.com:8080"}, [ValueMatch(HOST, ValueKind.EXACT, "a.com")]),
        ({"host": "[::1]:8080"}, [ValueMatch(HOST, ValueKind.EXACT, "[::1]")]),
        ({"host": "*.a.com"}, [ValueMatch(HOST, ValueKind.SUFFIX, ".a.com")]),
        ({"host": "a.*"}, [ValueMatch(HOST, ValueKind.PREFIX, "a.")]),
        ({"host": "*"}, []),
        ({"host": "*:8080"}, []),
        ({"hostname": "*"}, []),
        ({"headers": {":authority": "*"}}, []),
        ({"host": "a.*", "host_regex": True}, [ValueMatch(HOST, ValueKind.REGEX, "a.*")]),
        ({"hostname": "b.com", "host": "a.com"}, [ValueMatch(HOST, ValueKind.EXACT, "b.com")]),
        ({"hostname": "b.com", "host": "a", "host_regex": True}, [ValueMatch(HOST, ValueKind.EXACT, "b.com")]),
        ({"headers": {":authority": "A.com:80"}}, [ValueMatch(HOST, ValueKind.EXACT, "a.com")]),
        ({"headers": {"Host": "A.com:80"}}, [ValueMatch(HOST, ValueKind.EXACT, "a.com")]),
        ({"regex_headers": {"host": "a.*"}}, [ValueMatch(HOST, ValueKind.REGEX, "a.*")]),
        ({"headers": {"X-Kind": "a"}}, [ValueMatch("x-kind", ValueKind.EXACT, "a")]),
        ({"headers": {"x": True}}, [ValueMatch("x", ValueKind.PRESENT)]),
        ({"headers": {"x": False}}, []),
        ({"headers": {"x": ""}}, [ValueMatch("x", ValueKind.EXACT, "")]),
        ({"regex_headers": {"X": "a.*"}}, [ValueMatch("x", ValueKind.REGEX, "a.*")]),
    ],
)
def test_method_host_and_headers_are_header_conditions(
    attributes: dict[str, object], conditions: list[ValueMatch]
) -> None:
    assert list(build_match(mapping(**attributes)).headers) == conditions


def test_query_parameters_keep_their_case() -> None:
    match = build_match(mapping(query_parameters={"B": "x", "a": True}, regex_query_parameters={"c": "."}))
    assert match.query_parameters == (
        ValueMatch("B", ValueKind.EXACT, "x"),
        ValueMatch("a", ValueKind.PRESENT),
        ValueMatch("c", ValueKind.REGEX, "."),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"headers": {"a": "1", "b": "2"}}, {"headers": {"b": "2", "a": "1"}}),
        ({"headers": {"A": "1"}}, {"headers": {"a": "1"}}),
        ({"method": "POST"}, {"headers": {":method": "POST"}}),
        ({"host": "a.com"}, {"hostname": "A.COM"}),
        ({"host": "a.com"}, {"headers": {":authority": "a.com"}}),
        ({"query_parameters": {"a": "1", "b": "2"}}, {"query_parameters": {"b": "2", "a": "1"}}),
        ({"rewrite": "/a", "weight": 3, "timeout_ms": 1, "service": "x"}, {}),
    ],
)
def test_what_means_the_same_is_the_same_match(one: dict[str, object], other: dict[str, object]) -> None:
    assert build_match(mapping(**one)) == build_match(mapping(**other))
