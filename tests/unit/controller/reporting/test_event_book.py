"""Which Events are due."""

from hypothesis import given
from hypothesis import strategies as st

from kfambassador.controller.reporting.event_book import Entry, EventBook, EventPace
from kfambassador.controller.reporting.events import MENDED, Remark
from kfambassador.controller.reporting.limits import Limit
from tests.unit.controller.reporting.rigs import key

A, B = (Remark("Warning", name, "message", "spec") for name in "AB")
KEY = key()


def take(book: EventBook, now: float) -> Entry:
    entry = book.next(now)
    assert entry is not None
    return entry


def tell(book: EventBook, now: float) -> Remark:
    entry = take(book, now)
    book.settle(entry, now=now, count=entry.count + 1)
    return entry.remark


def note(book: EventBook, *wanted: Remark, now: float = 0, uid: str = "u", may_exist: bool = False) -> None:
    book.note(KEY, uid, wanted, now=now, may_exist=may_exist)


def test_each_remark_is_due_once_and_again_while_it_holds() -> None:
    book = EventBook(EventPace(repeat=60))
    note(book, A, B)
    assert {tell(book, 0), tell(book, 0)} == {A, B}
    note(book, A, B, now=30)
    assert (book.next(59), book.next_due()) == (None, 60)
    assert take(book, 60).count == 1


def test_without_repeats_nothing_is_due_twice() -> None:
    book = EventBook(EventPace(repeat=None))
    note(book, A)
    tell(book, 0)
    assert (book.next(1e9), book.next_due()) == (None, None)


def test_what_was_taken_back_before_it_was_told_is_not_told() -> None:
    book = EventBook(EventPace())
    note(book, A)
    note(book)
    assert (book.next(0), book.mending()) == (None, [])


def test_what_comes_back_is_counted_on() -> None:
    book = EventBook(EventPace())
    note(book, A)
    tell(book, 0)
    note(book, now=1)
    note(book, A, now=2)
    assert take(book, 2).count == 1


def test_what_is_mended_is_told_once_and_only_where_a_problem_was_told() -> None:
    book = EventBook(EventPace())
    note(book, A)
    tell(book, 0)
    assert book.mending() == []
    note(book, now=1)
    assert book.mending() == [KEY]
    book.note_mended(KEY, now=2)
    assert book.mending() == []
    assert tell(book, 2) is MENDED
    note(book, now=3)
    assert book.next(1e9) is None
    # The same once more.
    note(book, A, now=4)
    assert tell(book, 4) == A
    note(book, now=5)
    book.note_mended(KEY, now=5)
    assert take(book, 5).count == 1


def test_another_object_of_the_same_name_begins_anew() -> None:
    book = EventBook(EventPace())
    note(book, A)
    tell(book, 0)
    note(book, A, uid="another")
    assert take(book, 0).count == 0


def test_what_is_forgotten_is_not_due() -> None:
    book = EventBook(EventPace())
    note(book, A)
    book.forget(KEY)
    assert (book.next(0), book.next_due()) == (None, None)
    note(book, A)
    book.clear()
    assert (book.next(0), book.next_due()) == (None, None)


def test_who_changes_the_problem_again_and_again_hears_no_more_than_the_limit() -> None:
    book = EventBook(EventPace(each=Limit(burst=25, rate=1 / 300)))
    told = 0
    for second in range(3000):
        note(book, A._replace(message=str(second)), now=second)
        while (entry := book.next(second)) is not None:
            book.settle(entry, now=second, count=1)
            told += 1
    assert told == 25 + 9


def test_one_objects_limit_holds_up_no_other() -> None:
    book = EventBook(EventPace(each=Limit(burst=1, rate=1 / 300)))
    note(book, A, B)
    tell(book, 0)
    book.note(key("other"), "v", [A], now=0, may_exist=False)
    entry = take(book, 0)
    assert entry.key == key("other")


def test_what_need_not_be_written_costs_no_token() -> None:
    book = EventBook(EventPace(each=Limit(burst=1, rate=1 / 300), repeat=None))
    note(book, A, B, may_exist=True)
    for _ in range(2):
        entry = take(book, 0)
        assert entry.may_exist
        book.settle(entry, now=0, count=0, wrote=False)
    assert book.next(0) is None


@given(st.lists(st.sets(st.sampled_from([A, B, A._replace(field="x")])), max_size=30))
def test_what_is_told_in_the_end_is_what_holds_in_the_end(history: list[set[Remark]]) -> None:
    book, told = EventBook(EventPace(each=Limit(1e6, 1e6))), dict[Remark, int]()
    for now, wanted in enumerate(history):
        note(book, *wanted, now=now)
        while (entry := book.next(now)) is not None:
            assert entry.remark in wanted
            assert entry.count == told.get(entry.remark, 0)
            told[entry.remark] = entry.count + 1
            book.settle(entry, now=now, count=entry.count + 1)
        assert wanted <= told.keys()
