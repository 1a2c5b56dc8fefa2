"""Beside which line a problem is put."""

import pytest

from kfambassador.controller.page.marking import mark_lines
from kfambassador.problems import ObjectKey, Origin, Problem
from kfambassador.resources.annotation import read_annotation

KEY = ObjectKey("Service", "default", "m")

TEXT = """---
apiVersion: ambassador/v1
kind: Mapping
name: m
prefix: /m/
cors:
  max_age: "1"
  origins:
    - a
    - 5
add_request_headers:
  x.with.dots:
    value: 7
health_checks:
- unhealthy_threshold: 1
- health_check:
    http: {path: /x, expected_statuses: [1]}
---
{kind: Mapping, name: n, cors: {origins: 5}, "prefix": "/n/"}
--- {kind: Mapping, name: o}
"""


def problem(path: str, document: int = 1, line: int = 1, message: str = "wrong", code: str = "wrong-type") -> Problem:
    return Problem(code, message, Origin(KEY, document=document, line=line), path=path)


@pytest.mark.parametrize(
    ("path", "document", "text"),
    [
        ("prefix", 1, "prefix: /m/"),
        ("cors", 1, "cors:"),
        ("cors.origins", 1, "  origins:"),
        ("cors.origins[1]", 1, "    - 5"),
        ("cors.missing", 1, "cors:"),
        ("missing", 1, "---"),
        ("", 1, "---"),
        ("add_request_headers.x.with.dots", 1, "  x.with.dots:"),
        ("add_request_headers.x.with.dots.value", 1, "    value: 7"),
        ("health_checks[0].unhealthy_threshold", 1, "- unhealthy_threshold: 1"),
        ("health_checks[1].health_check.http.path", 1, "    http: {path: /x, expected_statuses: [1]}"),
        ("health_checks[7]", 1, "health_checks:"),
        ("cors.origins", 2, '{kind: Mapping, name: n, cors: {origins: 5}, "prefix": "/n/"}'),
        ("prefix", 2, '{kind: Mapping, name: n, cors: {origins: 5}, "prefix": "/n/"}'),
        ("name", 3, "--- {kind: Mapping, name: o}"),
    ],
)
def test_a_problem_stands_beside_the_line_it_is_about(path: str, document: int, text: str) -> None:
    starts = {1: 1, 2: 18, 3: 20}
    lines = mark_lines(TEXT, [problem(path, document, starts[document])])
    assert [line.text for line in lines if line.problems] == [text]
    assert "\n".join(line.text for line in lines) + "\n" == TEXT


def test_problems_of_what_is_read_find_their_lines() -> None:
    """With the paths and places that reading gives, and not those of this test."""
    mapping = "apiVersion: ambassador/v1\nkind: Mapping\nname: m\nprefix: /m/\nservice: m\ncors: {origins: 5}\n"
    text = f"---\nname: [a\n---\n{mapping}"
    read = read_annotation(text, Origin(KEY), namespace="default")
    marked = {
        line.text: [each.code for each in line.problems] for line in mark_lines(text, read.problems) if line.problems
    }
    # The parser stops behind what it cannot end.
    assert marked == {"---": ["not-yaml"], "cors: {origins: 5}": ["wrong-type"]}


def test_a_problem_of_the_whole_object_stands_at_its_beginning() -> None:
    whole = Problem("other-gateway", "not ours", Origin(KEY))
    assert [line.number for line in mark_lines(TEXT, [whole]) if line.problems] == [1]


def test_a_line_that_is_not_there_is_none() -> None:
    for told in ("not YAML at line 900, column 1: nonsense", "nonsense"):
        broken = problem("", line=700, message=told, code="not-yaml")
        assert [line.number for line in mark_lines("a: [", [broken]) if line.problems] == [1]
