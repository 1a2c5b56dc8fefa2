"""Answers read as they arrive: pieces as they were sent, lines and events as browsers read them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.errors import RouteFailed
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.calling.streaming import ServerSentEvent, read_events, split_lines
from tests.dripping import Drip


@pytest.fixture
def drip() -> Iterator[Drip]:
    with Drip() as server:
        yield server


@pytest.fixture
def http() -> Iterator[HttpClient]:
    with HttpClient(direct=True) as client:
        yield client


@pytest.mark.parametrize("kind", ["chunked", "sized"])
def test_pieces_arrive_as_they_are_sent(drip: Drip, http: HttpClient, kind: str) -> None:
    with http.stream("POST", f"{drip.url}/{kind}", body={"prompt": "x"}) as answer:
        assert (answer.status, answer.is_success) == (200, True)
        chunks = answer.chunks()
        # The server sends no more before it is told to.
        assert next(chunks) == b"data: a\n\n"
        drip.go.set_result(None)
        assert b"".join(chunks) == b"data: b\n\n"


def test_events_arrive_one_by_one(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/chunked") as answer:
        events = answer.events()
        assert next(events) == ServerSentEvent("message", "a", "")
        drip.go.set_result(None)
        assert [event.data for event in events] == ["b"]
        assert http.send("GET", f"{drip.url}/json").is_success


def test_a_connection_that_breaks_is_said(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/broken") as answer:
        lines = answer.lines()
        assert next(lines) == "data: a"
        drip.go.set_result(None)
        with pytest.raises(
            RouteFailed, match=r"answered 200, and broke off in the middle: the connection broke"
        ) as caught:
            list(lines)
    assert caught.value.status == 200
    assert caught.value.__context__ is None


def test_a_stream_that_falls_silent_is_given_up(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/stuck", timeout=0.3) as answer:
        chunks = answer.chunks()
        assert next(chunks)
        with pytest.raises(RouteFailed, match="nothing came in time"):
            next(chunks)


def test_a_closed_answer_cannot_be_read(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/chunked") as answer:
        pass
    drip.go.set_result(None)
    with pytest.raises(ValueError, match="is closed"):
        answer.read()


def test_a_stream_is_asked_for_uncompressed_and_read_compressed_all_the_same(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/json") as answer:
        assert answer.read() == b'{"accept": "identity"}'
    with http.stream("GET", f"{drip.url}/gzip") as answer:
        assert [event.data for event in answer.events()] == ["a"]


def test_what_is_no_stream_of_events_is_said(drip: Drip, http: HttpClient) -> None:
    with http.stream("GET", f"{drip.url}/json") as answer, pytest.raises(RouteFailed, match="with application/json"):
        next(answer.events())
    with (
        http.stream("GET", f"{drip.url}/down", retries=None) as answer,
        pytest.raises(RouteFailed, match="answered 503: no healthy upstream") as caught,
    ):
        next(answer.events())
    assert caught.value.status == 503


EVENTS = [
    # The examples of the standard (WHATWG HTML, "Server-sent events", 9.2.6).
    ("data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
    (
        ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
    ),
    ("data\n\ndata\ndata\n\ndata:\n", [("message", "", ""), ("message", "\n", "")]),
    ("data:test\n\ndata: test\n\n", [("message", "test", "")] * 2),
    ("event: add\ndata: 73857293\n\nevent: remove\n\ndata: x\n\n", [("add", "73857293", ""), ("message", "x", "")]),
    (
        "\ufeffdata: a\r\rid: 1\0\ndata: b\r\n\r\nretry: 5\ncolon: no\ndata: c",
        [("message", "a", ""), ("message", "b", "")],
    ),
]


@pytest.mark.parametrize(("text", "events"), EVENTS)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_events_are_read_as_browsers_read_them(text: str, events: list[tuple[str, str, str]], size: int) -> None:
    data = text.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    read = [(event.event, event.data, event.id) for event in read_events(split_lines(pieces))]
    assert read == events


@given(st.lists(st.text(alphabet="aé\r\n€", max_size=8).map(str.encode), max_size=8), st.integers(1, 5))
def test_lines_are_the_same_however_they_arrive(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(split_lines(pieces)) == data.decode().replace("\r\n", "\n").replace("\r", "\n").splitlines()


def test_a_line_is_given_before_its_line_feed_comes() -> None:
    came: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        for piece in (b"a\r", b"\n"):
            came.append(piece)
            yield piece

    assert next(split_lines(pieces())) == "a"
    assert came == [b"a\r"]


def test_an_event_that_is_no_json_is_said() -> None:
    assert ServerSentEvent("message", '{"a": 1}', "").json() == {"a": 1}
    with pytest.raises(RouteFailed, match=r"not JSON: '\[DONE\]'"):
        ServerSentEvent("message", "[DONE]", "").json()
