"""What notebooks show: well-formed, escaped whatever the names are, no script, and nothing by colour alone."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Protocol

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.calls import Prediction, RouteTest
from kfambassador.sdk.calling.http import Answer, HttpClient
from kfambassador.sdk.exposure import Exposure
from kfambassador.sdk.faces.figures import show_difference
from kfambassador.sdk.faces.html import MOST_ROWS, fill, link
from kfambassador.sdk.faces.states import show_exposure, show_gateway, show_problems
from kfambassador.sdk.gateway import Gateway
from kfambassador.sdk.problem_views import ProblemList
from kfambassador.sdk.publishing.difference import Difference
from kfambassador.sdk.publishing.rendering import render
from kfambassador.sdk.reaching.reading import ReadApi
from kfambassador.sdk.readiness.status import ExposureStatus, Phase, build_steps
from kfambassador.sdk.traffic.shares import Share, Shares
from kfambassador.sdk.traffic.statistics import SplitStatistics, Statistics
from kfambassador.sdk.views import EnvoyAnswer, Explanation, Redirect, Request, Route, RouteList, Split, Verdict
from tests.unit.sdk.publications import publication, with_canary


class Shown(Protocol):
    """What a notebook asks an object for."""

    def _repr_html_(self) -> str: ...


def draw(shown: Shown) -> str:
    return shown._repr_html_()


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'$text${url}"


class Reader(HTMLParser):
    """Reads HTML strictly: every element is closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def make_split(text: str) -> Split:
    return Split(mapping=text, service=text, share=90, attributes={"rewrite": text})


def make_route(text: str) -> Route:
    return Route(
        match={"prefix": text, "method": text, "headers": {text: text}},
        splits=(make_split(text),),
        shadows=(make_split(text),),
    )


def make_explanation(text: str) -> Explanation:
    return Explanation(
        request=Request(method=text, host=text, path=text),
        winner=make_route(text),
        verdicts=(Verdict(mappings=(text,), match={}, reason=text),),
        upstream_paths={text: text},
        asks=text,
        envoy=EnvoyAnswer(agrees=False, difference=text),
    )


def make_problem(text: str) -> Problem:
    return Problem(text, text, Origin(ObjectKey("Service", text, text)), path=text, severity=Severity.WARNING)


def make_status(text: str) -> ExposureStatus:
    return ExposureStatus(text, text, Phase.REJECTED, build_steps(["accepted"], {}), message=text, cause=text)


FACES: dict[str, Callable[[str], str]] = {
    "route": lambda text: draw(make_route(text)),
    "routes": lambda text: draw(RouteList([make_route(text)])),
    "explanation": lambda text: draw(make_explanation(text)),
    "refusal": lambda text: draw(
        Explanation(request=Request(method="GET", host="h", path=text), winner=None, refusal=text)
    ),
    "redirect": lambda text: draw(
        make_explanation(text).model_copy(update={"redirect": Redirect(location=text, code=301, words=text)})
    ),
    "test": lambda text: draw(
        RouteTest(text, Answer(text, "http://h/", 404, b"", 1.0), 200, mapping=text, upstream_path=text, backend=text)
    ),
    "problem": lambda text: show_problems([make_problem(text)]),
    "problems": lambda text: draw(ProblemList([make_problem(text)])),
    "status": lambda text: draw(make_status(text)),
    "shares": lambda text: draw(Shares([Share(text, text, 90), Share(text, text, 10, is_copy=True)])),
    "statistics": lambda text: draw(Statistics([SplitStatistics(mappings=(text,), service=text, requests=3)])),
    "difference": lambda text: show_difference(text, yaml=f"--- {text}\n+++ {text}\n-{text}\n+{text}\n {text}\n"),
    "exposure": lambda text: show_exposure(
        text, namespace=text, url=text, backend=text, server=text, internal_url=text, curl=text, owner=text
    ),
    "gateway": lambda text: show_gateway(f"http://{text}", place=text, namespace=text, reader=text),
}


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_hostile_names_are_shown_and_do_nothing(face: Callable[[str], str]) -> None:
    html = face(HOSTILE)
    read = Reader(html)
    assert HOSTILE in read.text or repr(HOSTILE) in read.text
    tags = {tag for tag, _ in read.elements}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "form", "link"})
    assert [name for _, attributes in read.elements for name in attributes if name.startswith("on")] == []


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_what_it_is_made_of_is_the_same_whatever_the_names(face: Callable[[str], str]) -> None:
    # A name that could change the structure would add or close elements.
    plain, hostile = Reader(face("plain")), Reader(face(HOSTILE))
    assert [tag for tag, _ in hostile.elements if tag != "a"] == [tag for tag, _ in plain.elements if tag != "a"]


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_tables_have_captions_and_headers_with_scope(face: Callable[[str], str]) -> None:
    read = Reader(face("plain"))
    tags = [tag for tag, _ in read.elements]
    assert tags.count("caption") == tags.count("table")
    assert [attributes for tag, attributes in read.elements if tag == "th" and "scope" not in attributes] == []


def test_nothing_is_told_by_colour_alone() -> None:
    passed = RouteTest("/m/", Answer("GET", "http://h/", 200, b"", 1.0), expected=200, mapping="m", upstream_path="/")
    assert "✓ passed" in Reader(draw(passed)).text
    status = ExposureStatus("m", "t", Phase.PROGRAMMED, build_steps(["accepted"], {}), message="no pod")
    assert "✓ accepted (done)… programmed (not yet)" in Reader(draw(status)).text
    assert "✗ programmed (failed)… endpoints (not yet)" in Reader(draw(make_status("m"))).text


def test_a_canary_shows_its_shares_and_statistics_their_numbers() -> None:
    read = Reader(draw(Shares([Share("stable", "m:80", 90), Share("canary", "m2:80", 10)])))
    assert [a["value"] for tag, a in read.elements if tag == "meter"] == ["90", "10"]
    row = SplitStatistics(mappings=("t/m",), service="m:80", requests=40, server_errors=1, times=((12, 1, 40),))
    text = Reader(draw(Statistics([row]))).text
    assert "t/mm:8040" in text.replace(" ", "")
    assert "2.5%" in text


def test_many_routes_are_shortened_with_a_note() -> None:
    routes = RouteList([make_route(f"/{number}/") for number in range(MOST_ROWS)])
    read = Reader(draw(routes))
    assert [tag for tag, _ in read.elements].count("tr") == MOST_ROWS + 1
    assert f"{MOST_ROWS} more rows are not shown; print() shows them all" in read.text
    assert "not shown" not in Reader(draw(routes[:10])).text


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (RouteList([]), "no routes"),
        (ProblemList(), "no problems"),
        (Shares([]), "no shares"),
        (Statistics([]), "nothing is counted"),
    ],
)
def test_what_is_empty_says_so(shown: Shown, words: str) -> None:
    assert words in Reader(draw(shown)).text


def test_a_difference_keeps_its_signs() -> None:
    difference = Difference(("Service team/m: changed",), "--- team/m\n+++ team/m\n-timeout_ms: 3\n+timeout_ms: 4\n")
    read = Reader(draw(difference))
    assert [tag for tag, _ in read.elements if tag in {"ins", "del"}] == ["del", "ins"]
    assert "-timeout_ms: 3+timeout_ms: 4" in read.text


def test_an_answers_body_is_not_shown() -> None:
    answer = Answer("GET", "http://h/", 200, b"authorization: Bearer canary", 1.0, {"set-cookie": "canary"})
    test = RouteTest("/m/", answer, expected=200, mapping="m", upstream_path="/")
    assert "canary" not in draw(test)


def test_live_objects_are_drawn_without_asking_anybody() -> None:
    # Nobody answers at any of these addresses.
    nowhere = "http://127.0.0.1:9"
    with HttpClient(direct=True) as http, KubeClient.connect(nowhere, token="canary") as client:
        access = Access(client, ReadApi(nowhere, http), http, nowhere)
        gateway, exposure = Gateway(access), Exposure(access, publication(8501), version="1")
        for shown, words in (
            (gateway, "Gateway"),
            (exposure, "port 8501 of this machine"),
            (exposure, f"{nowhere}/m/"),
        ):
            html = draw(shown)
            assert words in Reader(html).text
            assert "canary" not in html
        html = draw(Exposure(access, with_canary(), version="1"))
        assert "m2.team:80" in Reader(html).text


def test_only_web_addresses_become_links() -> None:
    assert "<a " in link("https://h/m/")
    assert "<a " not in link("javascript:alert(1)")
    assert fill("cell", text="$text") == "<td>$text</td>"


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Prediction([2.5, {"label": HOSTILE}], None, 3.25), "Prediction in 3.2 ms"),
        (Prediction(HOSTILE, None, 1.0), "<script>"),
        (Prediction([[0.0] * 1000], None, 1.0), "…"),
        (render("mnist", service="mnist:8501", add_request_headers={"x-a": HOSTILE}), "Manifests Service"),
    ],
    ids=["rows", "text", "long", "manifests"],
)
def test_what_a_model_answers_and_what_would_be_applied_have_a_face(shown: Shown, words: str) -> None:
    read = Reader(draw(shown))
    assert words in read.text
    assert {tag for tag, _ in read.elements}.isdisjoint({"script", "img"})
