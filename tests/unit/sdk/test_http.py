"""Calls over HTTP: one answer, or one error of ours in plain words; no secret where it could be seen."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfambassador.errors import RouteFailed
from kfambassador.sdk.calling.credentials import BearerToken
from kfambassador.sdk.calling.http import Answer, HttpClient
from kfambassador.sdk.calling.retrying import find_pause
from tests.backends import Answer as Told
from tests.backends import Echo, EchoServer
from tests.ports import free_port


class Array:
    """Knows of itself what numpy's arrays know."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def tolist(self) -> list[float]:
        return self.values


class Frame:
    """Knows of itself what pandas' tables know."""

    columns = ("x",)


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient(direct=True) as client:
        yield client


def test_arrays_are_sent_as_lists(echo: EchoServer, http: HttpClient) -> None:
    answer = http.send("POST", f"{echo.url}/x", body={"instances": [Array([1.0, 2.0])]}, params={"a": "1"})
    seen = Echo.read(answer.body)
    assert (seen.method, seen.path, json.loads(seen.body)) == ("POST", "/x?a=1", {"instances": [[1.0, 2.0]]})
    assert seen.header("content-type") == "application/json"
    assert answer.is_success
    assert answer.latency_ms > 0


def test_what_json_cannot_hold_is_named(echo: EchoServer, http: HttpClient) -> None:
    with pytest.raises(TypeError, match=r"object cannot be sent as JSON: .* arrays$"):
        http.send("POST", echo.url, body=[object()])
    with pytest.raises(TypeError, match=r"Frame cannot be sent as JSON: .*; of a table its to_numpy\(\)"):
        http.send("POST", echo.url, body=Frame())


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), None, "5"])
def test_a_time_that_is_none_is_said(echo: EchoServer, http: HttpClient, timeout: float) -> None:
    with pytest.raises(ValueError, match=f"timeout={timeout!r}: expected seconds above 0"):
        http.send("GET", echo.url, timeout=timeout)


def test_a_header_that_is_no_text_is_named(echo: EchoServer, http: HttpClient) -> None:
    with pytest.raises(TypeError, match="The header x-v is int, and a header is text"):
        http.send("GET", echo.url, headers={"x-v": 1})  # type: ignore[dict-item]


def test_the_token_is_sent_and_a_netrc_does_not_replace_it(
    echo: EchoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for credentials, sent in ((BearerToken("canary"), "Bearer canary"), (None, None)):
        with HttpClient(credentials=credentials) as client:
            assert Echo.read(client.send("GET", echo.url).body).header("authorization") == sent
            assert "canary" not in repr(vars(client))


def test_addresses_of_this_machine_are_reached_past_a_proxy(echo: EchoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with HttpClient(direct=True) as client:
        assert client.send("GET", echo.url).is_success
    with HttpClient() as client, pytest.raises(RouteFailed):
        client.send("GET", echo.url)


def test_no_answer_is_said_in_plain_words(http: HttpClient) -> None:
    url = f"http://127.0.0.1:{free_port()}/x"
    with pytest.raises(RouteFailed) as caught:
        http.send("GET", url, retries=None)
    assert re.fullmatch(rf"GET {url} was not answered \(in \d+\.\d s\): Connection refused", str(caught.value))
    assert caught.value.status is None


def test_a_late_answer_is_none(echo: EchoServer, http: HttpClient) -> None:
    with echo.hold(), pytest.raises(RouteFailed, match="no answer in time"):
        http.send("GET", echo.url, timeout=0.05)


def test_an_address_that_is_none_is_refused_in_our_words(http: HttpClient) -> None:
    with pytest.raises(RouteFailed, match="was not answered"):
        http.send("GET", "http://[")


def test_what_is_not_json_is_quoted_and_cut() -> None:
    answer = Answer("GET", "http://h/", 200, b"<html>" + b"x" * 1000, 1.0)
    with pytest.raises(RouteFailed, match="not JSON: '<html>xxx") as caught:
        answer.json()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("body", "headers", "sent", "kind"),
    [
        (b"\x00\x01", {}, "\x00\x01", "application/octet-stream"),
        (bytearray(b"a"), {"content-type": "image/png"}, "a", "image/png"),
        ("é", {}, "é", "text/plain; charset=utf-8"),
        ('{"a": 1}', {"Content-Type": "application/json"}, '{"a": 1}', "application/json"),
        ({"a": "é"}, {}, '{"a": "\\u00e9"}', "application/json"),
        (None, {}, "", None),
    ],
)
def test_bodies_are_sent_as_they_are_or_as_json(
    echo: EchoServer, http: HttpClient, body: object, headers: dict[str, str], sent: str, kind: str | None
) -> None:
    seen = Echo.read(http.send("POST", echo.url, body=body, headers=headers).body)
    assert (seen.body, seen.header("content-type")) == (sent, kind)


def test_no_cookie_is_kept(echo: EchoServer, http: HttpClient) -> None:
    echo.script.tell(Told(headers={"set-cookie": "a=1; Path=/"}, times=1))
    answer = http.send("GET", echo.url)
    assert answer.headers["set-cookie"] == "a=1; Path=/"
    assert "a=1" not in repr(answer)
    assert Echo.read(http.send("GET", echo.url).body).header("cookie") is None


ENVOY = "upstream connect error or disconnect/reset before headers. "


@pytest.mark.parametrize(
    ("status", "body", "retries", "times", "left", "tries"),
    [
        # What nobody saw is asked again, and asked for no more than that.
        (503, "no healthy upstream", 0, 2, 200, 3),
        (503, f"{ENVOY}reset reason: remote connection failure, transport failure reason: x", 0, 1, 200, 2),
        (503, f"{ENVOY}reset reason: overflow", 0, 9, 503, 3),
        (503, "no healthy upstream", None, 1, 503, 1),
        # What the service may have seen is the caller's to allow.
        (503, f"{ENVOY}reset reason: connection termination", 0, 1, 503, 1),
        (503, f"{ENVOY}reset reason: connection termination", 1, 1, 200, 2),
        (503, "model is loading", 0, 1, 503, 1),
        (429, "slow down", 0, 1, 429, 1),
        (429, "slow down", 3, 3, 200, 4),
        (502, "", 1, 2, 502, 2),
        (504, "", 1, 1, 200, 2),
        (500, "no", 3, 1, 500, 1),
        (404, "no", 3, 1, 404, 1),
    ],
)
def test_what_is_asked_again(
    echo: EchoServer,
    http: HttpClient,
    status: int,
    body: str,
    retries: int | None,
    times: int,
    left: int,
    tries: int,
) -> None:
    echo.script.tell(Told(status=status, body=body, times=times))
    answer = http.send("POST", f"{echo.url}/m", body=[1], retries=retries)
    assert (answer.status, answer.tries, len(echo.script.seen)) == (left, tries, tries)
    assert {seen.body for seen in echo.script.seen} == {"[1]"}


def test_a_stream_is_asked_again_before_it_begins(echo: EchoServer, http: HttpClient) -> None:
    echo.script.tell(Told(status=503, body="no healthy upstream", times=1))
    with http.stream("GET", echo.url) as answer:
        assert answer.status == 200
        assert Echo.read(answer.read()).method == "GET"


def test_who_says_to_come_back_later_than_there_is_time_for_is_believed(echo: EchoServer, http: HttpClient) -> None:
    echo.script.tell(Told(status=429, headers={"retry-after": "3600"}))
    assert http.send("GET", echo.url, retries=5, timeout=5.0).status == 429
    assert len(echo.script.seen) == 1


def test_a_pause_is_what_the_server_says() -> None:
    assert find_pause(1, {"retry-after": "7"}) == 7.0
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert find_pause(1, {"retry-after": past}) == 0.0
    assert find_pause(1, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}) > 1e9
    for said in ("soon", "-1", "1.5", "²"):
        assert 0.05 <= find_pause(1, {"retry-after": said}) <= 0.1
    assert all(find_pause(tries, {}) <= 10.0 for tries in range(1, 2000))


def test_how_often_and_how_long_it_was_asked_is_said(http: HttpClient) -> None:
    with pytest.raises(RouteFailed, match=r"was not answered \(asked 3 times in \d+\.\d s\): Connection refused"):
        http.send("GET", f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("value", ["Bearer canary\n", "canary\r\nx: 1", "canary\0", "canary€"])
def test_a_header_that_is_none_is_not_quoted(echo: EchoServer, http: HttpClient, value: str) -> None:
    with pytest.raises(ValueError, match="The header authorization holds line breaks or characters") as caught:
        http.send("GET", echo.url, headers={"authorization": value})
    assert "canary" not in str(caught.value)
