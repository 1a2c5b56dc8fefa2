"""The text that every path of a condition begins with."""

import pytest

from kfambassador.routing.anchors import find_beginning
from kfambassador.routing.model import PathKind, PathMatch
from kfambassador.routing.regex import matches_whole


@pytest.mark.parametrize("kind", [PathKind.PREFIX, PathKind.EXACT])
def test_a_literal_condition_begins_with_all_of_it(kind: PathKind) -> None:
    assert find_beginning(PathMatch(kind, "/a.b|c/", case_sensitive=False)) == "/a.b|c/"


@pytest.mark.parametrize(
    ("expression", "beginning", "taken"),
    [
        ("/m/", "/m/", "/m/"),
        ("/m/.*", "/m/", "/m/x"),
        ("^/m/x$", "/m/x", "/m/x"),
        (r"/v1\.2\-b/\d", "/v1.2-b/", "/v1.2-b/3"),
        ("/mn?", "/m", "/m"),
        ("/mn*", "/m", "/m"),
        ("/mn{0,2}", "/m", "/m"),
        ("/mn+o", "/mn", "/mnno"),
        (r"/m\.?x", "/m", "/mx"),
        ("/(a|b)/", "/", "/b/"),
        ("/m/[a|b]", "/m/", "/m/|"),
        ("/m/[]|]", "/m/", "/m/|"),
        (r"/m/\|x", "/m/|x", "/m/|x"),
        ("/m/x|/n", "", "/n"),
        ("^/m/x|/n", "", "/n"),
        (r"/m/[\]]|/n", "", "/n"),
        (r"/m/[\]]|/n/[a-z]", "", "/n/a"),
        (r"/m/\Q(\E|/n", "", "/n"),
        ("/m/[[:alpha:]]|/n", "", "/n"),
        (r"/m/\(|/n", "", "/n"),
        ("(?i)/M/", "", "/m/"),
        ("/mn(?i)*", "/m", "/m"),
        ("/mn+(?i)?x", "/m", "/mx"),
        (r"/mn\Q\E*", "/m", "/m"),
        ("/m/(?i:N)*", "/m/", "/m/"),
        (".*/m", "", "/x/m"),
        (r"\Q/m\E", "", "/m"),
    ],
)
def test_an_expression_begins_with_what_none_of_its_paths_can_lack(expression: str, beginning: str, taken: str) -> None:
    assert find_beginning(PathMatch(PathKind.REGEX, expression)) == beginning
    assert matches_whole(expression, taken)
    assert taken.startswith(beginning)
