"""Traps: what is served to the letter and not as it was meant, each with a request and what becomes of it."""

from typing import Any

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.module import NO_MODULE, Module
from kfambassador.routing.matches import build_match
from kfambassador.routing.traps import find_traps
from tests.builders import mapping


def traps(module: Module = NO_MODULE, **attributes: Any) -> list[tuple[str, str]]:
    written = mapping(**attributes)
    return [(trap.code, trap.message) for trap in find_traps(written, build_match(written), module)]


@pytest.mark.parametrize(
    ("attributes", "code", "message"),
    [
        (
            {"prefix": "models/"},
            "prefix-without-slash",
            (
                "'models/' never matches, because every path starts with a slash; write /models/ "
                "(then GET /models/a -> /a)"
            ),
        ),
        (
            {"prefix": "tf", "rewrite": "/v1", "method": "POST"},
            "prefix-without-slash",
            "'tf' never matches, because every path starts with a slash; write /tf (then POST /tf/a -> /v1/a)",
        ),
        (
            {"prefix": "/man"},
            "open-prefix",
            (
                "'/man' is the beginning of a text, not a folder: GET /mankind -> /kind is taken too, "
                "and GET /man/a -> //a has two slashes; "
                "write /man/ for what is below it, or set prefix_exact for /man alone"
            ),
        ),
        (
            {"prefix": "/nd", "rewrite": "/x/"},
            "open-prefix",
            (
                "'/nd' is the beginning of a text, not a folder: GET /nd-other -> /x/-other is taken too, and "
                "GET /nd/a -> /x//a has two slashes; write /nd/ for what is below it, or set prefix_exact for /nd alone"
            ),
        ),
        (
            {"prefix": "/x", "rewrite": "/y"},
            "open-prefix",
            (
                "'/x' is the beginning of a text, not a folder: GET /x-other -> /y-other is taken too; "
                "write /x/ for what is below it, or set prefix_exact for /x alone"
            ),
        ),
        (
            {"prefix": "/x", "regex_rewrite": {"pattern": "^/x(.*)", "substitution": r"/y\1"}},
            "open-prefix",
            (
                "'/x' is the beginning of a text, not a folder: GET /x-other -> /y-other is taken too; "
                "write /x/ for what is below it, or set prefix_exact for /x alone"
            ),
        ),
        (
            {"prefix": "/x", "host_redirect": True},
            "open-prefix",
            (
                "'/x' is the beginning of a text, not a folder: GET /x-other is taken too; "
                "write /x/ for what is below it, or set prefix_exact for /x alone"
            ),
        ),
        (
            {"prefix": "/x.y"},
            "doubled-slash",
            "GET /x.y/a -> //a has two slashes; end both prefix and rewrite with a slash, or neither",
        ),
        (
            {"prefix": "/models/test/", "rewrite": "/model/test/:predict", "method": "POST"},
            "glued-rewrite",
            (
                "what follows the prefix is put right behind the rewrite: "
                "POST /models/test/abc -> /model/test/:predictabc; set prefix_exact if only /models/test/ is meant"
            ),
        ),
        (
            {"prefix": "/m/", "rewrite": "/x"},
            "glued-rewrite",
            (
                "what follows the prefix is put right behind the rewrite: GET /m/a -> /xa; "
                "write /x/, or set prefix_exact if only /m/ is meant"
            ),
        ),
        (
            {"rewrite": "v1/models/"},
            "rewrite-without-slash",
            (
                "'v1/models/' makes no path that a service takes, without its slash: GET /m/a -> v1/models/a; "
                "write /v1/models/"
            ),
        ),
        (
            {"prefix": "/m/.*", "prefix_regex": True, "rewrite": "v1"},
            "rewrite-without-slash",
            "'v1' makes no path that a service takes, without its slash; write /v1",
        ),
        (
            {"prefix": "/a//b/"},
            "folded-prefix",
            (
                "'/a//b/' never matches, because paths are tidied before any route is asked: GET /a//b/a -> /a/b/a; "
                "write /a/b/"
            ),
        ),
        (
            {"prefix": "/a/../b", "prefix_exact": True},
            "folded-prefix",
            "'/a/../b' never matches, because paths are tidied before any route is asked: GET /a/../b -> /b; write /b",
        ),
        (
            {"prefix": "/%41/é/"},
            "folded-prefix",
            (
                "'/%41/é/' never matches, because paths are tidied before any route is asked: "
                "GET /%41/é/a -> /A/%C3%A9/a; write /A/%C3%A9/"
            ),
        ),
        (
            {"prefix": "/a%2fb/"},
            "escaped-slash",
            "'/a%2fb/' never matches, because the gateway takes no %2f in a path: GET /a%2fb/ -> 400; write it without",
        ),
        (
            {"prefix_regex": True, "prefix_exact": True},
            "prefix-twice",
            "prefix_regex and prefix_exact cannot both hold; the prefix is read as a regular expression",
        ),
        (
            {"host": "a b"},
            "host-never-matches",
            "'a b' never matches, because no Host header holds ' '; take it out, or write a mapping for each host",
        ),
        (
            {"hostname": "http://a.com/x"},
            "host-never-matches",
            "'http://a.com/x' never matches, because a Host header has no http://; write a.com",
        ),
        (
            {"headers": {":authority": "a.*.com"}},
            "host-never-matches",
            (
                "'a.*.com' never matches, because * stands for other text only at one end of a host; "
                "set host_regex for more"
            ),
        ),
        (
            {"headers": {"x-forwarded-host": "a.com"}},
            "header-never-arrives",
            (
                "the condition on header x-forwarded-host never holds, because the gateway takes it off every request, "
                "because anybody could send it"
            ),
        ),
        (
            {"regex_headers": {"x_kind": "a+"}},
            "header-never-arrives",
            (
                "the condition on header x_kind never holds, because requests with an underscore in a header's name "
                "are refused; write x-kind"
            ),
        ),
    ],
)
def test_a_trap_is_told_with_what_to_do(attributes: dict[str, Any], code: str, message: str) -> None:
    assert traps(**attributes) == [(code, message)]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"prefix": "/"},
        {"prefix": "/x", "rewrite": ""},
        {"prefix": "/x", "rewrite": "/x"},
        {"prefix": "/x", "prefix_exact": True},
        {"prefix": "/x.*", "prefix_regex": True},
        {"prefix": "/x/", "rewrite": "/y/"},
        {"prefix": "/models/m:", "rewrite": "/v1/models/m:"},
        {"prefix": "/logo.png", "rewrite": "/static/logo.png"},
        {"prefix": "/package.Service/", "rewrite": "/package.Service/", "grpc": True},
        {"prefix": "/package.Service", "rewrite": "/other.Service", "grpc": True},
        {"prefix": "/models/test/", "rewrite": "/model/test/:predict", "prefix_exact": True},
        {"prefix": "/.well-known/a.b/..c/"},
        {"prefix": "/a%20b/", "rewrite": "/a%20b/"},
        {"host": "*.a.com"},
        {"host": "A.com:8080"},
        {"host": "[::1]"},
        {"host": "a .*", "host_regex": True},
        {"headers": {"x-kind": "a", ":path": "/m/?a", ":scheme": "http"}},
        {"headers": {"kubeflow-userid": "alice"}},
    ],
)
def test_what_its_author_means_is_no_trap(attributes: dict[str, Any]) -> None:
    assert traps(**attributes) == []


@pytest.mark.parametrize(
    ("options", "attributes"),
    [
        ({"merge_slashes": False}, {"prefix": "/a//b/"}),
        ({"reject_requests_with_escaped_slashes": False}, {"prefix": "/a%2Fb/"}),
        ({"headers_with_underscores_action": "ALLOW"}, {"headers": {"x_a": "1"}}),
    ],
)
def test_what_the_gateways_owner_lets_through_is_no_trap(options: dict[str, Any], attributes: dict[str, Any]) -> None:
    assert traps(Module.model_validate({"name": "ambassador", **options}), **attributes) == []
    assert traps(**attributes) != []


@pytest.mark.parametrize("prefix", ["/a b", "/a?b", "/a#b"])
def test_what_is_refused_is_told_once(prefix: str) -> None:
    assert traps(prefix=prefix) == []


def test_a_trap_is_a_warning_at_the_field_to_change() -> None:
    written = mapping(prefix="/m/", rewrite="/x", host="a b")
    found = find_traps(written, build_match(written))
    assert [(trap.path, trap.severity) for trap in found] == [("rewrite", Severity.WARNING), ("host", Severity.WARNING)]
