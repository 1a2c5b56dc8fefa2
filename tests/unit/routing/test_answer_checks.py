"""What is wrong with what the gateway answers itself."""

import pytest

from kfambassador.problems import Severity
from tests.unit.routing.faults import faults


@pytest.mark.parametrize(
    "cors",
    [
        {"origins": "*"},
        {"origins": ["https://a.com", "http://localhost:*", "https://*.a.com:8443", "null", "https://[::1]:80"]},
        {"origins": ["https://*.a.com", {"regex": "https://[a-z]+[.]a[.]com"}], "credentials": True},
        {"origins": "*", "methods": "GET, POST", "headers": "*", "exposed_headers": "X-A", "max_age": "86400"},
        {"origins": "chrome-extension://abcdef", "max_age": 0},
    ],
)
def test_cors_in_order_is_passed_over(cors: dict[str, object]) -> None:
    assert not faults(cors=cors)


@pytest.mark.parametrize(
    ("cors", "path", "message"),
    [
        ({"origins": "https://a.com/"}, "origins[0]", "'https://a.com/' is no origin that a browser sends: a scheme"),
        ({"origins": ["a.com"]}, "origins[0]", "'a.com' is no origin that a browser sends"),
        ({"origins": ["https://b.com", "https://a b"]}, "origins[1]", "'https://a b' is no origin that a browser"),
        ({"origins": [""]}, "origins[0]", "'' is no origin that a browser sends"),
        ({"origins": [{"regex": "("}]}, "origins[0]", "'(' is refused as a regular expression (RE2): missing )"),
        ({"origins": "*", "methods": "GET POST"}, "methods[0]", "'GET POST' is no HTTP method"),
        ({"origins": "*", "headers": ["a\n"]}, "headers[0]", "'a\\n' is no header name"),
        ({"origins": "*", "exposed_headers": ["a:"]}, "exposed_headers[0]", "'a:' is no header name"),
        ({"origins": "*", "max_age": "1d"}, "max_age", "expected seconds as a whole number, got '1d'"),
        ({"origins": "*", "max_age": -1}, "max_age", "expected seconds as a whole number, got -1"),
    ],
)
def test_cors_that_no_browser_could_use(cors: dict[str, object], path: str, message: str) -> None:
    (fault,) = faults(cors=cors)
    assert (fault.path, fault.severity) == (f"cors.{path}", Severity.ERROR)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "https://*", "http://*", {"regex": ".*"}, {"regex": "https?://.*"}, {"regex": "[^/]+"}],
)
def test_everybody_and_their_cookies_are_refused(origin: object) -> None:
    (fault,) = faults(cors={"origins": [origin], "credentials": True})
    assert (fault.code, fault.path, fault.severity) == ("cors-credentials", "cors.origins[0]", Severity.ERROR)
    assert not faults(cors={"origins": [origin]})


def test_nobody_may_call() -> None:
    (fault,) = faults(cors={})
    assert (fault.code, fault.severity) == ("no-effect", Severity.WARNING)


def override(status: int = 503, **body: object) -> dict[str, object]:
    return {"on_status_code": status, "body": body}


@pytest.mark.parametrize(
    "overrides",
    [
        [override(text_format="100% %RESPONSE_CODE% %%REQ(x)%%")],
        [override(text_format="no"), override(404, json_format={"a": "%PROTOCOL%", "b": 1})],
        [override(text_format="", content_type="text/html; charset=utf-8")],
    ],
)
def test_bodies_in_order_are_passed_over(overrides: list[object]) -> None:
    assert not faults(error_response_overrides=overrides)


@pytest.mark.parametrize(
    ("overrides", "path", "severity", "message"),
    [
        ([override(text_format="a"), override(text_format="b")], "[1].on_status_code", "warning", "503 has a body"),
        ([override()], "[0].body", "warning", "expected one of text_format and json_format; the errors stay"),
        ([override(text_format="a", json_format={})], "[0].body", "warning", "expected one of text_format and json_"),
        (
            [override(text_format_source={"filename": "/etc/passwd"})],
            "[0].body.text_format_source",
            "warning",
            "a file on Envoy's machine is not a mapping's to show, and is left out; write text_format",
        ),
        ([override(text_format="%REQ(x)%")], "[0].body", "warning", "'%REQ(x)%' is answered as it is written"),
        ([override(json_format={"a": "%HOSTNAME%"})], "[0].body", "warning", "'%HOSTNAME%' is answered as it is wr"),
        (
            [override(text_format="a", content_type="a\r\nb: c")],
            "[0].body.content_type",
            "error",
            "'a\\r\\nb: c' holds a control character",
        ),
    ],
)
def test_what_is_wrong_with_a_body(overrides: list[object], path: str, severity: str, message: str) -> None:
    (fault,) = faults(error_response_overrides=overrides)
    assert (fault.path, fault.severity.value) == (f"error_response_overrides{path}", severity)
    assert fault.message.startswith(message)
