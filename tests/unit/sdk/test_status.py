"""How far an exposure has come, as data."""

import pytest

from kfambassador.sdk.readiness.status import FAILURES, ExposureStatus, Phase, build_steps


@pytest.mark.parametrize(
    ("phase", "reached"),
    [
        (Phase.APPLIED, {Phase.APPLIED}),
        (Phase.ACCEPTED, {Phase.APPLIED, Phase.ACCEPTED}),
        (Phase.PROGRAMMED, {Phase.APPLIED, Phase.ACCEPTED, Phase.PROGRAMMED}),
        (Phase.ANSWERING, {Phase.APPLIED, Phase.ACCEPTED, Phase.PROGRAMMED, Phase.ANSWERING}),
        *((failure, {failure}) for failure in sorted(FAILURES)),
    ],
)
def test_a_phase_reaches_those_before_it_and_a_failure_itself_only(phase: Phase, reached: set[Phase]) -> None:
    assert {wanted for wanted in Phase if phase.reaches(wanted)} == reached


def test_a_phase_is_written_as_the_word_it_is() -> None:
    assert (Phase.read("Gone"), str(Phase.GONE), f"{Phase.GONE}") == (Phase.GONE, "Gone", "Gone")


def test_a_word_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"'Rejeced' is no phase of an exposure; there are Applied, .*did you mean Rej"
    ):
        Phase.read("Rejeced")


def test_only_what_answers_is_true() -> None:
    assert [phase for phase in Phase if ExposureStatus("m", "team", phase)] == [Phase.ANSWERING]


def test_one_line_tells_the_likeliest_cause_first() -> None:
    status = ExposureStatus("m", "team", Phase.PROGRAMMED, message="503", cause="no pod\nnot looked at: nodes")
    assert repr(status) == "<ExposureStatus team/m Programmed: no pod>"
    assert "\n" not in repr(ExposureStatus("m", "team", Phase.REJECTED, message="one\ntwo"))


def test_the_next_step_is_the_first_that_is_not_done() -> None:
    steps = build_steps(["accepted", "programmed"], {"endpoints": "none is ready"})
    assert [step.done for step in steps] == [True, True, False, False]
    step = ExposureStatus("m", "team", Phase.PROGRAMMED, steps).next_step
    assert step is not None
    assert (step.name, step.message) == ("endpoints", "none is ready")
    assert (
        ExposureStatus("m", "team", Phase.ANSWERING, build_steps([step.name for step in steps], {})).next_step is None
    )
