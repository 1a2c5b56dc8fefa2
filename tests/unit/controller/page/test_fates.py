"""What is asked about, and which routes come nearest to it."""

import pytest

from kfambassador.controller.page.fates import Asked, measure_nearness
from kfambassador.routing.explain import Verdict
from kfambassador.routing.model import Match, PathKind, PathMatch, Route


def test_a_form_means_a_request() -> None:
    form = {"method": "post", "host": "A.example", "path": "/m/?a=1", "headers": "\r\nX-Team:  a b \r\n\r\nX-Any:\r\n"}
    request = Asked.read(form).request()
    assert (request.method, request.host, request.path, request.query) == ("POST", "a.example", "/m/", {"a": "1"})
    assert request.headers == {"x-team": "a b", "x-any": ""}


def test_a_host_beats_that_of_an_address() -> None:
    assert Asked(path="http://b.example/m/").request().host == "b.example"
    assert Asked(path="http://b.example/m/", host="c.example").request().host == "c.example"


@pytest.mark.parametrize("headers", ["nonsense", ": a", "é: a", "X-Team: a\nb"])
def test_what_is_no_header_is_refused_in_words(headers: str) -> None:
    with pytest.raises(ValueError, match="each header in a line of its own"):
        Asked(path="/", headers=headers).request()


def test_what_is_far_too_long_is_not_asked_about() -> None:
    with pytest.raises(ValueError, match="more than 16,384 characters"):
        Asked(path="/" * 20_000).request()


def test_no_header_is_in_a_repr() -> None:
    assert "tweety" not in repr(Asked(headers="Authorization: tweety"))


def test_the_routes_that_share_most_of_a_path_come_nearest() -> None:
    texts = {
        "prefix": ["/models/mnist/", "/models/", "/m", "/other/"],
        "exact": ["/models/mnist/x"],
        "regex": ["/models/.*"],
    }
    found = [
        (measure_nearness(Verdict(Route(Match(PathMatch(PathKind(kind), text)), 0, ()), ""), "/models/mnist/v1"), text)
        for kind, each in texts.items()
        for text in each
    ]
    ranked = [text for _, text in sorted(found, reverse=True)]
    assert ranked[:2] == ["/models/mnist/", "/models/"]
    assert ranked[-1] == "/models/.*"
