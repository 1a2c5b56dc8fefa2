"""What the listener makes of a request before any route is asked; that Envoy does so, tests/properties proves."""

import pytest

from kfambassador.routing.requests import RequestLine, normalize_path


@pytest.mark.parametrize(
    ("path", "tidied"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a//b///", "/a/b/"),
        ("//", "//"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/../../x", "/x"),
        ("/a//../b", "/a/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/..;x=1/b", "/b"),
        ("/a;x/b", "/a;x/b"),
        ("/a\\..\\b", "/b"),
        ("/%41%7e%2D%20%2f", "/A~-%20%2f"),
        ('/"<>^`{|} é', "/%22%3C%3E%5E%60%7B%7C%7D%20%C3%A9"),
        ("/%zz%4%", "/%zz%4%"),
        ("/%4%41", "/%254A"),
        ("/...", "/..."),
    ],
)
def test_a_path_is_tidied(path: str, tidied: str) -> None:
    assert normalize_path(path) == tidied


def test_slashes_are_left_where_the_gateways_owner_wants_them() -> None:
    assert normalize_path("/a//b/./", merge_slashes=False) == "/a//b/"


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (RequestLine.read("GET", "/x"), "/x"),
        (RequestLine.read("GET", "/x?"), "/x?"),
        (RequestLine.read("GET", "/x?a=1&b&a=2#c"), "/x?a=1&b&a=2"),
        (RequestLine("GET", "a.com", "/x", {"a": "1", "b": ""}), "/x?a=1&b="),
    ],
)
def test_the_target_is_what_was_asked_for(line: RequestLine, target: str) -> None:
    assert line.target == target
