"""Watching what this process waits for, from other threads than those that wait."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock, get_ident

import pytest

from kfambassador.sdk.readiness.progress import Silence, Watched, Watcher, watch_progress
from kfambassador.sdk.readiness.status import ExposureStatus, Phase

Watch = Callable[[Watcher], Callable[[], None]]
Told = tuple[tuple[str, str], ExposureStatus | None]
PHASES = (Phase.APPLIED, Phase.ACCEPTED, Phase.PROGRAMMED, Phase.ANSWERING)


def phase_of(status: ExposureStatus | None) -> Phase | None:
    # A status is false until it answers.
    return None if status is None else status.phase


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._lock = Lock()

    def __call__(self, place: tuple[str, str], status: ExposureStatus | None) -> None:
        with self._lock:
            self.told.append((place, status))

    @property
    def phases(self) -> list[Phase | None]:
        return [phase_of(status) for _, status in self.told]

    def about(self, name: str) -> list[Phase | None]:
        return [phase_of(status) for (_, own), status in self.told if own == name]


class Broken(Silence):
    """Cannot show anything, such as a terminal that was closed."""

    def show(self, status: ExposureStatus) -> None:
        raise BrokenPipeError(status.name)

    def close(self) -> None:
        raise BrokenPipeError


class Unclosable(Silence):
    """Shows what there is, and cannot end."""

    def close(self) -> None:
        raise BrokenPipeError


def status(phase: Phase, name: str = "m", message: str = "") -> ExposureStatus:
    return ExposureStatus(name, "team", phase, message=message)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Watching that ends with the test."""
    ends: list[Callable[[], None]] = []

    def begin(watcher: Watcher) -> Callable[[], None]:
        ends.append(watch_progress(watcher))
        return ends[-1]

    yield begin
    for end in ends:
        end()


def test_each_new_status_is_told_and_the_end(watch: Watch) -> None:
    listener = Listener()
    watch(listener)
    shown = Watched(Silence())
    for phase in PHASES:
        shown.show(status(phase))
    shown.close()
    assert listener.phases == [*PHASES, None]
    assert {place for place, _ in listener.told} == {("team", "m")}


def test_the_same_status_is_shown_again_and_told_once(watch: Watch) -> None:
    class Counter(Silence):
        looks = 0

        def show(self, status: ExposureStatus) -> None:
            self.looks += 1

    listener, counter = Listener(), Counter()
    watch(listener)
    shown = Watched(counter)
    for message in ("no Envoy", "no Envoy", "refused", "no Envoy"):
        shown.show(status(Phase.ACCEPTED, message=message))
    assert counter.looks == 4
    assert [each.message for _, each in listener.told if each is not None] == ["no Envoy", "refused", "no Envoy"]


def test_what_never_began_is_not_told_to_be_over(watch: Watch) -> None:
    listener = Listener()
    watch(listener)
    Watched(Silence()).close()
    assert listener.told == []


def test_the_end_is_told_once(watch: Watch) -> None:
    listener = Listener()
    watch(listener)
    shown = Watched(Silence())
    shown.show(status(Phase.APPLIED))
    shown.close()
    shown.close()
    assert listener.phases == [Phase.APPLIED, None]


def test_everybody_is_told_and_whoever_fails_stops_nobody(watch: Watch) -> None:
    first, second = Listener(), Listener()

    def fail(_place: tuple[str, str], _status: ExposureStatus | None) -> None:
        raise RuntimeError("the page has gone")

    for watcher in (first, fail, second):
        watch(watcher)
    shown = Watched(Silence())
    shown.show(status(Phase.APPLIED))
    shown.close()
    assert first.phases == second.phases == [Phase.APPLIED, None]


def test_ctrl_c_in_a_watcher_is_not_swallowed(watch: Watch) -> None:
    def interrupt(_place: tuple[str, str], _status: ExposureStatus | None) -> None:
        raise KeyboardInterrupt

    end = watch(interrupt)
    with pytest.raises(KeyboardInterrupt):
        Watched(Silence()).show(status(Phase.APPLIED))
    end()


def test_whoever_has_ended_hears_no_more_and_ending_twice_is_nothing(watch: Watch) -> None:
    gone, staying = Listener(), Listener()
    end = watch(gone)
    watch(staying)
    shown = Watched(Silence())
    shown.show(status(Phase.APPLIED))
    end()
    end()
    shown.show(status(Phase.ACCEPTED))
    assert gone.phases == [Phase.APPLIED]
    assert staying.phases == [Phase.APPLIED, Phase.ACCEPTED]


def test_whoever_comes_later_hears_what_comes_later(watch: Watch) -> None:
    shown, listener = Watched(Silence()), Listener()
    shown.show(status(Phase.APPLIED))
    watch(listener)
    shown.show(status(Phase.APPLIED))
    shown.show(status(Phase.ACCEPTED))
    shown.close()
    assert listener.phases == [Phase.ACCEPTED, None]


def test_a_watcher_may_end_itself_and_others_while_it_is_told(watch: Watch) -> None:
    ends: list[Callable[[], None]] = []
    first, last = Listener(), Listener()

    def end_all(_place: tuple[str, str], _status: ExposureStatus | None) -> None:
        for end in ends:
            end()

    watch(first)
    ends += [watch(end_all), watch(last)]
    shown = Watched(Silence())
    shown.show(status(Phase.APPLIED))
    shown.show(status(Phase.ACCEPTED))
    assert first.phases == [Phase.APPLIED, Phase.ACCEPTED]
    # Told of what was going on when it ended, and of nothing after it.
    assert last.phases == [Phase.APPLIED]


def test_where_it_cannot_be_shown_nothing_is_told(watch: Watch) -> None:
    listener = Listener()
    watch(listener)
    shown = Watched(Broken())
    with pytest.raises(BrokenPipeError):
        shown.show(status(Phase.APPLIED))
    with pytest.raises(BrokenPipeError):
        shown.close()
    assert listener.told == []


def test_where_showing_cannot_end_its_end_is_told_all_the_same(watch: Watch) -> None:
    listener = Listener()
    watch(listener)
    shown = Watched(Unclosable())
    shown.show(status(Phase.APPLIED))
    with pytest.raises(BrokenPipeError):
        shown.close()
    assert listener.phases == [Phase.APPLIED, None]


def test_it_is_told_in_the_thread_that_waits(watch: Watch) -> None:
    threads: list[int] = []
    watch(lambda _place, _status: threads.append(get_ident()))

    def wait_for_one() -> int:
        Watched(Silence()).show(status(Phase.APPLIED))
        return get_ident()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for_one).result()
    assert threads == [waiting]
    assert waiting != get_ident()


def test_many_wait_at_once_and_each_is_told_in_order(watch: Watch) -> None:
    listeners = [Listener() for _ in range(3)]
    for listener in listeners:
        watch(listener)
    names = [f"m{number}" for number in range(16)]
    together = Barrier(len(names))

    def wait_for_one(name: str) -> None:
        shown = Watched(Silence())
        together.wait()
        for turn in range(50):
            shown.show(status(PHASES[turn % len(PHASES)], name))
        shown.close()

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(wait_for_one, names))
    wanted = [PHASES[turn % len(PHASES)] for turn in range(50)]
    for listener in listeners:
        assert {name: listener.about(name) for name in names} == {name: [*wanted, None] for name in names}


def test_watchers_come_and_go_while_many_wait(watch: Watch) -> None:
    staying, over = Listener(), Event()
    watch(staying)

    def come_and_go() -> int:
        times = 0
        while not over.is_set() or not times:
            watch_progress(Listener())()
            times += 1
        return times

    def wait_for_one(name: str) -> None:
        shown = Watched(Silence())
        for turn in range(200):
            shown.show(status(PHASES[turn % len(PHASES)], name))
        shown.close()

    names = [f"m{number}" for number in range(4)]
    with ThreadPoolExecutor(8) as pool:
        visitors = [pool.submit(come_and_go) for _ in range(4)]
        list(pool.map(wait_for_one, names))
        over.set()
        assert all(visitor.result() for visitor in visitors)
    assert all(len(staying.about(name)) == 201 for name in names)


def test_what_shows_it_is_told_first(watch: Watch) -> None:
    order: list[str] = []

    class Noting(Silence):
        def show(self, status: ExposureStatus) -> None:
            order.append(f"shown {status.phase}")

        def close(self) -> None:
            order.append("closed")

    watch(lambda _place, told: order.append(f"told {phase_of(told) or 'the end'}"))
    shown = Watched(Noting())
    shown.show(status(Phase.APPLIED))
    shown.close()
    assert order == [f"shown {Phase.APPLIED}", f"told {Phase.APPLIED}", "closed", "told the end"]
