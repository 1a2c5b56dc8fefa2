"""What a Mapping's status says."""

import pytest

from kfambassador.controller.reporting.status import (
    CONDITIONS,
    Condition,
    Statement,
    Verdict,
    judge,
    read_statement,
    says,
    write_status,
)
from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, Severity

KEY = ObjectKey("Mapping", "team", "m")
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def problem(code: str, message: str, severity: Severity = Severity.ERROR, path: str = "") -> Problem:
    return Fault(code, message, path=path, severity=severity).at(Origin(KEY))


def verdict_of(state: SourceState, *problems: Problem) -> Verdict:
    verdict = judge(SourceStatus(KEY, "1", state, problems=problems))
    assert verdict is not None
    return verdict


def condition(verdict: Verdict, name: str) -> Condition:
    [found] = [each for each in verdict.conditions if each.type == name]
    return found


TAKEN = problem("conflicting-route", "taken by team/other", path="prefix")
RUNNING = verdict_of(SourceState.SERVING)
INACTIVE = verdict_of(SourceState.REJECTED, TAKEN)


def test_all_conditions_are_always_there_in_their_order() -> None:
    for verdict in (RUNNING, INACTIVE, verdict_of(SourceState.PENDING)):
        assert tuple(each.type for each in verdict.conditions) == CONDITIONS


def test_nothing_is_said_of_what_is_not_there_or_is_another_gateways() -> None:
    other = problem("other-gateway", "it is for another gateway", Severity.NOTICE)
    assert judge(SourceStatus(KEY, "1", SourceState.SERVING, problems=(other,))) is None
    assert judge(SourceStatus(KEY, "", SourceState.UNKNOWN)) is None


def test_what_is_served_is_accepted_and_programmed() -> None:
    assert (RUNNING.state, RUNNING.reason) == ("Running", "")
    assert [(each.type, each.status, each.reason) for each in RUNNING.conditions] == [
        ("Ready", "True", "Served"),
        ("Accepted", "True", "Accepted"),
        ("Programmed", "True", "Programmed"),
        ("Conflicted", "False", "NoConflict"),
        ("Quarantined", "False", "NotQuarantined"),
    ]


def test_what_somebody_else_has_already_is_conflicted_and_not_given_to_envoy() -> None:
    assert (INACTIVE.state, INACTIVE.reason) == ("Inactive", "prefix: taken by team/other")
    told = ("False", "ConflictingRoute", "prefix: taken by team/other")
    assert condition(INACTIVE, "Ready")[1:] == told
    assert condition(INACTIVE, "Accepted")[1:] == told
    assert condition(INACTIVE, "Programmed")[1:3] == ("False", "NotAccepted")
    assert condition(INACTIVE, "Conflicted")[1:] == ("True", *told[1:])
    assert condition(INACTIVE, "Quarantined").status == "False"


def test_what_envoy_refuses_is_quarantined_in_its_words() -> None:
    verdict = verdict_of(SourceState.REJECTED, problem("envoy-rejected", "Envoy refuses it: missing ]"))
    assert condition(verdict, "Quarantined")[1:] == ("True", "EnvoyRejected", "Envoy refuses it: missing ]")
    assert condition(verdict, "Accepted").status == "False"
    assert condition(verdict, "Conflicted").status == "False"


def test_what_no_envoy_has_acknowledged_is_accepted_and_pending() -> None:
    verdict = verdict_of(SourceState.PENDING)
    assert (verdict.state, verdict.code) == ("", "Pending")
    assert [each.status for each in verdict.conditions] == ["False", "True", "False", "False", "False"]


def test_problems_are_told_in_words_errors_first_and_each_once() -> None:
    warning = problem("unknown-attribute", "methd is not known; did you mean method?", Severity.WARNING, "methd")
    verdict = verdict_of(SourceState.REJECTED, warning, TAKEN, TAKEN)
    assert verdict.reason == "prefix: taken by team/other; methd: methd is not known; did you mean method?"
    assert verdict.code == "ConflictingRoute"


def test_a_mapping_that_is_served_says_its_warnings_but_not_what_comes_and_goes() -> None:
    passing = problem("no-endpoints", "no pod is ready", Severity.WARNING)
    notice = problem("no-effect", "docs has no effect", Severity.NOTICE)
    warning = problem("trap", "/man takes /mankind", Severity.WARNING)
    assert verdict_of(SourceState.SERVING, passing, notice) == RUNNING
    verdict = verdict_of(SourceState.SERVING, passing, warning)
    assert (verdict.state, verdict.reason) == ("Running", "/man takes /mankind")
    assert condition(verdict, "Accepted")[1:] == ("True", "Accepted", "/man takes /mankind")


def test_a_long_reason_is_cut() -> None:
    assert len(verdict_of(SourceState.REJECTED, problem("a", "x" * 5000)).reason) == 2000


def test_what_may_be_a_secret_is_told_nowhere() -> None:
    told = problem("wrong-type", "expected text, got ['Bearer tweety']", path="add_request_headers.Authorization")
    verdict = verdict_of(SourceState.REJECTED, told)
    assert "add_request_headers.Authorization: wrong type" in verdict.reason
    assert "tweety" not in str(verdict)


def test_a_status_says_what_was_written_until_anything_of_it_changes() -> None:
    status = write_status(RUNNING, generation=3, before=Statement(), now=NOW)
    assert says(read_statement(status), RUNNING, generation=3)
    assert not says(read_statement(status), RUNNING, generation=4)
    assert not says(read_statement(status), INACTIVE, generation=3)
    assert not says(read_statement(status | {"state": ""}), RUNNING, generation=3)
    assert not says(Statement(), RUNNING, generation=3)


def test_each_condition_has_the_time_of_its_own_last_change() -> None:
    first = write_status(RUNNING, generation=1, before=Statement(), now=NOW)
    second = write_status(RUNNING, generation=2, before=read_statement(first), now=LATER)
    third = write_status(INACTIVE, generation=3, before=read_statement(second), now=LATER)
    times = [[each["lastTransitionTime"] for each in status["conditions"]] for status in (first, second, third)]  # type: ignore[attr-defined]
    assert times == [[NOW] * 5, [NOW] * 5, [LATER, LATER, LATER, LATER, NOW]]


def test_a_condition_is_written_as_kubernetes_has_it() -> None:
    status = write_status(INACTIVE, generation=1, before=Statement(), now=NOW)
    assert status["conditions"][3] == {  # type: ignore[index]
        "type": "Conflicted",
        "status": "True",
        "reason": "ConflictingRoute",
        "message": "prefix: taken by team/other",
        "observedGeneration": 1,
        "lastTransitionTime": NOW,
    }


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"state": 7, "reason": None, "conditions": "all is well"},
        {"conditions": [None, {"type": 5}, {"type": "Ready", "observedGeneration": "new"}, {"type": "Theirs"}]},
    ],
)
def test_a_status_full_of_nonsense_is_read_as_saying_nothing(status: dict[str, object]) -> None:
    statement = read_statement(status)
    assert statement.generation == 0
    assert not says(statement, RUNNING, generation=0)
