"""What is wrong with the paths a mapping makes: rewrites and redirects."""

import pytest

from kfambassador.problems import Severity
from tests.unit.routing.faults import faults

REDIRECT = {"host_redirect": True, "service": "example.com"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"regex_rewrite": {"pattern": "/m/(.*)/(.*)", "substitution": r"/\2/\1/\0"}},
        {"regex_rewrite": {"pattern": "/m/", "substitution": r"/\\"}},
        {"regex_rewrite": {"pattern": "/m/", "substitution": ""}},
        {**REDIRECT, "path_redirect": "/n?why=moved#there"},
        {**REDIRECT, "prefix_redirect": "/"},
        {**REDIRECT, "regex_redirect": {"pattern": "/m/(.*)", "substitution": r"/\1"}},
        {**REDIRECT, "redirect_response_code": 308},
    ],
)
def test_what_is_in_order_is_passed_over(attributes: dict[str, object]) -> None:
    assert not faults(**attributes)


@pytest.mark.parametrize("attributes", [{"regex_rewrite": "regex"}, {**REDIRECT, "regex_redirect": "regex"}])
@pytest.mark.parametrize(
    ("pattern", "substitution", "part", "message"),
    [
        ("/(?!x)", "/", "pattern", "'/(?!x)' is refused as a regular expression (RE2): invalid perl operator: (?!"),
        ("/([a-z]{9}x){99}", "/", "pattern", "'/([a-z]{9}x){99}' is refused as a regular expression (RE2)"),
        ("/m", r"/\1", "substitution", r"'/\\1' names group 1, and the pattern has 0"),
        ("/(m)", r"/\2", "substitution", r"'/\\2' names group 2, and the pattern has 1"),
        ("/m", r"/\a", "substitution", r"'/\\a' holds a backslash before no digit; \1 is the first group, and \\ a"),
        ("/m", "/\\", "substitution", r"'/\\' holds a backslash before no digit"),
        ("/m", "/\n", "substitution", r"'/\n' holds a control character"),
        ("/m", "/ ", "substitution", "'/ ' is put into a path as it is written, and may not hold a space"),
    ],
)
def test_an_expression_and_what_takes_its_place(
    attributes: dict[str, object], pattern: str, substitution: str, part: str, message: str
) -> None:
    *_, field = attributes
    (fault,) = faults(**{**attributes, field: {"pattern": pattern, "substitution": substitution}})
    assert (fault.path, fault.severity) == (f"{field}.{part}", Severity.ERROR)
    assert fault.message.startswith(message)


@pytest.mark.parametrize("field", ["path_redirect", "prefix_redirect"])
@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        (".evil.com/", "redirect-without-slash", "'.evil.com/' is put right behind a host's name, and must start with"),
        ("/a b", "bad-character", "'/a b' is told to clients as it is written, and may not hold a space; take it out"),
        ("/a\r\nx: y", "bad-character", r"'/a\r\nx: y' holds a control character; take it out"),
    ],
)
def test_where_clients_may_not_be_sent(field: str, value: str, code: str, message: str) -> None:
    (fault,) = faults(**REDIRECT, **{field: value})
    assert (fault.code, fault.path, fault.severity) == (code, field, Severity.ERROR)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"rewrite": "/x/", "regex_rewrite": {"pattern": "a", "substitution": "b"}}, [("rewrite", "notice")]),
        ({"host_rewrite": "a", "auto_host_rewrite": True}, [("auto_host_rewrite", "notice")]),
        ({"path_redirect": "/n"}, [("path_redirect", "warning")]),
        (
            {"prefix_redirect": "/n", "redirect_response_code": 302},
            [("prefix_redirect", "warning"), ("redirect_response_code", "warning")],
        ),
        ({"regex_redirect": {"pattern": "a", "substitution": "b"}}, [("regex_redirect", "warning")]),
        ({**REDIRECT, "path_redirect": "/n", "prefix_redirect": "/o"}, [("prefix_redirect", "warning")]),
        (
            {**REDIRECT, "prefix_redirect": "/o", "regex_redirect": {"pattern": "a", "substitution": "b"}},
            [("regex_redirect", "warning")],
        ),
    ],
)
def test_what_has_no_effect_is_told(attributes: dict[str, object], told: list[tuple[str, str]]) -> None:
    found = faults(**attributes)
    assert [(fault.path, fault.severity.value) for fault in found] == told
    assert {fault.code for fault in found} == {"no-effect"}


def test_a_shadow_that_redirects_is_a_shadow() -> None:
    (fault,) = faults(**REDIRECT, shadow=True)
    assert (fault.code, fault.severity) == ("shadow-redirect", Severity.WARNING)
