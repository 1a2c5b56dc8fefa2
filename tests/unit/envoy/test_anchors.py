"""Where a route stands in the tree: a text that every path it takes begins with."""

import pytest

from kfambassador.envoy.anchors import find_anchor
from kfambassador.routing.model import PathKind, PathMatch


@pytest.mark.parametrize(
    ("expression", "anchor"),
    [
        ("/models/x", "/models/x"),
        ("/models/[a-z]+", "/models/"),
        ("/models/.*", "/models/"),
        ("/models?", "/model"),
        ("/models*", "/model"),
        ("/models{2}", "/model"),
        ("/models{0,2}", "/model"),
        ("/models+", "/models"),
        ("/models$", "/models"),
        ("^/models", "/models"),
        ("^/models/.*$", "/models/"),
        ("^/a|/b", ""),
        ("^*/models", ""),
        ("^^/models", ""),
        (r"/models\.x", "/models.x"),
        (r"\Q/models\E", ""),
        ("(?i)/models", ""),
        ("/models(/x)?", "/models"),
        ("/models(/a|/b)", "/models"),
        ("/a|/b", ""),
        ("/a/.*|/b", ""),
        ("/a(b|c)|/d", ""),
        ("/a[|]b", "/a"),
        (r"/a\|b", "/a|b"),
        (r"/a(\))|/b", ""),
        ("/a[)]|/b", ""),
        ("", ""),
    ],
)
def test_an_expression(expression: str, anchor: str) -> None:
    assert find_anchor(PathMatch(PathKind.REGEX, expression)) == anchor


@pytest.mark.parametrize("kind", [PathKind.PREFIX, PathKind.EXACT])
@pytest.mark.parametrize(
    ("text", "anchor"),
    [("/Models/", "/"), ("/1/2/", "/1/2/"), ("/12a", "/12"), ("A", ""), ("/é", "/"), ("/ß", "/")],
)
def test_where_case_does_not_count_the_anchor_ends_at_the_first_letter(kind: PathKind, text: str, anchor: str) -> None:
    assert find_anchor(PathMatch(kind, text, case_sensitive=False)) == anchor
    assert find_anchor(PathMatch(kind, text)) == text
