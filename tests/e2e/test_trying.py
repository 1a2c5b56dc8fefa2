"""One request tried out through a real gateway: what is sent, what is told of it, and the same in a shell."""

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from threading import Thread

import pytest

import kfambassador as kfa
from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.local.stack import LocalStack
from kfambassador.notebook.answering import desk
from kfambassador.sdk.calling.credentials import BasicAuth, BearerToken, Cookie, Credentials
from kfambassador.sdk.traffic.statistics import Statistics, StatisticsView
from tests.backends import Answer, Echo, EchoServer
from tests.e2e.gateway import fetch
from tests.e2e.publishing import publish_mappings
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("trying")]

CANARY = f"canary{token_hex(8)}"
SLOW_MS = 100
#: What reaches the service of a request, besides what every client says of itself.
SAID = ("host", "content-type", "x-team", "x-empty", "authorization", "cookie", "x-api-key")


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="module")
def guard() -> Iterator[EchoServer]:
    """An authorization service: it lets everybody in until it is told otherwise."""
    with EchoServer("guard") as server:
        yield server


@pytest.fixture(scope="module")
def stack(echo: EchoServer, guard: EchoServer) -> Iterator[LocalStack]:
    attributes: dict[str, dict[str, object]] = {
        "echo": {},
        "hosted": {"host": "models.example"},
        "posted": {"method": "POST"},
        "slow": {"timeout_ms": SLOW_MS},
        "away": {"service": f"127.0.0.1:{free_port()}"},
        "rewritten": {"rewrite": "/v1/models/m"},
        "unused": {"service": f"127.0.0.1:{free_port()}"},
    }
    with LocalStack() as stack:
        publish_mappings(
            stack,
            {
                "kind": "AuthService",
                "name": "guard",
                "auth_service": guard.url,
                "allowed_request_headers": ["authorization", "cookie"],
                "allowed_authorization_headers": ["location"],
            },
            {"name": "guarded", "prefix": "/guarded/", "service": echo.url},
            *(
                {"bypass_auth": True, "service": echo.url, "name": name, "prefix": f"/{name}/", **more}
                for name, more in attributes.items()
            ),
        )
        yield stack


@pytest.fixture
def gateway(stack: LocalStack, echo: EchoServer, guard: EchoServer) -> Iterator[kfa.Gateway]:
    for server in (echo, guard):
        server.script.tell(Answer())
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        yield gateway


def seen_by(test: kfa.RouteTest) -> Echo:
    return Echo.read(test.answer.body)


def run_line(line: str, where: Path, **secrets: str) -> str:
    """Give a line to a shell, as a person would; give what it printed."""
    env = {**os.environ, **secrets}
    told = ["sh", "-c", f"{line} --silent --show-error --noproxy '*'"]
    done = subprocess.run(told, capture_output=True, text=True, check=False, cwd=where, env=env, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), line
    return done.stdout


def of_service(echo: Echo) -> tuple[object, ...]:
    """What a service saw of a request, without what every client adds of its own."""
    # Whether a request without a body says that it has none is such a thing.
    length = echo.header("content-length") or "0"
    return (echo.method, echo.path, echo.body, length, {name: echo.header(name) for name in SAID})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "delete", "PROPFIND"])
def test_a_request_has_the_method_that_was_asked_for(gateway: kfa.Gateway, method: str) -> None:
    test = gateway.test(method, "/echo/m?a=b")
    assert (seen_by(test).method, seen_by(test).path) == (method.upper(), "/m?a=b")
    assert (test.answer.method, test.status, test.meaning) == (method.upper(), 200, "")


def test_an_answer_to_head_has_no_body(gateway: kfa.Gateway, echo: EchoServer) -> None:
    test = gateway.test("HEAD", "/echo/m")
    assert (test.status, test.answer.body) == (200, b"")
    assert [each.method for each in echo.script.seen] == ["HEAD"]


def test_headers_arrive_as_they_were_given(gateway: kfa.Gateway) -> None:
    headers = {"x-team": "a, b;c", "X-Empty": "", "Authorization": CANARY, "Content-Type": "image/png"}
    seen = seen_by(gateway.test("POST", "/echo/", headers=headers, body=b"x"))
    assert {name: seen.header(name) for name in headers} == headers


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ({"instances": [1.5, None], "ü": "'"}, '{"instances": [1.5, null], "\\u00fc": "\'"}', "application/json"),
        ([], "[]", "application/json"),
        (0, "0", "application/json"),
        ('it\'s "quoted"\nü', 'it\'s "quoted"\nü', "text/plain; charset=utf-8"),
        ("", "", "text/plain; charset=utf-8"),
        (b"a\r\n\tb", "a\r\n\tb", "application/octet-stream"),
    ],
)
def test_bodies_arrive_as_text_bytes_and_json(gateway: kfa.Gateway, body: object, text: str, kind: str) -> None:
    seen = seen_by(gateway.test("POST", "/echo/", body=body))
    assert (seen.body, seen.header("content-type"), seen.header("content-length")) == (
        text,
        kind,
        str(len(text.encode())),
    )


def test_without_a_body_none_is_announced(gateway: kfa.Gateway) -> None:
    seen = seen_by(gateway.test("GET", "/echo/"))
    assert (seen.body, seen.header("content-type"), seen.header("content-length")) == ("", None, None)


def test_who_took_it_is_told(gateway: kfa.Gateway, echo: EchoServer) -> None:
    test = gateway.test("GET", "/rewritten/x?a=b")
    assert test
    assert (test.mapping, test.upstream_path, test.backend) == ("default/rewritten", "/v1/models/mx", echo.url)
    assert seen_by(test).path == "/v1/models/mx?a=b"
    assert "/rewritten/x?a=b → 200" in repr(test)


def test_a_host_is_a_part_of_the_question(gateway: kfa.Gateway) -> None:
    taken = gateway.test("GET", "/hosted/", headers={"Host": "models.example"})
    assert (taken.status, taken.mapping, seen_by(taken).header("host")) == (200, "default/hosted", "models.example")
    for headers in ({"Host": "nobody.example"}, {}):
        missed = gateway.test("GET", "/hosted/", headers=headers)
        assert (missed.status, missed.mapping) == (404, "")
        assert missed.meaning == "no route takes this request"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere/"), ("GET", "/"), ("GET", "/posted/"), ("HEAD", "/no")])
def test_what_no_route_takes_is_told(gateway: kfa.Gateway, method: str, path: str) -> None:
    test = gateway.test(method, path)
    assert not test
    assert (test.status, test.meaning) == (404, "no route takes this request")
    assert (test.mapping, test.upstream_path, test.backend) == ("", "", "")
    assert repr(test).endswith("no route>")
    assert gateway.test(method, path, expect=404)


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "does not understand"), (404, "is the model loaded"), (405, "does not take this method"), (500, "its log")],
)
def test_what_the_server_says_is_the_servers(gateway: kfa.Gateway, echo: EchoServer, status: int, words: str) -> None:
    echo.script.tell(Answer(status=status, body='{"error": "words of its own"}'))
    test = gateway.test("POST", "/echo/", body=[1])
    assert (test.status, test.mapping, bool(test)) == (status, "default/echo", False)
    assert words in test.meaning
    assert test.answer.json() == {"error": "words of its own"}
    assert f"expected 200: POST /echo/ → {status}" in repr(test)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401), "it is denied with 401: an AuthService of the gateway may have done so"),
        (Answer(403), "it is denied with 403: an AuthService of the gateway may have done so"),
        (
            Answer(302, headers={"location": f"https://login.example/dex/auth?state={CANARY}"}),
            "it is a redirect to https://login.example/dex/auth: the gateway asks for a login",
        ),
    ],
    ids=["unknown", "forbidden", "login"],
)
def test_who_is_not_let_in_is_told_by_whom(
    gateway: kfa.Gateway, echo: EchoServer, guard: EchoServer, answer: Answer, words: str
) -> None:
    guard.script.tell(answer)
    test = gateway.test("GET", "/guarded/")
    assert (test.status, test.mapping) == (answer.status, "default/guarded")
    assert test.meaning.startswith(words)
    assert "connect(credentials=...)" in test.meaning
    assert CANARY not in f"{test!r} {test.meaning} {test._repr_html_()}"
    assert (len(guard.script.seen), echo.script.seen) == (1, [])
    # What is let through without asking is as before.
    assert gateway.test("GET", "/echo/")


def test_credentials_are_shown_to_the_gateway_and_in_no_face(stack: LocalStack, guard: EchoServer) -> None:
    guard.script.tell(Answer())
    with kfa.Gateway.at(stack.endpoint, credentials=BearerToken(CANARY), quiet=True) as gateway:
        test = gateway.test("GET", "/guarded/", headers={"x-team": CANARY})
        assert seen_by(test).header("authorization") == f"Bearer {CANARY}"
        assert guard.script.seen[-1].header("authorization") == f"Bearer {CANARY}"
        assert CANARY not in f"{test!r} {test._repr_html_()} {gateway!r}"


def test_a_service_that_is_away_or_late_is_told_and_asked_once(gateway: kfa.Gateway, echo: EchoServer) -> None:
    away = gateway.test("POST", "/away/", body=[1])
    assert (away.status, away.answer.tries, away.mapping) == (503, 1, "default/away")
    assert "does it run, and is the port right?" in away.meaning
    with echo.hold() as arrived:
        late = gateway.test("POST", "/slow/", body=[1])
        assert arrived.get().path == "/"
        assert arrived.empty()
    assert echo.script.wait_for(1, timeout=10)
    assert (late.status, late.answer.tries) == (504, 1)
    assert "timeout_ms says how long Envoy waits" in late.meaning


def test_an_overloaded_server_is_asked_once_whatever_it_says(gateway: kfa.Gateway, echo: EchoServer) -> None:
    echo.script.tell(Answer(status=503, headers={"retry-after": "0"}, body="warming up"))
    test = gateway.test("GET", "/echo/")
    assert (test.status, len(echo.script.seen)) == (503, 1)
    assert "not ready, overloaded or away" in test.meaning


def test_a_redirect_of_the_server_is_told_and_not_followed(gateway: kfa.Gateway, echo: EchoServer) -> None:
    echo.script.tell(Answer(status=301, headers={"location": "/echo/elsewhere?token=secret"}))
    test = gateway.test("GET", "/echo/", expect=301)
    assert test
    assert test.meaning == "it is a redirect to /echo/elsewhere: redirects are not followed"
    assert len(echo.script.seen) == 1


def test_no_answer_at_all_is_an_error(gateway: kfa.Gateway, echo: EchoServer) -> None:
    with echo.hold(), pytest.raises(RouteFailed, match=r"GET .*/echo/ was not answered") as caught:
        gateway.test("GET", "/echo/", timeout=0.2)
    assert echo.script.wait_for(1, timeout=10)
    assert caught.value.status is None


def test_a_method_that_is_typed_wrong_is_told(gateway: kfa.Gateway, echo: EchoServer) -> None:
    test = gateway.test("PSOT", "/echo/")
    assert (test.status, test.meaning) == (400, "PSOT is no method that Envoy knows: is it typed right?")
    assert echo.script.seen == []


@pytest.mark.parametrize("method", ["G T", "", "GET;", "POST\n", "GET; touch owned", "$(id)"])
def test_what_is_no_method_is_sent_and_written_nowhere(gateway: kfa.Gateway, echo: EchoServer, method: str) -> None:
    for ask in (gateway.test, gateway.curl):
        with pytest.raises(ConfigurationError) as caught:
            ask(method, "/echo/")
        assert str(caught.value) == f"The method {method!r} is none: give one word, such as GET or POST."
    assert echo.script.seen == []


@pytest.mark.parametrize("path", ["", "echo/", "http://elsewhere.example/", "@elsewhere.example/", ":80/"])
def test_a_path_that_could_change_the_host_is_refused(gateway: kfa.Gateway, path: str) -> None:
    for ask in (gateway.test, gateway.curl):
        with pytest.raises(ConfigurationError) as caught:
            ask("GET", path)
        assert str(caught.value) == f"The path {path!r} does not begin with a slash: give all of it after the host."


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", "/echo/", {}, None),
        ("GET", "/echo/m?a=b&c=d%20e", {"x-team": 'it\'s "a"; $HOME `id` \\'}, None),
        ("DELETE", "/echo/m", {}, None),
        ("OPTIONS", "/echo/m", {}, None),
        ("POST", "/echo/m", {"x-empty": ""}, None),
        ("POST", "/echo/m:predict", {}, {"instances": [[1.5, None], "it's", 'a "b"', "ü\n$(id)"]}),
        ("PUT", "/echo/m", {}, 'two\nlines, it\'s "quoted" `id` $HOME \\ %41 & ü'),
        ("POST", "/echo/m", {"content-type": "application/json"}, '{"a":\r\n1}'),
        ("PATCH", "/echo/m", {}, b"plain bytes"),
        ("POST", "/echo/m", {}, b"\x89PNG\x00\xff"),
        ("POST", "/echo/m", {}, "@FILE"),
        ("POST", "/echo/m", {}, ""),
        ("GET", "/echo/m", {}, {"asked": "with a body"}),
        ("GET", "/echo/a b/ü?x={1,2}&y=[1-3]#part", {}, None),
        ("GET", "/echo/it's?a=$HOME;id", {}, None),
        ("GET", "/hosted/m", {"Host": "models.example"}, None),
    ],
)
def test_a_shell_sends_the_very_same(
    gateway: kfa.Gateway,
    tmp_path_factory: pytest.TempPathFactory,
    method: str,
    path: str,
    headers: dict[str, str],
    body: object,
) -> None:
    directory = tmp_path_factory.mktemp("shell")
    if isinstance(body, bytes):
        # What is no text stands in the line as a file, for the person to name.
        (directory / "FILE").write_bytes(body)
    sent = seen_by(gateway.test(method, path, headers=headers, body=body))
    printed = run_line(gateway.curl(method, path, headers=headers, body=body), directory)
    assert of_service(Echo.read(printed)) == of_service(sent)


def test_a_shell_asks_for_no_body_where_head_has_none(gateway: kfa.Gateway, tmp_path: Path) -> None:
    printed = run_line(gateway.curl("HEAD", "/echo/m"), tmp_path)
    assert printed.startswith("HTTP/1.1 200 OK")


def test_whatever_a_body_and_a_header_hold_a_shell_sends_it(gateway: kfa.Gateway, tmp_path: Path) -> None:
    chance = random.Random(5)
    parts = ["'", '"', "\\", "\n", "$", "`", "!", "#", "@", "&", ";", "|", "%", "*", "~", " ", "\t", "ü", "a", "{", "}"]
    for _ in range(25):
        body = "".join(chance.choices(parts, k=chance.randrange(20)))
        # A header has no ends of lines, and none of its blanks at the ends count.
        team = "".join(chance.choices(parts, k=9)).replace("\n", "").replace("ü", "").strip() + "."
        sent = seen_by(gateway.test("POST", "/echo/", headers={"x-team": team}, body=body))
        printed = run_line(gateway.curl("POST", "/echo/", headers={"x-team": team}, body=body), tmp_path)
        assert of_service(Echo.read(printed)) == of_service(sent), (body, team)


@pytest.mark.parametrize(
    ("name", "variable"), [("Authorization", "AUTHORIZATION"), ("cookie", "COOKIE"), ("X-Api-Key", "X_API_KEY")]
)
def test_a_secret_header_is_a_variable_of_the_shell(
    gateway: kfa.Gateway, tmp_path: Path, name: str, variable: str
) -> None:
    line = gateway.curl("GET", "/echo/", headers={name: CANARY})
    assert CANARY not in line
    assert Echo.read(run_line(line, tmp_path, **{variable: f"k={CANARY}"})).header(name) == f"k={CANARY}"


@pytest.mark.parametrize(
    ("credentials", "variable", "name"),
    [
        (BearerToken(CANARY), "TOKEN", "authorization"),
        (BasicAuth("alice", CANARY), "PASSWORD", "authorization"),
        (Cookie("session", CANARY), "COOKIE", "cookie"),
    ],
    ids=["bearer", "basic", "cookie"],
)
def test_credentials_are_variables_of_the_shell(
    stack: LocalStack, tmp_path: Path, credentials: Credentials, variable: str, name: str
) -> None:
    with kfa.Gateway.at(stack.endpoint, credentials=credentials, quiet=True) as gateway:
        line = gateway.curl("GET", "/guarded/m", headers={"x-team": "a"})
        sent = seen_by(gateway.test("GET", "/guarded/m", headers={"x-team": "a"}))
    assert CANARY not in line
    printed = Echo.read(run_line(line, tmp_path, **{variable: CANARY}))
    assert printed.header(name) == sent.header(name)
    assert of_service(printed) == of_service(sent)


def test_the_callers_own_authorization_replaces_the_gateways(stack: LocalStack, tmp_path: Path) -> None:
    own = {"authorization": f"Bearer {CANARY} own"}
    with kfa.Gateway.at(stack.endpoint, credentials=BearerToken(CANARY), quiet=True) as gateway:
        line = gateway.curl("GET", "/guarded/", headers=own)
        sent = seen_by(gateway.test("GET", "/guarded/", headers=own))
    printed = Echo.read(run_line(line, tmp_path, AUTHORIZATION=own["authorization"], TOKEN="other"))
    assert printed.header("authorization") == sent.header("authorization") == own["authorization"]


def test_what_was_tried_is_counted_and_what_nobody_asked_is_left_out(gateway: kfa.Gateway) -> None:
    gateway.test("GET", "/rewritten/")
    every, used = list_counted(gateway.statistics()), list_counted(gateway.statistics(used_only=True))
    assert {"default/rewritten", "default/unused"} <= every
    assert "default/rewritten" in used
    assert "default/unused" not in used
    assert used < every


@pytest.mark.parametrize(("query", "told"), [("used=true", 0), ("used=false", 1), ("used=", 1), ("", 1)])
def test_only_true_leaves_out_what_was_not_used(stack: LocalStack, query: str, told: int) -> None:
    endpoint = stack.endpoint
    url = f"{endpoint.diagnostics_url}/ambassador/v0/statistics?mapping=default/unused&{query}"
    answer = fetch(url, token=endpoint.diagnostics_token)
    assert answer.status == 200
    found = StatisticsView.model_validate_json(answer.body).statistics
    assert [(each.mappings, each.requests) for each in found] == [(("default/unused",), 0)] * told


def list_counted(statistics: Statistics) -> set[str]:
    return {mapping for each in statistics for mapping in each.mappings}


class Endless(BaseHTTPRequestHandler):
    """Answers with events that never end."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"data: again\n\n")
                time.sleep(0.01)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_an_answer_that_never_ends_is_cut(gateway: kfa.Gateway, stack: LocalStack) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        service = f"127.0.0.1:{server.server_port}"
        publish_mappings(stack, {"name": "endless", "prefix": "/endless/", "service": service}, carrier="endless")
        tried = gateway.test("GET", "/endless/", timeout=1.0)
        assert tried
        assert not tried.answer.is_whole
        assert tried.answer.body.startswith(b"data: again\n\ndata: again\n\n")
        told = desk.answer(gateway, "test", {"method": "GET", "path": "/endless/", "timeout": 1.0})
        assert re.fullmatch(r"It went on after [\d,]+ bytes\.", str(told["cut"]))
    finally:
        server.shutdown()
        server.server_close()


def test_no_secret_of_a_header_is_told_where_routes_are(gateway: kfa.Gateway, stack: LocalStack) -> None:
    wanted = {"x-api-key": "wanted-secret", "authorization": "Bearer wanted-secret"}
    keyed = {"name": "keyed", "prefix": "/keyed/", "service": "127.0.0.1:9", "headers": wanted}
    publish_mappings(stack, keyed, carrier="keyed")
    told = gateway.explain("GET", "/keyed/", {"Authorization": "Bearer sent-secret", "x-api-key": "wanted-secret"})
    shown = [repr(told), told._repr_html_(), str(gateway.routes()), gateway.routes()._repr_html_()]
    shown += [repr(route) for route in gateway.routes()]
    assert all("authorization" in text for text in shown[1:4])
    assert [text for text in shown if "secret" in text] == []
    assert "header authorization has another value" in shown[1]
