"""Remembering what pure functions answered."""

from collections.abc import Callable

from kfambassador.routing.memo import Memo


class Thing:
    """Equal to every other, so that only identity tells two apart."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    def __hash__(self) -> int:
        return 0


def counting() -> tuple[Memo[int], Callable[[], int]]:
    calls: list[tuple[object, ...]] = []

    def count(*read: object) -> int:
        calls.append(read)
        return len(calls)

    return Memo(count), lambda: len(calls)


def test_the_same_objects_are_worked_on_once() -> None:
    memo, calls = counting()
    thing, other = Thing(), Thing()
    assert memo(thing, other) == memo(thing, other) == 1
    assert calls() == 1


def test_equal_objects_are_not_the_same() -> None:
    memo, _ = counting()
    one, two = Thing(), Thing()
    assert memo(one) != memo(two)
    assert memo(one, two) != memo(two, one)


def test_an_answer_outlives_a_round() -> None:
    memo, calls = counting()
    thing = Thing()
    for _ in range(5):
        memo(thing)
        memo.end_round()
    assert calls() == 1


def test_an_answer_survives_being_moved() -> None:
    memo, calls = counting()
    kept, passing = Thing(), [Thing() for _ in range(9)]
    memo(kept)
    for thing in passing:
        memo(thing)
    memo.end_round()
    memo(kept)
    memo.end_round()  # what is remembered outgrew what was asked
    memo(kept)
    assert calls() == 10


def test_what_is_no_longer_asked_for_is_forgotten() -> None:
    memo, calls = counting()
    gone, kept = [Thing() for _ in range(9)], Thing()
    for thing in gone:
        memo(thing)
    for _ in range(3):
        memo.end_round()
        memo(kept)
    memo.end_round()
    assert calls() == 10
    for thing in gone:
        memo(thing)
    assert calls() == 19


def test_a_memo_never_outgrows_the_present() -> None:
    memo, _ = counting()
    for _ in range(1000):
        memo(Thing())
        memo.end_round()
    assert len(memo._answers) + len(memo._older) <= 6


def test_each_of_many_is_one_call_for_each() -> None:
    memo, calls = counting()
    thing, other = Thing(), Thing()
    assert memo.each([thing, other, thing]) == [1, 2, 1]
    assert [memo(thing), memo(other)] == memo.each([thing, other])
    assert calls() == 2


def test_asking_for_each_keeps_what_is_asked_for_and_forgets_the_rest() -> None:
    memo, calls = counting()
    gone, kept = [Thing() for _ in range(9)], [Thing()]
    memo.each(gone)
    for _ in range(4):
        memo.end_round()
        assert memo.each(kept) == [10]
    assert len(memo._answers) + len(memo._older) <= 2
    assert calls() == 10


def test_what_something_beside_the_key_changed_for_is_worked_on_again() -> None:
    memo, calls = counting()
    first, second, *_ = things = [Thing() for _ in range(9)]
    for thing in things:
        memo(thing)
    memo.end_round()
    memo(first), memo(second)
    memo.end_round()  # what is remembered outgrew what was asked, and is forgotten after the next round
    memo.forget(lambda thing: thing is first)
    before = calls()
    memo(second)
    assert calls() == before
    memo(first)
    assert calls() == before + 1
