"""Many expressions as one question: what it must take, and which expressions are asked for."""

import pytest

from kfambassador.envoy.expressions import find_crowd, find_met, find_question, join, join_all
from kfambassador.routing.model import PathKind, PathMatch
from kfambassador.routing.regex import check_regex, matches_whole


@pytest.mark.parametrize(
    ("expression", "question"),
    [
        ("/a/.*", "/a/.*"),
        ("^/a/.*$", "^/a/.*"),
        ("(?i)/a|/b", "(?i)/a|/b"),
        (r"/a\b.*", r"/a\b.*"),
        (r"/a\$", ""),
        ("/a$|/b$", ""),
        ("/a[$]", ""),
        (r"/a\z", ""),
        (r"\Q/a", ""),
        (r"\Q/a\E.*$", ""),
        ("(", ""),
        ("/[a-z]{999}", ""),
    ],
)
def test_what_may_be_asked_among_others(expression: str, question: str) -> None:
    assert find_question(PathMatch(PathKind.REGEX, expression)) == question


def test_only_expressions_are_asked() -> None:
    assert find_question(PathMatch(PathKind.PREFIX, "/a")) == find_question(PathMatch(PathKind.EXACT, "/a")) == ""


@pytest.mark.parametrize("query", ["", "?", "?a=/b", "??", "#a", "?\n", "?é"])
def test_a_question_takes_what_any_takes_whatever_the_query(query: str) -> None:
    joined = join(["(?i)/a|/b", "^/c"])
    assert all(matches_whole(joined, path + query) for path in ("/a", "/A", "/b", "/c"))
    assert not any(matches_whole(joined, path + query) for path in ("/C", "/", "/ab", "/c/", "/d"))


def test_a_flag_ends_with_its_expression() -> None:
    joined = join(["(?i)/a", "/b"])
    assert matches_whole(joined, "/A")
    assert not matches_whole(joined, "/B")


def test_questions_are_joined_into_as_few_as_the_size_of_an_expression_allows() -> None:
    written = tuple(f"/.*/version-[0-9]+/{number:03}/.*" for number in range(200))
    joined = join_all(written)
    assert 1 < len(joined) < 12
    assert not any(map(check_regex, joined))
    assert all(any(f"(?:{each})" in question for question in joined) for each in written)


def test_a_large_question_does_not_part_the_others() -> None:
    small = [f"/{number:02}" for number in range(40)]
    joined = join_all((*small[:20], "/[a-z]{900}", *small[20:]))
    assert len(joined) <= 12
    assert "".join(joined).count("(?:/") == 41
    assert not any(map(check_regex, joined))


def crowd(*standing: tuple[str, int], others: tuple[str, ...]) -> int:
    """How many of so many expressions at each anchor are to be asked for first."""
    anchors = [*(anchor for anchor, count in standing for _ in range(count)), *others]
    return len(find_crowd(anchors, ["x"] * (len(anchors) - len(others)) + [""] * len(others)))


def test_a_crowd_stands_above_others() -> None:
    assert crowd(("/", 17), others=("/a",)) == 17
    assert crowd(("/", 17), others=("/",)) == 17
    assert crowd(("/", 16), others=("/a",)) == 0
    assert crowd(("/a/", 17), others=("/", "/b")) == 0
    assert crowd(*((f"/{team}/", 2) for team in range(50)), others=tuple(f"/{team}/x" for team in range(50))) == 0


def test_expressions_one_above_the_other_are_a_crowd_together() -> None:
    assert crowd(("", 8), ("/a", 9), ("/b", 1), others=("/a/b", "/b")) == 17
    assert crowd(("", 8), ("/a", 9), ("/b", 1), others=("/b",)) == 0


def test_a_crowd_meets_what_stands_above_and_below() -> None:
    anchors = ["", "/", "/a/", "/a/b/", "/a/b/c", "/a/bc", "/a/c/", "/b/", "/b/x"]
    assert find_met(anchors, [anchors.index("/a/b/"), anchors.index("/b/")]) == [0, 1, 2, 3, 4, 7, 8]
    assert find_met(anchors, [0]) == list(range(len(anchors)))
