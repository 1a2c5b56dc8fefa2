"""Credentials: sent as their standards say, and seen nowhere."""

import copy
import logging
import os
import pickle
import subprocess
import traceback
import warnings
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from kfambassador.errors import ConfigurationError, RouteFailed
from kfambassador.sdk.calling.calls import Call
from kfambassador.sdk.calling.credentials import (
    BasicAuth,
    BearerToken,
    Cookie,
    Credentials,
    CredentialsInClear,
    TokenFile,
    is_loopback,
    origin_of,
    warn_in_clear,
)
from kfambassador.sdk.calling.http import HttpClient
from tests.backends import Answer as Told
from tests.backends import Echo, EchoServer
from tests.ports import free_port

CANARY = f"canary{token_hex(8)}"


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture(params=["bearer", "file", "cookie", "basic"])
def credentials(request: pytest.FixtureRequest, tmp_path: Path) -> Credentials:
    (tmp_path / "a token").write_text(f"{CANARY}\n")
    kinds: dict[str, Credentials] = {
        "bearer": BearerToken(CANARY),
        "file": TokenFile(tmp_path / "a token"),
        "cookie": Cookie("authservice_session", CANARY),
        "basic": BasicAuth("alice", CANARY),
    }
    return kinds[request.param]


def shown_by(echo: EchoServer, credentials: Credentials) -> str:
    """The secret that arrives at a server."""
    with HttpClient(credentials=credentials, direct=True) as http:
        seen = Echo.read(http.send("GET", echo.url).body)
    if isinstance(credentials, Cookie):
        return (seen.header("cookie") or "").removeprefix("authservice_session=")
    scheme, _, rest = (seen.header("authorization") or "").partition(" ")
    return b64decode(rest).decode().removeprefix("alice:") if scheme == "Basic" else rest


def test_the_secret_arrives(echo: EchoServer, credentials: Credentials) -> None:
    assert shown_by(echo, credentials) == CANARY


def test_the_secret_is_seen_nowhere(
    echo: EchoServer, credentials: Credentials, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # the client of Kubernetes has quietened it for all
    shown_by(echo, credentials)
    with HttpClient(credentials=credentials, direct=True) as http:
        http.send("GET", echo.url)
        faces = f"{credentials!r} {credentials} {vars(credentials)!r} {http!r} {vars(http)!r} {vars(http._session)!r}"
        errors = [fail(http, f"http://127.0.0.1:{free_port()}/"), fail(http, echo.url.replace("http", "https", 1))]
        call = Call("GET", "/m/", headers={"x-a": "b"})
        faces += f"{call!r} {call.curl(echo.url, credentials)}"
    seen = [faces, caplog.text, *capfd.readouterr(), *errors]
    assert all(CANARY not in text for text in seen)
    assert "urllib3" in caplog.text  # there was something to find it in


def fail(http: HttpClient, url: str) -> str:
    """What is told of a request that cannot be sent, with all that a debugger shows of its frames."""
    try:
        http.send("GET", url, retries=None)
    except RouteFailed as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError("it was sent")


def test_in_the_middle_of_an_answer_nothing_is_shown_either(echo: EchoServer, credentials: Credentials) -> None:
    with (
        HttpClient(credentials=credentials, direct=True) as http,
        echo.hold(),
        pytest.raises(RouteFailed, match="no answer in time") as caught,
    ):
        http.send("GET", echo.url, timeout=0.05)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "send" in told
    assert CANARY not in told


def test_only_what_holds_no_secret_is_pickled(credentials: Credentials) -> None:
    assert copy.copy(credentials) is credentials
    assert copy.deepcopy(credentials) is credentials
    if isinstance(credentials, TokenFile):
        credentials.headers()
        pickled = pickle.dumps(credentials)
        assert CANARY.encode() not in pickled
        assert pickle.loads(pickled).headers() == credentials.headers()
    else:
        with pytest.raises(TypeError, match="is not pickled") as caught:
            pickle.dumps(credentials)
        assert CANARY not in str(caught.value)


def test_a_shell_sends_the_same(echo: EchoServer, credentials: Credentials) -> None:
    line = Call("GET", "/m/").curl("http://h", credentials).replace("curl ", "printf '%s\\n' ", 1)
    said = subprocess.run(
        ["/bin/sh", "-c", line],
        env={**os.environ, "TOKEN": CANARY, "COOKIE": CANARY, "PASSWORD": CANARY},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    expected = {
        BearerToken: ["-H", f"Authorization: Bearer {CANARY}"],
        TokenFile: ["-H", f"Authorization: Bearer {CANARY}"],
        Cookie: ["-b", f"authservice_session={CANARY}"],
        BasicAuth: ["-u", f"alice:{CANARY}"],
    }
    assert said == [*expected[type(credentials)], "http://h/m/"]


def test_a_token_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    file = TokenFile(path)
    assert file.headers() == {"Authorization": "Bearer one"}
    # As the kubelet renews it: by a rename.
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").rename(path)
    assert file.headers() == {"Authorization": "Bearer two"}
    path.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        file.headers()


def test_a_token_file_is_read_once_while_it_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    file = TokenFile(path)
    file.headers()
    state = path.stat()
    path.write_text("two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.headers() == {"Authorization": "Bearer one"}
    monkeypatch.setattr("kfambassador.sdk.calling.credentials._REREAD_AFTER", 0.0)
    assert file.headers() == {"Authorization": "Bearer two"}


@pytest.mark.parametrize("text", ["", "  \n", "a\nb", "a\0", "Žeton", "a\r\nx-evil: 1"])
def test_a_token_no_header_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        BearerToken(text)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "x"), ("a=b", "x"), ("a", ""), ("a", "x;y"), ("a", 'x"'), ("a", "ü")]
)
def test_a_cookie_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        Cookie(name, value)


def test_a_user_with_a_colon_is_refused_without_being_quoted() -> None:
    with pytest.raises(ConfigurationError, match="cannot have a colon") as caught:
        BasicAuth(f"alice:{CANARY}", "")
    assert CANARY not in str(caught.value)


def test_credentials_go_to_one_origin_only(echo: EchoServer) -> None:
    with EchoServer() as other, HttpClient(credentials=BearerToken(CANARY), origin=echo.url, direct=True) as http:
        assert http.send("GET", f"{echo.url}/m/").is_success
        for url in (f"{other.url}/", echo.url.replace("127.0.0.1", "localhost"), "http://["):
            with pytest.raises(RouteFailed, match="is not sent"):
                http.send("GET", url)
        assert other.seen == 0


def test_the_first_request_binds_credentials_when_nothing_is_said(echo: EchoServer) -> None:
    with EchoServer() as other, HttpClient(credentials=BearerToken(CANARY), direct=True) as http:
        http.send("GET", echo.url)
        with pytest.raises(RouteFailed, match=f"the credentials are for {echo.url}, and for no other"):
            http.send("GET", other.url)


def test_a_path_cannot_change_the_host(echo: EchoServer) -> None:
    with EchoServer() as other, HttpClient(direct=True) as http:
        with pytest.raises(ValueError, match="does not start with a slash"):
            Call("GET", f"@127.0.0.1:{other.port}/").send(http, echo.url)
        with pytest.raises(RouteFailed, match="an address with a user is not taken") as caught:
            http.send("GET", f"http://alice:{CANARY}@127.0.0.1:{other.port}/")
    assert CANARY not in str(caught.value)
    assert other.seen == 0


def test_a_redirect_takes_no_credentials_along(echo: EchoServer) -> None:
    with EchoServer() as gate, HttpClient(credentials=BearerToken(CANARY), direct=True) as http:
        gate.script.tell(Told(status=302, headers={"location": echo.url}))
        before = echo.seen
        assert http.send("GET", gate.url).status == 302
        assert echo.seen == before


def test_the_callers_own_header_wins_and_cookies_are_joined(echo: EchoServer) -> None:
    with HttpClient(credentials=BearerToken(CANARY), direct=True) as http:
        seen = Echo.read(http.send("GET", echo.url, headers={"authorization": "Bearer own"}).body)
        assert seen.header("authorization") == "Bearer own"
    with HttpClient(credentials=Cookie("a", "1"), direct=True) as http:
        seen = Echo.read(http.send("GET", echo.url, headers={"cookie": "b=2"}).body)
        assert seen.header("cookie") == "b=2; a=1"


def test_what_can_be_read_on_the_way_is_warned_of_once() -> None:
    with HttpClient(credentials=BearerToken(CANARY), direct=True) as http:
        with (
            pytest.warns(CredentialsInClear, match=r"http://gateway\.invalid:80 without TLS"),
            pytest.raises(RouteFailed),
        ):
            http.send("GET", "http://gateway.invalid/", retries=None)
        with warnings.catch_warnings(action="error"), pytest.raises(RouteFailed):
            http.send("GET", "http://gateway.invalid/", retries=None)


@pytest.mark.parametrize(
    "url", ["https://gateway.example", "http://127.0.0.2:80", "http://[::1]:80", "http://localhost"]
)
def test_what_cannot_be_read_is_not_warned_of(url: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_in_clear(url)


@pytest.mark.parametrize(
    ("url", "local"), [("http://localhost.evil.example", False), ("http://127.0.0.1.nip.io", False)]
)
def test_names_that_look_local_are_not(url: str, local: bool) -> None:
    assert is_loopback(url) is local


def test_an_origin_is_spelt_one_way() -> None:
    assert origin_of("HTTP://Models.Example:80/x") == origin_of("http://models.example")
    with pytest.raises(ValueError, match="no scheme, host and port"):
        origin_of("models.example/x")
