"""Calls over HTTP: one answer, or one error of ours in plain words; no secret where it could be seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfambassador.errors import RouteFailed
from kfambassador.local.ports import free_port
from kfambassador.sdk.http import Answer, HttpClient
from tests.backends import Echo, EchoServer


class Array:
    """Knows of itself what numpy's arrays know."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def tolist(self) -> list[float]:
        return self.values


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
    with pytest.raises(TypeError, match="object cannot be sent as JSON"):
        http.send("POST", echo.url, body=[object()])


def test_the_token_is_sent_and_a_netrc_does_not_replace_it(
    echo: EchoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for token, sent in (("canary", "Bearer canary"), (None, None)):
        with HttpClient(token=token) as client:
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
        http.send("GET", url)
    assert str(caught.value) == f"GET {url} was not answered: Connection refused"
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
