"""Regular expressions as Envoy reads them."""

import pytest

from kfambassador.names import REGEX_MAX_PROGRAM_SIZE
from kfambassador.routing.regex import check_regex, matches_whole


@pytest.mark.parametrize("expression", ["/models/[^/]+", "a|b", "(?i)x", "/(a|b)?", "é+", "[a-z]{10}"])
def test_what_re2_takes(expression: str) -> None:
    assert check_regex(expression) == ""


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "it is empty"),
        ("(?=x)", "invalid perl operator: (?="),
        (r"\1", "invalid escape sequence: \\1"),
        ("[z-a]", "invalid character class range: z-a"),
        ("a{1001}", "invalid repetition size: {1001}"),
        ("(", "missing ): ("),
    ],
)
def test_what_re2_refuses_is_said_in_its_words(expression: str, reason: str) -> None:
    assert check_regex(expression) == reason


def test_the_largest_program() -> None:
    # RE2's program grows by one step a letter, so one of the two neighbours is the first that is too large.
    fits = next(size for size in range(900, 1100) if check_regex("a" * size))
    assert check_regex("a" * (fits - 1)) == ""
    assert f"at most {REGEX_MAX_PROGRAM_SIZE:,}" in check_regex("a" * fits)


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [("/a", "/a", True), ("/a", "/ab", False), ("/a.*", "/ab", True), ("a|ab", "ab", True), ("(?i)A", "a", True)],
)
def test_the_whole_text_must_match(expression: str, text: str, expected: bool) -> None:
    assert matches_whole(expression, text) is expected


def test_an_expression_of_very_many_steps_is_given_up_early() -> None:
    assert check_regex(r"\pL{300}") == "pattern too large - compile failed"


def test_refusals_are_not_shouted_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    check_regex("(((never seen before")
    assert capfd.readouterr() == ("", "")
