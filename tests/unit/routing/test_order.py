"""The evaluation order: Ambassador's, to the letter."""

import pytest

from kfambassador.routing.matches import build_match
from kfambassador.routing.order import OrderKey, build_order_key
from tests.builders import mapping


def key(**attributes: object) -> OrderKey:
    written = mapping(**{"prefix": "/api/"} | attributes)
    return build_order_key(build_match(written), written.precedence)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"prefix": "/api/v1/"}, {}, id="longer prefix"),
        pytest.param({"prefix": "/api/v1/"}, {"host": "a.com"}, id="longer prefix of any host before a host"),
        pytest.param({"method": "GET|POST", "method_regex": True}, {"method": "GET"}, id="longer method text"),
        pytest.param({"method": "GET", "method_regex": True}, {"method": "GET"}, id="an expression weighs one more"),
        pytest.param({"headers": {"x-a-very-long-name": "1"}}, {"host": "a.com"}, id="long header before host"),
        pytest.param({"host": "a.com"}, {"headers": {"x": "1"}}, id="host before short header"),
        pytest.param({"host": "a.com", "method": "POST"}, {"host": "a.com"}, id="the sum of conditions counts"),
        pytest.param({"headers": {"x": "ab"}}, {"headers": {"x": "a"}}, id="longer value"),
        pytest.param({"headers": {"x": "ab"}}, {"headers": {"x": True}}, id="presence counts one"),
        pytest.param({"headers": {"x": True}}, {"headers": {"x": ""}}, id="and an empty value nothing"),
        pytest.param({"regex_headers": {"x": "a"}}, {"headers": {"x": "a"}}, id="header expression"),
        pytest.param({"host": "*.a.com"}, {"host": "a.com."}, id="a glob weighs its star"),
        pytest.param({"precedence": 10}, {"prefix": "/api/very/long/", "host": "a.com"}, id="precedence beats all"),
        pytest.param({"prefix": "/"}, {"precedence": -5}, id="negative precedence is below /"),
        pytest.param({"prefix": "/[a-z]{1,20}", "prefix_regex": True}, {"prefix": "/api/v1"}, id="text of expression"),
        pytest.param({"headers": {"x": "1"}}, {"query_parameters": {"a-long-name": "long"}}, id="headers, then query"),
        pytest.param({"query_parameters": {"a": "1"}}, {}, id="a query parameter before none"),
        pytest.param({"query_parameters": {"a": "12"}}, {"query_parameters": {"a": "1"}}, id="longer parameter"),
        pytest.param({"prefix": "/b/"}, {"prefix": "/a/"}, id="then the text, backwards"),
        pytest.param({"method": "PUT"}, {"method": "GET"}, id="then the method, backwards"),
        pytest.param({"headers": {"b": "1"}}, {"headers": {"a": "1"}}, id="then the names, backwards"),
    ],
)
def test_first_comes_before_second(first: dict[str, object], second: dict[str, object]) -> None:
    # Routes are sorted by the key, descending.
    assert key(**first) > key(**second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"headers": {"x": "1"}}, {"headers": {"x": "2"}}),
        ({"query_parameters": {"x": "1"}}, {"query_parameters": {"x": "2"}}),
        ({"prefix_exact": True}, {}),
        ({"prefix_regex": True}, {}),
        ({"case_sensitive": False}, {}),
        ({"method": "GET"}, {"headers": {"x-0123": True}}),
    ],
)
def test_what_differs_is_never_left_to_chance(one: dict[str, object], other: dict[str, object]) -> None:
    assert key(**one) != key(**other)
