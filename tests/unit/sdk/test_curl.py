"""Lines for curl: whatever a request holds, a shell reads the words that were meant and no others."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.sdk.calling.calls import Call
from kfambassador.sdk.calling.credentials import BearerToken, Cookie
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.meanings import explain_answer

#: All that a person can type and a shell can misread; a word cannot hold the end of a C string.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
ONE_LINE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@given(method=ONE_LINE, team=ONE_LINE, body=TEXT, rest=TEXT)
def test_a_shell_reads_the_words_that_were_meant(method: str, team: str, body: str, rest: str) -> None:
    call = Call(method, f"/m/{rest}", headers={"x-team": team}, body=body)
    words = shlex.split(call.curl("http://h"))
    assert words.pop(0) == "curl"
    if method != "POST":
        assert [words.pop(0), words.pop(0)] == ["-X", method]
    assert words[:4] == ["-H", f"x-team: {team}", "-H", "Content-Type: text/plain; charset=utf-8"]
    flag, data, address = words[4:]
    assert (flag, data) == ("--data-raw" if body.startswith("@") else "-d", body)
    assert address.startswith("http://h/m/")
    # To curl, brackets and braces are several addresses, and a blank is the end of one.
    assert address.isascii()
    assert not set(address) & set(' "<>[]{}\\^`|\n\t')


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (Call("GET", "/m/"), "curl http://h/m/"),
        (Call("HEAD", "/m/"), "curl --head http://h/m/"),
        (Call("GET", "/m/", headers={"x-empty": ""}), "curl -H 'x-empty;' http://h/m/"),
        (Call("GET", "/a b/{x}[1]?y=ü%20"), "curl 'http://h/a%20b/%7Bx%7D%5B1%5D?y=%C3%BC%20'"),
        (Call("GET; touch owned", "/m/"), "curl -X 'GET; touch owned' http://h/m/"),
        (Call("", "/m/"), "curl -X '' http://h/m/"),
    ],
)
def test_what_curl_would_take_otherwise_is_written_so_that_it_does_not(call: Call, line: str) -> None:
    assert call.curl("http://h") == line


def test_an_address_of_ipv6_stays_one() -> None:
    assert Call("GET", "/m/[1]").curl("http://[::1]:8080") == "curl 'http://[::1]:8080/m/%5B1%5D'"


def test_the_callers_own_header_stands_instead_of_the_credentials() -> None:
    own = Call("GET", "/m/", headers={"authorization": "canary"})
    assert own.curl("http://h", BearerToken("canary")) == 'curl -H "authorization: $AUTHORIZATION" http://h/m/'
    both = own.curl("http://h", Cookie("session", "canary"))
    assert both == 'curl -b session="$COOKIE" -H "authorization: $AUTHORIZATION" http://h/m/'
    other = Call("GET", "/m/", headers={"x-team": "a"})
    assert other.curl("http://h", BearerToken("canary")).startswith('curl -H "Authorization: Bearer $TOKEN" ')


@pytest.mark.parametrize(
    ("method", "body", "words"),
    [
        ("PSOT", "Bad Request", "PSOT is no method that Envoy knows: is it typed right?"),
        ("POST", "Bad Request", "the server does not understand what was sent"),
        ("PSOT", "Bad Request: no instances", "the server does not understand what was sent"),
    ],
)
def test_a_method_envoy_does_not_know_is_told_from_what_a_server_refuses(method: str, body: str, words: str) -> None:
    assert explain_answer(Answer(method, "http://h/", 400, body.encode(), 1.0)) == words
