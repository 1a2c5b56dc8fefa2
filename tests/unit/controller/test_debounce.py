"""When to act: at once after a calm, after a short quiet in a burst, never too late."""

import pytest

from kfambassador.controller.debounce import Debounce, Pace

PACE = Pace(quiet=1.0, longest=5.0)


def test_the_first_event_after_a_calm_is_acted_on_at_once() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0)
    assert debounce.pause(100.0) == 0.0


def test_a_burst_waits_for_quiet() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0)
    debounce.settle(100.0)
    debounce.touch(100.5)
    debounce.touch(101.0)
    assert debounce.pause(101.0) == 1.0


def test_a_burst_without_end_is_acted_on_all_the_same() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0)
    debounce.settle(100.0)
    for tenth in range(1, 100):
        debounce.touch(100.0 + tenth / 10)
    assert debounce.due == pytest.approx(105.1)


def test_it_rests_in_proportion_to_how_long_acting_took() -> None:
    debounce = Debounce(Pace(quiet=1.0, longest=5.0, rest=0.5, longest_rest=6.0))
    debounce.touch(100.0)
    debounce.settle(100.0)
    debounce.rest(108.0, worked=8.0)
    debounce.touch(109.0)
    assert debounce.pause(109.0) == 3.0
    debounce.settle(112.0)
    debounce.touch(120.0)
    assert debounce.pause(120.0) == 0.0


def test_after_the_longest_act_it_rests_for_a_while_at_most() -> None:
    debounce = Debounce(Pace(rest=1.0, longest_rest=2.0))
    debounce.rest(100.0, worked=60.0)
    debounce.touch(101.0)
    assert debounce.pause(101.0) == 1.0


def test_nothing_is_due_without_an_event() -> None:
    debounce = Debounce(PACE)
    assert debounce.due is None
    debounce.touch(1.0)
    debounce.settle(1.0)
    assert debounce.due is None


def test_what_can_wait_is_acted_on_after_a_short_quiet() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0, can_wait=True)
    debounce.touch(100.5, can_wait=True)
    assert debounce.due == 101.0


def test_what_can_wait_keeps_no_other_event_from_being_acted_on_at_once() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0, can_wait=True)
    debounce.touch(100.5)
    assert debounce.pause(100.5) == 0.0


def test_what_can_wait_puts_nothing_off_that_is_due() -> None:
    debounce = Debounce(PACE)
    debounce.touch(100.0)
    debounce.touch(100.0, can_wait=True)
    assert debounce.due == 100.0
