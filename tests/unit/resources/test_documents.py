"""YAML in and out, guarded: text made to do harm is refused before it is built."""

import subprocess
import sys

import pytest

from kfambassador.resources.documents import FILE_LIMITS, Limits, read_documents, write_documents


def refusal(text: str, limits: Limits = Limits()) -> tuple[str, str]:  # noqa: B008 - frozen
    (document,) = read_documents(text, limits)
    assert document.fault is not None
    assert document.value is None
    return document.fault.code, document.fault.message


ALIAS_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (ALIAS_BOMB, "alias", "*a is an alias; write the value out (line 2)"),
        (MERGE_BOMB, "alias", "<< merges another object in; write its fields out (line 2)"),
        ("[" * 65, "too-deep", "nested deeper than 64 levels (line 1)"),
        ("{a: " * 65, "too-deep", "nested deeper than 64 levels (line 1)"),
        ("\n".join(" " * depth + "a:" for depth in range(70)), "too-deep", "nested deeper than 64 levels (line 65)"),
        ("[" + "1," * 20_000 + "]", "too-large", "more than 20,000 values (line 1)"),
        ("#" * (256 * 1024 + 1), "too-large", "the text is 262,145 bytes; at most 262,144 are read."),
        ("é" * 200_000, "too-large", "the text is 400,000 bytes; at most 262,144 are read."),
        ("\x00", "not-yaml", "not YAML"),
        ("a: \ud800", "not-yaml", "not YAML: '\\ud800' is half a character; write the whole one"),
        ("a: !!int", "not-yaml", "'' is not a value of tag:yaml.org,2002:int (line 1)"),
        ("a: !!bool x", "not-yaml", "'x' is not a value of tag:yaml.org,2002:bool (line 1)"),
        ("a: !!int x", "not-yaml", "'x' is not a value of tag:yaml.org,2002:int (line 1)"),
        ("a: !!binary eA==", "not-yaml", "the tag tag:yaml.org,2002:binary is not allowed (line 1)"),
        ("9" * 5000, "not-yaml", "'9999999999999999999999999999999999999999' is not a value of"),
        ("0x" + "f" * 5000, "not-yaml", "'0xffffffffffffffffffffffffffffffffffffff' is not a value of"),
        ("[a]: b", "not-yaml", "a key must be text (line 1)"),
    ],
)
def test_harm_is_refused(text: str, code: str, message: str) -> None:
    assert refusal(text)[0] == code
    assert refusal(text)[1].startswith(message)


def test_64_levels_and_20000_values_are_allowed() -> None:
    assert read_documents("[" * 64 + "]" * 64)[0].fault is None
    assert read_documents("[" + "1," * 19_999 + "]")[0].fault is None


def test_documents_past_the_limit_are_told_of_once() -> None:
    documents = read_documents("---\n[\n" * 30_000)
    assert len(documents) == 1001
    assert documents[-1].number == 1001
    assert documents[-1].fault is not None
    assert documents[-1].fault.message == "more than 1,000 documents; this one and those after it are left out"


def test_files_may_hold_more() -> None:
    text = "[" + "1," * 100_000 + "]"
    assert read_documents(text)[0].fault is not None
    assert read_documents(text, FILE_LIMITS)[0].fault is None


@pytest.mark.parametrize(
    ("opening", "code"),
    [("[", "too-deep"), ("{a: ", "too-deep"), ("- ", "too-deep"), ("!!seq [", "too-deep"), ("? ", "not-yaml")],
)
def test_a_hundred_thousand_levels_crash_nothing(opening: str, code: str) -> None:
    # In a process of its own, with little memory: what is tested here once ended the process, not the test.
    # It limits itself: to do so between fork and exec is not safe where other tests left threads.
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30));"
        "from kfambassador.resources.documents import FILE_LIMITS, read_documents;"
        "print(read_documents(sys.argv[1] * 100_000, FILE_LIMITS)[0].fault.code)"
    )
    command = [sys.executable, "-c", program, opening]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, code), ended.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", True),
        ("'on'", "on"),
        ("!!str on", "on"),
        ("010", 8),
        ("1:30", 90),
        ("2026-01-01", "2026-01-01"),
        ("!!timestamp 2026-01-01", "2026-01-01"),
        ("1.5", 1.5),
        ("~", None),
        ("|\n  text\n", "text\n"),
    ],
)
def test_a_scalar_is_what_yaml_1_1_says_except_for_dates(text: str, value: object) -> None:
    (document,) = read_documents(f"x: {text}")
    assert document.value == {"x": value}


def test_a_key_is_the_text_that_was_typed() -> None:
    assert read_documents("on: 1\n7: 2\n~: 3")[0].value == {"on": 1, "7": 2, "~": 3}


def test_documents_know_their_number_and_line() -> None:
    documents = read_documents("a: 1\n---\n---\n# none\n---\nb: [\n--- {c: 3}")
    assert [(each.number, each.line) for each in documents] == [(1, 1), (4, 5), (5, 7)]
    assert documents[1].fault is not None


def test_three_dashes_inside_a_line_part_nothing() -> None:
    assert read_documents("a: x --- y\nb: ---z\n---c: 1")[0].value == {"a": "x --- y", "b": "---z", "---c": 1}


def test_what_is_written_keeps_its_order_and_reads_well() -> None:
    text = write_documents({"prefix": "/m/", "method": "on", "headers": {}}, {"é": "wide " * 30})
    assert text == "---\nprefix: /m/\nmethod: 'on'\nheaders: {}\n---\né: '" + "wide " * 30 + "'\n"


def test_a_value_that_stands_in_two_places_is_written_twice() -> None:
    rule = {"descriptor": "d"}
    text = write_documents({"rate_limits": [rule, rule]})
    assert read_documents(text)[0].value == {"rate_limits": [rule, rule]}
