"""Calls through a real Envoy: streamed, asked again, let in by an AuthService, and failures told in words."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from secrets import token_hex

import pytest
from aiohttp import web

from kfambassador.errors import RouteFailed
from kfambassador.local.background import BackgroundServer
from kfambassador.local.stack import LocalStack
from kfambassador.sdk.calling.calls import Call, explain_failure
from kfambassador.sdk.calling.credentials import BasicAuth, BearerToken, Cookie, Credentials, TokenFile
from kfambassador.sdk.calling.http import HttpClient
from tests.backends import Answer as Told
from tests.backends import Echo, EchoServer
from tests.dripping import Drip
from tests.e2e.publishing import publish_mappings
from tests.ports import free_port

pytestmark = pytest.mark.e2e

CANARY = f"canary{token_hex(8)}"


class Guard(BackgroundServer):
    """An authorization service: lets in who shows the canary, sends a browser to a login, and refuses others."""

    def __init__(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._judge)
        super().__init__(app)

    async def _judge(self, request: web.Request) -> web.Response:
        basic = b64encode(f"alice:{CANARY}".encode()).decode()
        known = {f"Bearer {CANARY}", f"Basic {basic}"}
        if request.headers.get("authorization") in known or request.cookies.get("authservice_session") == CANARY:
            return web.Response()
        if "text/html" in request.headers.get("accept", ""):
            return web.Response(status=302, headers={"location": f"https://{request.host}/dex/auth?state=s3cret"})
        return web.Response(status=401)


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="module")
def stack(echo: EchoServer) -> Iterator[LocalStack]:
    with LocalStack() as stack:
        publish_mappings(
            stack,
            {"name": "echo", "prefix": "/echo/", "service": echo.url},
            {"name": "away", "prefix": "/away/", "service": f"127.0.0.1:{free_port()}"},
            {"name": "slow", "prefix": "/slow/", "service": echo.url, "timeout_ms": 100},
        )
        yield stack


@pytest.fixture
def drip(stack: LocalStack) -> Iterator[Drip]:
    with Drip() as server:
        publish_mappings(stack, {"name": "drip", "prefix": "/drip/", "service": server.url}, carrier="drip")
        yield server


@pytest.fixture(scope="module")
def guarded(echo: EchoServer) -> Iterator[LocalStack]:
    with Guard() as guard, LocalStack() as stack:
        auth = {
            "kind": "AuthService",
            "name": "guard",
            "auth_service": guard.url,
            "allowed_request_headers": ["authorization", "cookie", "accept"],
            "allowed_authorization_headers": ["location"],
        }
        publish_mappings(stack, auth, {"name": "echo", "prefix": "/echo/", "service": echo.url})
        yield stack


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient(direct=True) as client:
        yield client


def test_events_come_through_the_gateway_one_by_one(stack: LocalStack, drip: Drip, http: HttpClient) -> None:
    with Call("POST", "/drip/chat", body={"stream": True}).open(http, stack.endpoint.url) as answer:
        events = answer.events()
        assert next(events).data == "a"
        # The second is not sent before the first was read.
        drip.go.set_result(None)
        assert [event.data for event in events] == ["b"]


def test_a_stream_that_breaks_behind_the_gateway_is_said(stack: LocalStack, drip: Drip) -> None:
    with (
        HttpClient(credentials=BearerToken(CANARY), direct=True) as http,
        Call("GET", "/drip/broken").open(http, stack.endpoint.url) as answer,
    ):
        chunks = answer.chunks()
        assert next(chunks)
        drip.go.set_result(None)
        with pytest.raises(
            RouteFailed, match="answered 200, and broke off in the middle: the connection broke"
        ) as caught:
            list(chunks)
    assert CANARY not in tell_all(caught.value)


def test_a_flaky_server_is_asked_again_when_allowed(stack: LocalStack, echo: EchoServer, http: HttpClient) -> None:
    flaky = Told(status=503, body="warming up", headers={"retry-after": "0"}, times=2)
    call = Call("POST", "/echo/m", body=[1])
    echo.script.tell(flaky)
    assert call.send(http, stack.endpoint.url).status == 503
    assert len(echo.script.seen) == 1
    echo.script.tell(flaky)
    answer = call.send(http, stack.endpoint.url, retries=2)
    assert (answer.status, answer.tries) == (200, 3)
    assert [seen.body for seen in echo.script.seen] == ["[1]"] * 3


def test_what_envoy_could_not_deliver_is_asked_again_and_said(stack: LocalStack, http: HttpClient) -> None:
    answer = Call("POST", "/away/m", body=[1]).send(http, stack.endpoint.url)
    assert (answer.status, answer.tries) == (503, 3)
    assert "asked 3 times: Envoy cannot reach the service" in str(explain_failure(answer))
    assert Call("POST", "/away/m", body=[1]).send(http, stack.endpoint.url, retries=None).tries == 1


def test_a_late_answer_and_a_missing_route_are_said(stack: LocalStack, echo: EchoServer, http: HttpClient) -> None:
    with echo.hold():
        late = Call("GET", "/slow/").send(http, stack.endpoint.url)
    assert (late.status, late.tries) == (504, 1)
    assert "timeout_ms says how long Envoy waits" in str(explain_failure(late))
    missing = Call("GET", "/nowhere/").send(http, stack.endpoint.url)
    assert "no route takes this request" in str(explain_failure(missing))


@pytest.mark.parametrize("kind", ["bearer", "file", "cookie", "basic"])
def test_credentials_let_in_and_are_seen_nowhere(
    guarded: LocalStack, kind: str, tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(CANARY)
    kinds: dict[str, Credentials] = {
        "bearer": BearerToken(CANARY),
        "file": TokenFile(path),
        "cookie": Cookie("authservice_session", CANARY),
        "basic": BasicAuth("alice", CANARY),
    }
    call = Call("GET", "/echo/m")
    with HttpClient(credentials=kinds[kind], direct=True) as http:
        answer = call.send(http, guarded.endpoint.url)
        assert answer.status == 200
        assert CANARY in answer.body.decode() or kind == "basic"
        shown = f"{http!r} {vars(http)!r} {answer!r} {call!r} {call.curl(guarded.endpoint.url, http.credentials)}"
        missing = explain_failure(Call("GET", "/nowhere/").send(http, guarded.endpoint.url))
    assert CANARY not in f"{shown} {missing} {caplog.text}"


def test_a_token_that_was_renewed_is_shown_at_once(
    guarded: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text("expired")
    with HttpClient(credentials=TokenFile(path), direct=True) as http:
        denied = Call("GET", "/echo/m").send(http, guarded.endpoint.url)
        assert denied.status == 401
        assert "connect(credentials=...)" in str(explain_failure(denied))
        path.write_text(CANARY)
        assert Call("GET", "/echo/m").send(http, guarded.endpoint.url).is_success


def test_a_login_page_is_told_and_not_followed(guarded: LocalStack, http: HttpClient) -> None:
    answer = Call("GET", "/echo/m", headers={"accept": "text/html"}).send(http, guarded.endpoint.url)
    told = str(explain_failure(answer))
    assert answer.status == 302
    assert "/dex/auth: the gateway asks for a login; give connect(credentials=...)" in told
    assert "s3cret" not in told


def test_bytes_arrive_as_they_are(stack: LocalStack, http: HttpClient) -> None:
    call = Call("POST", "/echo/m", headers={"content-type": "image/png"}, body=b"\x89PNG")
    seen = Echo.read(call.send(http, stack.endpoint.url).body)
    assert (seen.header("content-type"), seen.header("content-length")) == ("image/png", "4")


def tell_all(error: BaseException) -> str:
    """What a debugger shows of an error, with every frame's variables that are not this test's own."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(trace.format()) + "".join(str(frame.locals) for frame in trace.stack)
