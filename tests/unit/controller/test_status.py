"""What a Mapping's status says."""

import pytest

from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.controller.status import Verdict, judge, says, write_status
from kfambassador.problems import Fault, ObjectKey, Origin, Problem, Severity

KEY = ObjectKey("Mapping", "team", "m")
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
RUNNING = Verdict("Running")
INACTIVE = Verdict("Inactive", "prefix: taken by team/other", "PrefixTaken")


def problem(code: str, message: str, severity: Severity = Severity.ERROR, path: str = "") -> Problem:
    return Fault(code, message, path=path, severity=severity).at(Origin(KEY))


def source(state: SourceState, *problems: Problem) -> SourceStatus:
    return SourceStatus(KEY, "1", state, problems=problems)


@pytest.mark.parametrize("state", [SourceState.PENDING, SourceState.UNKNOWN])
def test_nothing_is_said_before_it_is_decided(state: SourceState) -> None:
    assert judge(source(state, problem("a", "b"))) is None


def test_nothing_is_said_of_what_is_another_gateways() -> None:
    other = problem("other-gateway", "it is for another gateway", Severity.NOTICE)
    assert judge(source(SourceState.SERVING, other)) is None


def test_problems_are_told_in_words_errors_first_and_each_once() -> None:
    warning = problem("unknown-attribute", "methd is not known; did you mean method?", Severity.WARNING, "methd")
    error = problem("prefix-taken", "taken by team/other", path="prefix")
    verdict = judge(source(SourceState.REJECTED, warning, error, error))
    words = "prefix: taken by team/other; methd: methd is not known; did you mean method?"
    assert verdict == Verdict("Inactive", words, "PrefixTaken")


def test_a_mapping_that_is_served_says_its_warnings_but_not_what_comes_and_goes() -> None:
    passing = problem("no-endpoints", "no pod is ready", Severity.WARNING)
    notice = problem("no-effect", "docs has no effect", Severity.NOTICE)
    warning = problem("trap", "/man takes /mankind", Severity.WARNING)
    assert judge(source(SourceState.SERVING, passing, notice)) == RUNNING
    assert judge(source(SourceState.SERVING, passing, warning)) == Verdict("Running", "/man takes /mankind")


def test_a_long_reason_is_cut() -> None:
    verdict = judge(source(SourceState.REJECTED, problem("a", "x" * 5000)))
    assert verdict is not None
    assert len(verdict.reason) == 2000


def test_a_status_says_what_was_written_until_anything_of_it_changes() -> None:
    status = write_status(RUNNING, generation=3, before={}, now=NOW)
    assert says(status, RUNNING, generation=3)
    assert not says(status, RUNNING, generation=4)
    assert not says(status, INACTIVE, generation=3)
    assert not says(status | {"state": ""}, RUNNING, generation=3)
    assert not says({}, RUNNING, generation=3)


def test_the_time_is_that_of_the_last_change_of_the_condition() -> None:
    first = write_status(RUNNING, generation=1, before={}, now=NOW)
    second = write_status(RUNNING, generation=2, before=first, now=LATER)
    third = write_status(INACTIVE, generation=3, before=second, now=LATER)
    times = [each["conditions"][0]["lastTransitionTime"] for each in (first, second, third)]  # type: ignore[index]
    assert times == [NOW, NOW, LATER]


def test_conditions_of_others_are_kept() -> None:
    theirs = {"type": "Reviewed", "status": "True"}
    status = write_status(INACTIVE, generation=1, before={"conditions": [theirs]}, now=NOW)
    again = write_status(INACTIVE, generation=1, before=status, now=LATER)
    assert again == status
    assert status["conditions"] == [
        theirs,
        {
            "type": "Ready",
            "status": "False",
            "reason": "PrefixTaken",
            "message": "prefix: taken by team/other",
            "observedGeneration": 1,
            "lastTransitionTime": NOW,
        },
    ]
