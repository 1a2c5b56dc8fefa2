"""How routes and explanations show themselves."""

from kfambassador.routing.describe import describe_explanation, describe_route
from kfambassador.routing.explain import explain
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.views import Explanation, Route, RouteList, write_table
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


def test_an_explanation_says_itself_in_one_line() -> None:
    table = compiled(sourced("a", prefix="/m/", method="POST", rewrite="/v1/")).table
    shown = []
    for method in ("POST", "GET"):
        described = describe_explanation(explain(table, RequestLine.read(method, "/m/x")))
        shown.append(str(Explanation.model_validate(described)))
    assert shown == ["<Explanation POST /m/x → a/v1/x by default/a>", "<Explanation GET /m/x → no route (404)>"]


def test_a_table_without_rows_keeps_its_headings() -> None:
    assert write_table(["A", "B"], []) == "A  B"
