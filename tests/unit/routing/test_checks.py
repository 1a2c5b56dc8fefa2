"""What is wrong with a mapping by itself, in words for a person."""

import pytest

from kfambassador.problems import Severity
from tests.unit.routing.faults import faults


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"prefix": "/"},
        {"prefix": "/models/%20x/"},
        {"prefix": "[/]x y", "prefix_regex": True},
        {"method": "M-SEARCH"},
        {"headers": {"x-a": "1", ":authority": "a.com"}},
        {"add_request_headers": {"x-percent": "100%", "x-plain": "a b\tc", "x-utf8": "é"}},
        {"add_request_headers": {"x-true": True, "x-once": {"value": "1", "append": False}}},
        {"rewrite": ""},
        {"prefix": "/.well-known/a.b/..c/"},
        {"prefix": "/a//[0-9]+", "prefix_regex": True},
    ],
)
def test_what_is_in_order_is_passed_over(attributes: dict[str, object]) -> None:
    assert not faults(**attributes)


@pytest.mark.parametrize(
    ("attributes", "path", "message"),
    [
        ({"prefix": "/a\nb"}, "prefix", "'/a\\nb' holds a control character; take it out"),
        ({"host": "a\x00b"}, "host", "'a\\x00b' holds a control character; take it out"),
        ({"rewrite": "/\r\nx: y/"}, "rewrite", "'/\\r\\nx: y/' holds a control character; take it out"),
        ({"host_rewrite": "a\x7f"}, "host_rewrite", "'a\\x7f' holds a control character; take it out"),
        *(
            (
                {name: "/a b/"},
                name,
                "'/a b/' is sent to the service as it is written, and may not hold a space; take it out",
            )
            for name in ("rewrite", "host_rewrite")
        ),
        (
            {"prefix": "/tensorboard/ tensorboard/"},
            "prefix",
            "'/tensorboard/ tensorboard/' never matches, because no path holds a space; take it out or write %20",
        ),
        (
            {"prefix": "/m?x"},
            "prefix",
            "'/m?x' never matches, because no path holds a question mark; take it out or write %3F",
        ),
        ({"prefix": "/m#x"}, "prefix", "'/m#x' never matches, because no path holds a hash; take it out or write %23"),
        ({"method": "POST\n"}, "method", "'POST\\n' is no HTTP method; write one such as POST, or set method_regex"),
        ({"method": "GET POST"}, "method", "'GET POST' is no HTTP method; write one such as POST, or set method_regex"),
        ({"headers": {"bad name": "x"}}, "headers", "'bad name' is no header name"),
        ({"headers": {"x\n": "x"}}, "headers", "'x\\n' is no header name"),
        ({"headers": {"": "x"}}, "headers", "'' is no header name"),
        ({"headers": {":bogus": "x"}}, "headers", "':bogus' is no header name"),
        ({"regex_headers": {"a:": "x"}}, "headers", "'a:' is no header name"),
        ({"headers": {"x": "a\nb"}}, "headers.x", "'a\\nb' holds a control character; take it out"),
        (
            {"query_parameters": {"": "x"}},
            "query_parameters",
            "a query parameter without a name; give it one",
        ),
        (
            {"prefix": "/(?!whoami).*", "prefix_regex": True},
            "prefix",
            "'/(?!whoami).*' is refused as a regular expression (RE2): invalid perl operator: (?!",
        ),
        (
            {"prefix": "/[a", "prefix_regex": True},
            "prefix",
            "'/[a' is refused as a regular expression (RE2): missing ]: [a",
        ),
        (
            {"method": "(", "method_regex": True},
            "method",
            "'(' is refused as a regular expression (RE2): missing ): (",
        ),
        ({"host": "*", "host_regex": True}, "host", "'*' is refused as a regular expression (RE2): no argument"),
        ({"regex_headers": {"x": ""}}, "regex_headers.x", "'' is refused as a regular expression (RE2): it is empty"),
        (
            {"regex_query_parameters": {"q": "("}},
            "regex_query_parameters.q",
            "'(' is refused as a regular expression (RE2): missing ): (",
        ),
        ({"add_request_headers": {"x a": "1"}}, "add_request_headers.x a", "'x a' is no header name"),
        ({"add_request_headers": {"x\n": "1"}}, "add_request_headers.x\n", "'x\\n' is no header name"),
        (
            {"add_request_headers": {"x": "a\r\nb"}},
            "add_request_headers.x",
            "'a\\r\\nb' holds a control character; take it out",
        ),
    ],
)
def test_what_envoy_would_refuse_is_refused(attributes: dict[str, object], path: str, message: str) -> None:
    found = faults(**attributes)
    assert [(fault.path, fault.severity) for fault in found] == [(path, Severity.ERROR)]
    assert all(fault.message.startswith(message) for fault in found)


@pytest.mark.parametrize(
    "name",
    [
        "kubeflow-userid",
        "Kubeflow-UserID",
        "kubeflow-groups",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "upgrade",
        "x-envoy-upstream-rq-timeout-ms",
    ],
)
def test_nobody_says_who_the_user_is_or_what_is_the_gateways(name: str) -> None:
    (fault,) = faults(add_request_headers={name: "x"})
    assert (fault.code, fault.severity) == ("protected-header", Severity.ERROR)
    assert fault.message == f"a mapping may not set {name}: it belongs to the gateway or says who the user is"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"query_parameters": {"q" * 1025: True}}, "is 1,025 bytes; at most 1,024 are taken"),
        ({"add_request_headers": {"x" * 16_385: "1"}}, "is 16,385 bytes; at most 16,384 are taken"),
        # Each percent sign is written twice for Envoy.
        ({"add_request_headers": {"x": "%" * 8_193}}, "is 16,386 bytes; at most 16,384 are taken"),
        ({"add_request_headers": {f"x-{n}": "1" for n in range(1001)}}, "1,001 headers; at most 1,000 are added"),
    ],
)
def test_what_is_more_than_envoy_takes_is_refused(attributes: dict[str, object], message: str) -> None:
    (fault,) = faults(**attributes)
    assert fault.message.endswith(message)
    assert len(fault.message) < 150
    assert fault.severity is Severity.ERROR


def test_a_pseudo_header_is_no_header_to_add() -> None:
    assert [fault.code for fault in faults(add_request_headers={":path": "/x"})] == ["bad-header"]


def test_a_regular_expression_may_not_grow_out_of_hand() -> None:
    (fault,) = faults(prefix="/([a-z]{9}x){99}", prefix_regex=True)
    assert fault.code == "bad-regex"
    assert "steps, and at most 1,000 are allowed; make it simpler" in fault.message


@pytest.mark.parametrize(
    ("attributes", "code", "message"),
    [
        (
            {"prefix_regex": True, "prefix_exact": True},
            "prefix-twice",
            "prefix_regex and prefix_exact cannot both hold; the prefix is read as a regular expression",
        ),
        ({"method": "post"}, "method-case", "methods are compared to the letter, and 'post' is not 'POST'"),
        (
            {"add_request_headers": {"x": "Bearer %REQ(authorization)%"}},
            "header-operator",
            "'Bearer %REQ(authorization)%' is sent as it is written; Envoy's operators are not expanded",
        ),
    ],
)
def test_a_trap_is_told_of_and_served(attributes: dict[str, object], code: str, message: str) -> None:
    (fault,) = faults(**attributes)
    assert (fault.code, fault.message, fault.severity) == (code, message, Severity.WARNING)


@pytest.mark.parametrize(
    "attributes",
    [
        {"error_response_overrides": [{"on_status_code": 404, "body": {"text_format": "x" * 40_000}}]},
        {"auth_context_extensions": {f"k{number}": "x" * 1000 for number in range(40)}},
        {"labels": {"ambassador": [{"g": [{"generic_key": {"value": "x" * 900}}] * 40}]}},
    ],
)
def test_a_route_that_would_fill_envoys_memory_is_refused(attributes: dict[str, object]) -> None:
    (fault,) = [each for each in faults(**attributes) if each.code == "too-large"]
    assert fault.severity is Severity.ERROR
    assert fault.path == next(iter(attributes))
