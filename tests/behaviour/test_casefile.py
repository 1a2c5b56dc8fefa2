"""A case file that says something else than it seems to must fail."""

from pathlib import Path

import pytest

from tests.behaviour.casefile import Request, read_cases

GOOD = """
- name: one
  features: [prefix]
  resources: ""
  requests: [GET / -> 404]
"""


def read(folder: Path, text: str) -> object:
    path = folder / "family.yaml"
    path.write_text(text)
    return read_cases(path)


def test_a_case_in_short(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace("features", "feature"), "feature"),
        (GOOD.replace("GET / -> 404", "{send: GET /, expect: {statu: 404}}"), "statu"),
        (GOOD.replace("GET / -> 404", "{send: GET /, expext: 404}"), "expext"),
        (GOOD.replace("GET / -> 404", "{send: GET / -> 404, expect: 404}"), "twice"),
        (GOOD.replace("404", "Nobody!"), "no outcome"),
        (GOOD.replace("GET /", "/"), "no request"),
        (GOOD.replace("[GET / -> 404]", "[]"), "at least 1"),
        (GOOD + GOOD, "two cases"),
    ],
)
def test_a_slip_of_the_pen_is_told(tmp_path: Path, wrong: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(tmp_path, wrong)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("GET /x?q=1 -> a /y?q=1", (200, "a", "/y?q=1")),
        ("GET /x -> a", (200, "a", None)),
        ("GET /x -> 503 a /y", (503, "a", "/y")),
        ("GET /x -> 404", (404, None, None)),
        ("OPTIONS * -> a *", (200, "a", "*")),
    ],
)
def test_a_sentence(sentence: str, expected: tuple[object, ...]) -> None:
    expect = Request.model_validate(sentence).expect
    assert (expect.code, expect.backend, expect.path) == expected
