"""How routes and explanations show themselves."""

from kfambassador.routing.describe import describe_explanation, describe_route
from kfambassador.routing.explain import explain
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.views import Explanation, Route, RouteList
from kfambassador.tables import write_table
from tests.builders import compiled, sourced


def read_routes() -> RouteList:
    table = compiled(
        sourced("a", prefix="/m/", method="POST", rewrite="/v1/", weight=10),
        sourced("b", prefix="/m/", method="POST", rewrite=""),
        sourced("c", prefix="/m/[0-9]+", prefix_regex=True, host="a.example", headers={"x-team": "v", "x-any": True}),
        sourced("d", prefix="/d", prefix_exact=True, regex_headers={"x-v": "1.*"}),
    ).table
    return RouteList(Route.model_validate(describe_route(route)) for route in table.routes())


def test_routes_print_as_a_table() -> None:
    assert repr(read_routes()).splitlines() == [
        "METHOD  PATH         CONDITIONS                     SERVICE  REWRITE   SHARE  MAPPING",
        "*       ~ /m/[0-9]+  host=a.example x-any x-team=v  c                         default/c",
        "POST    /m/*                                        a        /v1/      10%    default/a",
        "POST    /m/*                                        b        as it is  90%    default/b",
        "*       /d           x-v=~1.*                       d                         default/d",
    ]


def test_routes_are_a_sequence() -> None:
    routes = read_routes()
    assert [route.path for route in routes[:2]] == [routes[0].path, routes[1].path]
    assert isinstance(routes[1:], RouteList)
    assert len(routes) == 3
    assert repr(RouteList([])) == "no routes"


def test_a_route_says_itself_in_one_line() -> None:
    shown = {repr(route) for route in read_routes()}
    assert shown == {
        "<Route POST /m/* → a 10% + b 90%>",
        "<Route * ~ /m/[0-9]+ host=a.example x-any x-team=v → c>",
        "<Route * /d x-v=~1.* → d>",
    }


def read_changed() -> RouteList:
    table = compiled(
        sourced("a", prefix="/a/", service="https://b.example", host_redirect=True),
        sourced(
            "bb", prefix="/bb/", service="b.example", host_redirect=True, path_redirect="/n", redirect_response_code=308
        ),
        sourced("ccc", prefix="/ccc/", regex_rewrite={"pattern": "/c+/", "substitution": "/"}),
        sourced("ccc-copy", prefix="/ccc/", service="lab", shadow=True, weight=10),
    ).table
    routes = [Route.model_validate(describe_route(route)) for route in table.routes()]
    return RouteList(sorted(routes, key=lambda route: route.path))


def test_redirects_and_shadows_are_told_as_such() -> None:
    assert repr(read_changed()).splitlines() == [
        "METHOD  PATH    SERVICE                   REWRITE     SHARE        MAPPING",
        "*       /a/*    301 to https://b.example                           default/a",
        "*       /bb/*   308 to http://b.example   /n                       default/bb",
        "*       /ccc/*  ccc                       ~/c+/ to /               default/ccc",
        "*       /ccc/*  lab                                   copy of 10%  default/ccc-copy",
    ]
    assert [repr(route) for route in read_changed()] == [
        "<Route * /a/* → 301 to https://b.example>",
        "<Route * /bb/* → 308 to http://b.example>",
        "<Route * /ccc/* → ccc, copies of 10% to lab>",
    ]


def test_an_explanation_tells_of_copies() -> None:
    table = compiled(sourced("a", prefix="/m/"), sourced("b", prefix="/m/", shadow=True)).table
    described = describe_explanation(explain(table, RequestLine.read("GET", "/m/x")))
    shown = str(Explanation.model_validate(described))
    assert shown == "<Explanation GET /m/x → a/x by default/a, copies of 100% to b by default/b>"


def test_an_explanation_says_itself_in_one_line() -> None:
    table = compiled(sourced("a", prefix="/m/", method="POST", rewrite="/v1/")).table
    shown = []
    for method in ("POST", "GET"):
        described = describe_explanation(explain(table, RequestLine.read(method, "/m/x")))
        shown.append(str(Explanation.model_validate(described)))
    assert shown == ["<Explanation POST /m/x → a/v1/x by default/a>", "<Explanation GET /m/x → no route (404)>"]


def test_a_table_without_rows_keeps_its_headings() -> None:
    assert write_table(["A", "B"], []) == "A  B"
