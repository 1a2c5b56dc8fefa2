"""Faults as data: what a person reads of them."""

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, Severity, has_errors, suggest

SERVICE = ObjectKey("Service", "team", "m")


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin(), "the text"),
        (Origin(SERVICE), "Service team/m"),
        (Origin(SERVICE, document=1), "Service team/m, annotation document 1"),
        (Origin(file="m.yaml"), "m.yaml"),
        (Origin(document=3), "document 3"),
        (Origin(file="m.yaml", document=3, line=9), "m.yaml, document 3"),
        (Origin(SERVICE, file="m.yaml", document=1), "m.yaml, Service team/m, annotation document 1"),
        (Origin(ObjectKey("Namespace", "", "team")), "Namespace team"),
    ],
)
def test_a_place_in_words(origin: Origin, words: str) -> None:
    assert str(origin) == words


def test_a_fault_that_found_its_place_is_a_problem() -> None:
    fault = Fault("bad-regex", "told", path="prefix", severity=Severity.WARNING)
    problem = fault.at(Origin(SERVICE))
    assert problem == Problem("bad-regex", "told", Origin(SERVICE), path="prefix", severity=Severity.WARNING)
    assert str(problem) == "warning: prefix: told (Service team/m)"


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], False),
        ([Severity.WARNING, Severity.NOTICE], False),
        ([Severity.NOTICE, Severity.ERROR], True),
    ],
)
def test_only_errors_keep_a_mapping_from_being_served(severities: list[Severity], expected: bool) -> None:
    problems = [Problem("code", "told", Origin(), severity=severity) for severity in severities]
    assert has_errors(problems) is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("prefx", "; did you mean prefix?"), ("timeout", "; did you mean timeout_ms?"), ("zzz", ""), ("", "")],
)
def test_the_nearest_word(word: str, expected: str) -> None:
    assert suggest(word, ["prefix", "timeout_ms"]) == expected


def test_what_documents_have_in_common_is_told_once() -> None:
    problems = [Problem("code", "told", Origin(SERVICE, document=number), path="shadow") for number in (2, 4, 1)]
    other = Problem("code", "told", Origin(ObjectKey("Service", "team", "other"), document=7), path="shadow")
    rejected = MappingRejected("No:", [*problems, other, *problems[:1]])
    assert len(rejected.problems) == 5
    assert str(rejected).splitlines() == [
        "No:",
        "  error: shadow: told (Service team/m, annotation documents 1, 2 and 4)",
        "  error: shadow: told (Service team/other, annotation document 7)",
    ]
