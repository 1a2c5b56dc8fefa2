"""What is logged of a controller's work."""

import logging
from dataclasses import replace

import pytest

from kfambassador.controller.logs import FIELDS
from kfambassador.controller.narrating import MOST_PROBLEMS, Narrator, compare, tell_generation
from kfambassador.controller.state import Cause, Work
from kfambassador.kube.kinds import SERVICE
from kfambassador.kube.reflector import Listed, Lost
from kfambassador.problems import ObjectKey, Origin, Problem, Severity
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.model import Compiled, RoutingTable

KEY = ObjectKey("Service", "default", "mnist")


def problem(message: str, *, path: str = "prefix", severity: Severity = Severity.ERROR, code: str = "odd") -> Problem:
    return Problem(code, message, Origin(KEY, document=2), path=path, severity=severity)


def work(*problems: Problem, generation: int = 7, causes: tuple[Cause, ...] = ()) -> Work:
    compiled = Compiled(RoutingTable(), problems)
    return Work(resources=ResourceSet(generation=generation), compiled=compiled, causes=causes)


def fields(record: logging.LogRecord) -> dict[str, object]:
    found = getattr(record, FIELDS)
    assert isinstance(found, dict)
    return found


def test_a_problem_that_is_written_anew_with_the_same_words_is_no_news() -> None:
    kept, before, after = problem("stays"), problem("is mended"), problem("is new")
    change = compare(work(kept, before), work(replace(kept), after))
    assert (change.new, change.gone) == ((after,), (before,))


def test_a_generation_is_a_line_with_its_causes_and_what_came_and_went(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before, after = problem("is mended"), problem("is new")
    causes = (Cause("modified", "Service", "default", "mnist"), Cause("listed", "Mapping"))
    Narrator().note_compiled(work(before), work(after, causes=causes), seconds=0.25)
    line, new, gone = caplog.records
    assert line.getMessage() == (
        "Generation 7: 0 routes, 0 clusters, made in 0.250 s; Service default/mnist modified, Mapping listed; "
        "problems: 1 new, 1 gone"
    )
    assert fields(line) == {
        "generation": 7,
        "routes": 0,
        "clusters": 0,
        "causes": ["Service default/mnist modified", "Mapping listed"],
        "problems": 1,
        "new_problems": 1,
        "gone_problems": 1,
        "seconds": 0.25,
    }
    assert (new.levelname, gone.levelname) == ("WARNING", "INFO")
    assert new.getMessage() == "error: prefix: is new (Service default/mnist, annotation document 2)"
    assert gone.getMessage().startswith("gone: error: prefix: is mended")
    origin = {"kind": "Service", "namespace": "default", "name": "mnist", "document": 2, "field": "prefix"}
    assert fields(new) == {"generation": 7, "code": "odd", "severity": "error", "origin": origin}


def test_of_many_causes_and_problems_only_some_are_told(caplog: pytest.LogCaptureFixture) -> None:
    causes = tuple(Cause("added", "Service", "default", f"s{number}") for number in range(30))
    assert tell_generation(work(causes=causes), compare(work(), work()), seconds=0).endswith("s4 added and 25 more")
    Narrator().note_compiled(work(), work(*(problem(f"number {number}") for number in range(50))), seconds=0)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == MOST_PROBLEMS + 1
    assert told[-1] == "30 more problems; the read API has them all"


def test_endpoints_that_are_not_there_yet_are_nobodys_fault(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    passing = (problem("a", code="no-endpoints"), problem("b", severity=Severity.NOTICE))
    Narrator().note_compiled(work(), work(*passing), seconds=0)
    assert [record.levelname for record in caplog.records] == ["INFO"] * 3


def test_a_message_about_a_field_that_holds_a_secret_does_not_quote_it(caplog: pytest.LogCaptureFixture) -> None:
    told = problem("expected text, got 'hunter2'", path="add_request_headers.x-token")
    Narrator().note_compiled(work(), work(told), seconds=0)
    assert "hunter2" not in caplog.text
    assert "add_request_headers.x-token: expected text" in caplog.text


def test_a_kind_that_cannot_be_followed_is_told_once_and_again_when_it_can(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    narrator = Narrator()
    for _ in range(3):
        narrator.see(Lost(SERVICE, "connection refused"))
    narrator.see(Lost(SERVICE, "not permitted"))
    for _ in range(2):
        narrator.see(Listed(SERVICE, (), "1"))
    assert [record.getMessage() for record in caplog.records] == [
        "services cannot be followed: connection refused",
        "services cannot be followed: not permitted",
        "services are followed again",
    ]
