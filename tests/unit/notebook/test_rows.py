"""What a route browser is told of routes, problems and counts."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from kfambassador.notebook.rows import TableBuilder, build_figures, describe_problem
from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.sdk.traffic.statistics import SplitStatistics, Statistics
from kfambassador.sdk.views import Generation, Route, Split

PLACE = {"url": "http://127.0.0.1:8080", "place": "this machine", "namespace": "default"}


def split(mapping: str, *, carrier: str = "", document: int = 1, share: int = 100, **attributes: Any) -> Split:
    namespace, _, name = mapping.partition("/")
    return Split(
        mapping=mapping,
        service="m:80",
        share=share,
        object=f"Service {namespace}/{carrier or name}",
        document=document,
        line=1,
        attributes=attributes,
    )


def route(path: str, *splits: Split, shadows: Iterable[Split] = (), precedence: int = 0, **match: Any) -> Route:
    return Route(match={"prefix": path, **match}, precedence=precedence, splits=splits, shadows=tuple(shadows))


def problem(
    carrier: str, *, document: int | None = 1, code: str = "odd", severity: Severity = Severity.ERROR, path: str = ""
) -> Problem:
    key = ObjectKey("Service", *carrier.split("/"))
    return Problem(code, "it is odd", Origin(key, document=document, line=7), path=path, severity=severity)


def build(
    routes: list[Route], problems: Iterable[Problem] = (), *, generation: int = 1, served: int | None = 1
) -> list[dict[str, Any]]:
    event = TableBuilder(PLACE).build(routes, [*problems], Generation(generation=generation, served=served))
    rows: Any = event["routes"]
    return [*rows]


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["path"] or row["splits"][0]["object"]: row["state"] for row in rows}


def test_a_row_has_what_the_table_shows() -> None:
    canary = route(
        "/m/",
        split("team/m", share=90, rewrite="/v1/"),
        split("team/m-canary", share=10),
        shadows=[split("team/copy", share=20)],
        precedence=3,
        method="POST",
        host="models.example",
        headers={"x-team": "a"},
    )
    event = TableBuilder(PLACE).build([canary], [], Generation(generation=4, served=4))
    assert {key: value for key, value in event.items() if key != "routes"} == {
        "kind": "table",
        "generation": 4,
        "served": 4,
        "problems": [],
        "gateway": PLACE,
    }
    shown: Any = event["routes"]
    [row] = shown
    assert {key: value for key, value in row.items() if key != "splits"} == {
        "id": "POST /m/* host=models.example x-team=a 3",
        "method": "POST",
        "path": "/m/*",
        "conditions": "host=models.example x-team=a",
        "precedence": 3,
        "namespace": "team",
        "state": "serving",
        "problems": [],
    }
    assert row["splits"][0] == {
        "mapping": "team/m",
        "service": "m:80",
        "rewrite": "/v1/",
        "share": 90,
        "copy": False,
        "object": "Service team/m",
        "document": 1,
        "line": 1,
    }
    told = [(each["mapping"], each["share"], each["copy"]) for each in row["splits"]]
    assert told == [("team/m", 90, False), ("team/m-canary", 10, False), ("team/copy", 20, True)]
    assert json.loads(json.dumps(event)) == event


def test_what_is_left_out_is_a_row_that_leads_to_its_document_and_field() -> None:
    served = route("/m/", split("team/m", carrier="models", document=1))
    left = problem("team/models", document=2, path="cors.origins[2]")
    rows = build([served], [left])
    assert states(rows) == {"/m/*": "serving", "Service team/models": "rejected"}
    [place] = rows[1]["splits"]
    assert (place["object"], place["document"], place["line"], rows[1]["namespace"]) == (
        "Service team/models",
        2,
        7,
        "team",
    )
    assert rows[1]["problems"] == [0]
    assert describe_problem(left) == {
        "severity": "error",
        "code": "odd",
        "message": "it is odd",
        "path": "cors.origins[2]",
        "object": "Service team/models",
        "document": 2,
        "line": 7,
        "place": "Service team/models, annotation document 2",
        "conflict": False,
    }


@pytest.mark.parametrize(
    ("severity", "code", "expected"),
    [
        (Severity.WARNING, "odd", "warned"),
        (Severity.NOTICE, "odd", "warned"),
        (Severity.WARNING, "conflicting-redirect", "conflict"),
        (Severity.NOTICE, "second-shadow", "conflict"),
        (Severity.ERROR, "envoy-rejected", "warned"),
    ],
)
def test_a_route_with_problems_says_how_bad_they_are(severity: Severity, code: str, expected: str) -> None:
    rows = build([route("/m/", split("team/m"))], [problem("team/m", severity=severity, code=code)])
    assert states(rows) == {"/m/*": expected}
    assert rows[0]["problems"] == [0]


def test_a_row_has_the_worst_of_its_mappings_and_each_problem_once() -> None:
    both = route("/m/", split("team/m", share=50), split("team/n", share=50), shadows=[split("team/m")])
    found = [problem("team/m", severity=Severity.WARNING), problem("team/n", code="conflicting-route")]
    [row] = build([both], found)
    assert (row["state"], row["problems"]) == ("conflict", [0, 1])


def test_problems_of_the_same_object_stay_with_their_documents() -> None:
    first, second = (route(f"/{number}/", split("team/m", document=number)) for number in (1, 2))
    rows = build([first, second], [problem("team/m", document=2, severity=Severity.WARNING)])
    assert states(rows) == {"/1/*": "serving", "/2/*": "warned"}


def test_what_changed_since_envoy_last_agreed_is_pending_and_nothing_else() -> None:
    builder = TableBuilder(PLACE)

    def look(routes: list[Route], generation: int, served: int | None) -> dict[str, str]:
        shown: Any = builder.build(routes, [], Generation(generation=generation, served=served))["routes"]
        return states(shown)

    old, new, changed = (
        route("/old/", split("team/old")),
        route("/new/", split("team/new")),
        route("/old/", split("team/old", rewrite="/v2/")),
    )
    assert look([old], 1, 1) == {"/old/*": "serving"}
    assert look([old, new], 2, 1) == {"/old/*": "serving", "/new/*": "pending"}
    assert look([changed, new], 3, 1) == {"/old/*": "pending", "/new/*": "pending"}
    assert look([changed, new], 3, 2) == {"/old/*": "pending", "/new/*": "serving"}
    assert look([changed, new], 3, 3) == {"/old/*": "serving", "/new/*": "serving"}
    # What went away and came back is new again.
    assert look([changed], 4, 4) == {"/old/*": "serving"}
    assert look([changed, new], 5, 4) == {"/old/*": "serving", "/new/*": "pending"}


def test_of_the_first_table_nothing_is_said_to_be_new() -> None:
    assert states(build([route("/m/", split("team/m"))], generation=7, served=6)) == {"/m/*": "serving"}


def test_before_envoy_has_anything_all_is_pending_but_what_is_worse() -> None:
    routes = [route("/m/", split("team/m")), route("/n/", split("team/n"))]
    rows = build(routes, [problem("team/n", severity=Severity.WARNING)], served=None)
    assert states(rows) == {"/m/*": "pending", "/n/*": "warned"}


def test_where_nothing_is_known_of_envoy_nothing_is_pending() -> None:
    builder = TableBuilder(PLACE, knows_envoy=False)
    shown: Any = builder.build([route("/m/", split("team/m"))], [], Generation(generation=-5))["routes"]
    assert states(shown) == {"/m/*": "serving"}


def test_rows_have_names_of_their_own_that_stay() -> None:
    twins = [route("/m/", split("team/m")), route("/m/", split("team/n"), case_sensitive=False)]
    names = [row["id"] for row in build(twins)]
    assert names == ["* /m/*", "* /m/* #2"]
    moved = build([route("/a/", split("team/a")), *twins])
    assert [row["id"] for row in moved] == ["* /a/*", *names]


def test_thousands_of_routes_have_a_name_and_a_place_each() -> None:
    routes = [route(f"/m{number}/", split(f"team/m{number}")) for number in range(5000)]
    found = [problem(f"team/x{number}") for number in range(500)]
    rows = build(routes, found)
    assert len({row["id"] for row in rows}) == len(rows) == 5500
    assert sum(row["state"] == "rejected" for row in rows) == 500


def test_figures_are_those_of_a_window() -> None:
    window = Statistics(
        [
            SplitStatistics(
                mappings=("team/m", "team/m-post"),
                shared_with=("team/other",),
                requests=20,
                server_errors=5,
                times=((10.0, 1.0, 20),),
            ),
            SplitStatistics(mappings=("team/idle",)),
            SplitStatistics(mappings=("team/kept-back",), requests=9, hidden=True),
            SplitStatistics(mappings=("team/untimed",), requests=4),
        ],
        at=100.0,
    )
    event = build_figures(window, seconds=4.0)
    assert (event["kind"], event["at"], event["seconds"]) == ("figures", 100.0, 4.0)
    assert event["figures"] == {
        "team/m": [5.0, 0.25, 10.99, 2],
        "team/m-post": [5.0, 0.25, 10.99, 2],
        "team/untimed": [1.0, 0.0, None, 0],
    }


def test_a_window_without_length_has_no_rate() -> None:
    window = Statistics([SplitStatistics(mappings=("team/m",), requests=3)], at=1.0)
    assert build_figures(window, seconds=0.0)["figures"] == {"team/m": [0.0, 0.0, None, 0]}
