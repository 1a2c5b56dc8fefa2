"""Calls that fulfil what a route asks for, and answers that are Envoy's and not the service's."""

import pytest

from kfambassador.sdk.calling.calls import Call, Prediction, RouteTest, build_call
from kfambassador.sdk.calling.credentials import BearerToken
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.meanings import explain_answer, explain_failure, find_gateways_words, tell_denial
from tests.builders import mapping


@pytest.mark.parametrize(
    ("attributes", "headers"),
    [
        ({"host": "models.example"}, {"Host": "models.example"}),
        ({"host": "a.example", "hostname": "b.example"}, {"Host": "b.example"}),
        ({"hostname": "*.example"}, {"Host": "any.example"}),
        ({"hostname": "*"}, {}),
        ({"host": "a.*", "host_regex": True}, {}),
        ({"headers": {"x-team": "vision", "x-any": True}}, {"x-team": "vision", "x-any": "true"}),
        ({"regex_headers": {"x-v": "1.*"}}, {}),
    ],
)
def test_a_call_fulfils_its_mapping(attributes: dict[str, object], headers: dict[str, str]) -> None:
    assert build_call(mapping("m", **attributes), "GET", "/m/").headers == headers


def test_the_caller_has_the_last_word() -> None:
    call = build_call(mapping("m", headers={"x-team": "a"}), "GET", "/m/", headers={"x-team": "b", "x-v": "2"})
    assert call.headers == {"x-team": "b", "x-v": "2"}


def test_query_parameters_are_fulfilled() -> None:
    assert build_call(mapping("m", query_parameters={"v": "a b"}), "GET", "/m/").target == "/m/?v=a+b"


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (Call("GET", "/m/"), "curl http://h/m/"),
        (Call("DELETE", "/m/", params={"v": "1"}), "curl -X DELETE 'http://h/m/?v=1'"),
        (Call("POST", "/m", body=[1]), "curl -H 'Content-Type: application/json' -d '[1]' http://h/m"),
        (
            Call("POST", "/m", body="@home"),
            "curl -H 'Content-Type: text/plain; charset=utf-8' --data-raw @home http://h/m",
        ),
        (
            Call("POST", "/m", headers={"content-type": "image/png"}, body=b"\xff"),
            "curl -H 'content-type: image/png' --data-binary @FILE http://h/m",
        ),
        (Call("GET", "/m", headers={"Authorization": "canary"}), 'curl -H "Authorization: $AUTHORIZATION" http://h/m'),
        (Call("POST", "/m", headers={"x-a": "it's"}), "curl -X POST -H 'x-a: it'\"'\"'s' http://h/m"),
    ],
)
def test_curl_lines_can_be_pasted(call: Call, line: str) -> None:
    assert call.curl("http://h") == line
    assert "canary" not in repr(call)


def test_a_curl_line_shows_credentials_as_variables() -> None:
    line = Call("GET", "/m/").curl("https://h", BearerToken("canary"))
    assert line == 'curl -H "Authorization: Bearer $TOKEN" https://h/m/'


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"", "no route takes this request"),
        (404, b'{"error": "no such model"}', None),
        (503, b"no healthy upstream", "the service has no endpoint, or its name is not known to DNS"),
        (503, b"upstream connect error or disconnect/reset before headers.", "Envoy cannot reach the service"),
        (504, b"upstream request timeout", "the service did not answer in time"),
        (503, b"model is loading", None),
        (200, b"", None),
    ],
)
def test_envoys_own_answers_are_told_apart(status: int, body: bytes, words: str | None) -> None:
    found = find_gateways_words(Answer("GET", "http://h/", status, body, 1.0), mapping("m"))
    assert found is words if words is None else (found or "").startswith(words)
    assert "TLS" not in (found or "")


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"service": "https://localhost:9143"}, "localhost"),
        ({"service": "localhost:9143", "tls": "my-ca"}, "localhost"),
        ({"service": "10.0.0.1:9143", "tls": True, "host_rewrite": "a.example"}, "a.example"),
    ],
)
def test_where_tls_is_spoken_the_certificate_is_suspected(attributes: dict[str, object], name: str) -> None:
    failed = b"upstream connect error or disconnect/reset before headers."
    found = find_gateways_words(Answer("GET", "http://h/", 503, failed, 1.0), mapping("m", **attributes))
    assert f"is for another name than {name}, or it does not speak TLS" in (found or "")
    assert "ca_secret" in (found or "")
    late = Answer("GET", "http://h/", 504, b"upstream request timeout", 1.0)
    assert "TLS" not in (find_gateways_words(late, mapping("m", **attributes)) or "")


@pytest.mark.parametrize(("status", "denied"), [(401, True), (403, True), (200, False), (404, False), (503, False)])
def test_a_denial_names_who_may_have_denied(status: int, denied: bool) -> None:
    told = tell_denial(Answer("GET", "http://h/", status, b"", 1.0))
    assert (f"denied with {status}: an AuthService" in told) is denied
    assert bool(told) is denied


def test_results_say_themselves_in_one_line() -> None:
    assert repr(Prediction([2.5], {"predictions": [2.5]}, 3.25)) == "<Prediction [2.5] in 3.2 ms>"
    assert len(repr(Prediction(list(range(1000)), None, 1.0))) < 120
    test = RouteTest("/m/", Answer("GET", "http://h/m/", 404, b"", 1.0), expected=200, mapping="", upstream_path="")
    assert repr(test) == "<RouteTest failed, expected 200: GET /m/ → 404 in 1.0 ms, no route>"
    assert not test
    taken = RouteTest(
        "/m/",
        Answer("GET", "http://h/m/", 405, b"", 1.0),
        expected=200,
        mapping="default/m",
        upstream_path="/",
        backend="canary",
    )
    assert repr(taken) == (
        "<RouteTest failed, expected 200: GET /m/ → 405 in 1.0 ms, default/m → / at canary: "
        "the server does not take this method there>"
    )


RESET = "upstream connect error or disconnect/reset before headers. reset reason: "


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "", ""),
        (302, "", "redirects are not followed"),
        (400, "bad", "does not understand"),
        (401, "", "connect(credentials=...)"),
        (403, "RBAC: access denied", "an AuthorizationPolicy of the service mesh"),
        (404, '{"error": "Servable not found"}', "is the model loaded"),
        (404, "", "no route takes this request"),
        (405, "", "does not take this method"),
        (408, "request timeout", "did not arrive whole in time"),
        (413, "Payload Too Large", "larger than the gateway takes"),
        (429, "", "a rate limit"),
        (431, "", "headers are larger"),
        (500, "Traceback", "the server itself failed"),
        (502, f"{RESET}protocol error", "gRPC needs grpc: true"),
        (502, "", "no answer that can be understood"),
        (503, f"{RESET}overflow", "its circuit breaker is open"),
        (503, f"{RESET}connection termination", "did it crash"),
        (503, f"{RESET}connection timeout", "connect_timeout_ms"),
        (503, f"{RESET}remote connection failure, transport failure reason: x", "does it run, and is the port right"),
        (503, "loading", "not ready, overloaded or away"),
        (504, "upstream request timeout", "timeout_ms says how long"),
        (504, "", "did not answer in time"),
        (418, "", ""),
    ],
)
def test_every_failure_has_its_meaning(status: int, body: str, words: str) -> None:
    answer = Answer("GET", "http://h/", status, body.encode(), 1.0)
    told = explain_answer(answer, mapping("m"))
    assert words in told
    assert bool(told) is bool(words)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (
            "https://h.example/dex/auth?client_id=x&state=canary",
            "redirect to https://h.example/dex/auth: the gateway asks",
        ),
        ("/oauth2/start?rd=canary", "redirect to /oauth2/start: the gateway asks for a login"),
        ("https://u:canary@h:8443/m/", "redirect to https://h:8443/m/: redirects are not followed"),
        ("", "redirect to nowhere"),
    ],
)
def test_a_redirect_to_a_login_is_said(location: str, words: str) -> None:
    answer = Answer("POST", "http://h/m", 302, b"", 1.0, {"location": location})
    assert words in str(explain_failure(answer))
    assert "canary" not in str(explain_failure(answer))


def test_a_failure_says_how_often_it_was_asked() -> None:
    answer = Answer("POST", "http://h/m", 503, b"no healthy upstream", 1.0, tries=3)
    assert str(explain_failure(answer, mapping("m"))) == (
        "POST http://h/m answered 503, asked 3 times: the service has no endpoint, or its name is not known to DNS "
        "(no healthy upstream)"
    )
