"""One route in Envoy's words: its match, its cluster, its fractions, and what the attributes make of it."""

from typing import Any

import pytest

from kfambassador.envoy.protos import MessageToDict, RouteList
from kfambassador.envoy.routes import build_routes
from kfambassador.resources.meta import SourcedMapping
from tests.builders import compiled, sourced


def build(*written: SourcedMapping) -> RouteList:
    """What the one route of the table becomes."""
    (route,) = compiled(*written).table.routes()
    return RouteList.FromString(build_routes(route))


def describe(name: str = "m", namespace: str = "default", /, **attributes: Any) -> dict[str, Any]:
    """What the route of one mapping becomes, as plain data."""
    (message,) = build(sourced(name, namespace, **attributes)).routes
    described: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return described


def test_what_nobody_wrote_is_ambassadors_default() -> None:
    route = describe("m", "team")
    assert route["name"] == "team/m"
    described = route["route"]
    assert described.pop("cluster").startswith("cluster_m_team_80_")
    assert described == {"prefix_rewrite": "/", "timeout": "3s"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {"prefix": "/m/"}),
        ({"prefix_exact": True}, {"path": "/m/"}),
        ({"prefix_regex": True}, {"safe_regex": {"regex": "/m/"}}),
        ({"case_sensitive": False}, {"prefix": "/m/", "case_sensitive": False}),
        ({"method": "POST"}, {"headers": [{"name": ":method", "string_match": {"exact": "POST"}}]}),
        (
            {"method": "GET|PUT", "method_regex": True},
            {"headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|PUT"}}}]},
        ),
        (
            {"host": "A.com:80"},
            {"headers": [{"name": ":authority", "string_match": {"exact": "a.com", "ignore_case": True}}]},
        ),
        (
            {"hostname": "*.a.com"},
            {"headers": [{"name": ":authority", "string_match": {"suffix": ".a.com", "ignore_case": True}}]},
        ),
        (
            {"hostname": "a.*"},
            {"headers": [{"name": ":authority", "string_match": {"prefix": "a.", "ignore_case": True}}]},
        ),
        (
            {"host": "a.*", "host_regex": True},
            {"headers": [{"name": ":authority", "string_match": {"safe_regex": {"regex": "(?i:a.*)"}}}]},
        ),
        ({"hostname": "*"}, {}),
        (
            {"headers": {"X": "1", "y": True}, "regex_headers": {"z": "a+"}},
            {
                "headers": [
                    {"name": "x", "string_match": {"exact": "1"}},
                    {"name": "y", "present_match": True},
                    {"name": "z", "string_match": {"safe_regex": {"regex": "a+"}}},
                ]
            },
        ),
        ({"headers": {"x": ""}}, {"headers": [{"name": "x", "string_match": {"exact": ""}}]}),
        (
            {"query_parameters": {"a": "1", "b": True}, "regex_query_parameters": {"c": "x?"}},
            {
                "query_parameters": [
                    {"name": "a", "string_match": {"exact": "1"}},
                    {"name": "b", "present_match": True},
                    {"name": "c", "string_match": {"safe_regex": {"regex": "x?"}}},
                ]
            },
        ),
    ],
)
def test_the_match(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    path = {} if {"prefix", "path", "safe_regex"} & expected.keys() else {"prefix": "/m/"}
    assert describe(**attributes)["match"] == path | expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"rewrite": "/x/"}, {"prefix_rewrite": "/x/"}),
        ({"rewrite": ""}, {}),
        ({"host_rewrite": "b.com"}, {"prefix_rewrite": "/", "host_rewrite_literal": "b.com"}),
        ({"auto_host_rewrite": True}, {"prefix_rewrite": "/", "host_rewrite_literal": "m.default"}),
        (
            {"host_rewrite": "b.com", "auto_host_rewrite": True},
            {"prefix_rewrite": "/", "host_rewrite_literal": "b.com"},
        ),
        ({"timeout_ms": 0}, {"prefix_rewrite": "/", "timeout": "0s"}),
        ({"timeout_ms": 1500}, {"prefix_rewrite": "/", "timeout": "1.500s"}),
        ({"idle_timeout_ms": 0}, {"prefix_rewrite": "/", "idle_timeout": "0s"}),
        ({"idle_timeout_ms": 90_000}, {"prefix_rewrite": "/", "idle_timeout": "90s"}),
    ],
)
def test_what_becomes_of_a_request(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = describe(**attributes)["route"]
    del found["cluster"]
    assert found == {"timeout": "3s"} | expected


@pytest.mark.parametrize(
    ("written", "value", "action"),
    [
        ("plain", "plain", "APPEND_IF_EXISTS_OR_ADD"),
        ("100%", "100%%", "APPEND_IF_EXISTS_OR_ADD"),
        ("%REQ(authorization)%", "%%REQ(authorization)%%", "APPEND_IF_EXISTS_OR_ADD"),
        (True, "true", "APPEND_IF_EXISTS_OR_ADD"),
        (False, "false", "APPEND_IF_EXISTS_OR_ADD"),
        ({"value": "a%"}, "a%%", "APPEND_IF_EXISTS_OR_ADD"),
        ({"value": "a", "append": False}, "a", "OVERWRITE_IF_EXISTS_OR_ADD"),
    ],
)
def test_added_headers_are_literal(written: object, value: str, action: str) -> None:
    (route,) = build(sourced("m", add_request_headers={"X-A": written})).routes
    (option,) = route.request_headers_to_add
    assert (option.header.key, option.header.value) == ("X-A", value)
    assert option.HeaderAppendAction.Name(option.append_action) == action


def test_added_headers_keep_their_order() -> None:
    (route,) = build(sourced("m", add_request_headers={"b": "1", "a": "2"})).routes
    assert [option.header.key for option in route.request_headers_to_add] == ["b", "a"]


@pytest.mark.parametrize(
    ("weights", "thresholds"),
    [
        ([None], [None]),
        ([7], [None]),
        ([10, None], [10, None]),
        ([0, None], [None]),
        ([100, None], [None]),
        ([30, 10], [75, None]),
        ([None, None, None], [34, 67, None]),
        ([20, 30, 50], [20, 50, None]),
        ([50, 50, 0], [50, None]),
    ],
)
def test_a_canarys_fractions_add_up(weights: list[int | None], thresholds: list[int | None]) -> None:
    members = (sourced(f"m{index}", prefix="/m/", weight=weight) for index, weight in enumerate(weights))
    numerators = [
        each.match.runtime_fraction.default_value.numerator if each.match.HasField("runtime_fraction") else None
        for each in build(*members).routes
    ]
    # A route without a fraction takes what the fractions before it left: there is no gap to fall through.
    assert numerators == thresholds


def test_members_of_a_canary_keep_what_is_their_own() -> None:
    old = sourced("old", prefix="/m/", rewrite="/old/", timeout_ms=1000, service="old")
    new = sourced("xnew", prefix="/m/", rewrite="/new/", service="new", weight=10, add_request_headers={"x": "1"})
    first, second = build(old, new).routes
    assert (first.name, first.route.prefix_rewrite, first.route.timeout.seconds) == ("default/old", "/old/", 1)
    assert (second.name, second.route.prefix_rewrite, second.route.timeout.seconds) == ("default/xnew", "/new/", 3)
    assert first.route.cluster != second.route.cluster
    assert not first.request_headers_to_add
    assert [option.header.key for option in second.request_headers_to_add] == ["x"]
