"""The table as plain data: what says nothing is left out, and what is said is said once."""

import json
from typing import Any

import pytest

from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.routing.describe import describe_problem, describe_route, describe_table
from tests.builders import compiled, document, service, slice_, sourced


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({}, {"prefix": "/m/"}),
        ({"prefix_exact": True}, {"exact": "/m/"}),
        ({"prefix_regex": True}, {"regex": "/m/"}),
        ({"case_sensitive": False}, {"prefix": "/m/", "case_sensitive": False}),
        (
            {"method": "POST", "host": "A.com", "headers": {"X": "1", "y": True}, "regex_headers": {"z": "a+"}},
            {
                "prefix": "/m/",
                "method": "POST",
                "host": "a.com",
                "headers": {"x": "1", "y": True, "z": {"regex": "a+"}},
            },
        ),
        ({"hostname": "*.a.com"}, {"prefix": "/m/", "host": {"suffix": ".a.com"}}),
        ({"query_parameters": {"q": "1"}}, {"prefix": "/m/", "query_parameters": {"q": "1"}}),
    ],
)
def test_a_match(attributes: dict[str, Any], match: dict[str, Any]) -> None:
    (route,) = compiled(sourced(**attributes)).table.routes()
    assert describe_route(route)["match"] == match


def test_a_route_and_its_clusters() -> None:
    canary = sourced("new", "team", prefix="/m/", weight=10, service="x.org:81", rewrite="", timeout_ms=0)
    old = service("m", "team", document("m", service="m:8000"), ports=(8000,))
    table = describe_table(compiled(old, canary, slice_("m", "team", "fd00::1", ports=(8501,))).table)
    old_name, new_name = (cluster["name"] for cluster in table["clusters"])  # type: ignore[index, union-attr, call-overload]
    assert table == {
        "routes": [
            {
                "match": {"prefix": "/m/"},
                "precedence": 0,
                "splits": [
                    {
                        "mapping": "team/m",
                        "service": "m:8000",
                        "cluster": old_name,
                        "share": 90,
                        "source": "Service team/m, annotation document 1",
                        "object": "Service team/m",
                        "document": 1,
                        "line": 1,
                        "attributes": {},
                    },
                    {
                        "mapping": "team/new",
                        "service": "x.org:81",
                        "cluster": new_name,
                        "share": 10,
                        "source": "Service team/new, annotation document 1",
                        "object": "Service team/new",
                        "document": 1,
                        "line": None,
                        "attributes": {"rewrite": "", "timeout_ms": 0},
                    },
                ],
            }
        ],
        "clusters": [
            {"name": old_name, "target": "m.team:8000", "discovery": "endpoints", "endpoints": ["[fd00::1]:8501"]},
            {"name": new_name, "target": "x.org:81", "discovery": "dns", "endpoints": ["x.org:81"]},
        ],
    }
    assert json.loads(json.dumps(table)) == table


def test_a_problem_has_its_place_in_parts_and_in_words() -> None:
    origin = Origin(ObjectKey("Service", "team", "m"), resource_version="7", document=2, line=9, file="m.yaml")
    assert describe_problem(Problem("bad-regex", "told", origin, path="prefix", severity=Severity.WARNING)) == {
        "severity": "warning",
        "code": "bad-regex",
        "message": "told",
        "path": "prefix",
        "place": "m.yaml, Service team/m, annotation document 2",
        "file": "m.yaml",
        "object": "Service team/m",
        "document": 2,
        "line": 9,
    }


def test_how_a_clusters_connections_are_protected() -> None:
    table: dict[str, Any] = {**describe_table(compiled(sourced("m", service="https://a.example.org")).table)}
    assert table["clusters"][0]["tls"] == {"context": "", "names": ["a.example.org"], "verified": True}
