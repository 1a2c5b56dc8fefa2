"""Changes of the traffic under a constant stream of requests: none of them fails, and each goes where it should."""

from collections import Counter
from collections.abc import Iterator

import pytest

import kfambassador as kfa
from kfambassador.sdk.attributes import MappingAttributes
from kfambassador.sdk.traffic.rollout import run_rollout
from tests.e2e.gateway import until
from tests.e2e.load import Load, NamedServer, under_load
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("traffic")]

#: Requests of one stretch.
MANY = 400


@pytest.fixture
def v1() -> Iterator[NamedServer]:
    with NamedServer("v1") as server:
        yield server


@pytest.fixture
def v2() -> Iterator[NamedServer]:
    with NamedServer("v2") as server:
        yield server


@pytest.fixture
def model(gateway: kfa.Gateway, v1: NamedServer) -> kfa.Exposure:
    return gateway.expose("m", service=v1.port, server=kfa.HTTPServer())


@pytest.fixture
def load(model: kfa.Exposure) -> Iterator[Load]:
    """A stream of requests; at its end it is looked whether any failed."""
    with under_load(model.url) as load:
        yield load


def whole(load: Load) -> set[str]:
    """Who answers a stretch of requests that begins now."""
    load.begin()
    return set(load.take(MANY))


def share_of(load: Load, name: str) -> float:
    """Which part of a stretch of requests somebody answers."""
    load.begin()
    taken = load.take(MANY)
    return taken[name] / taken.total()


def check_none_failed(load: Load) -> None:
    assert set(load.answers) <= {"v1", "v2"}, load.answers


def test_a_canary_grows_and_is_promoted_and_taken_back(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    assert model.canary(v2.port, weight=0)["canary"] == 0
    assert whole(load) == {"v1"}
    assert v2.seen == 0
    model.canary(weight=10)
    assert 0.02 < share_of(load, "v2") < 0.25
    model.canary(weight=50)
    assert 0.35 < share_of(load, "v2") < 0.65
    model.canary(weight=100)
    assert whole(load) == {"v2"}
    model.canary(weight=0)
    assert whole(load) == {"v1"}
    model.canary(weight=100)
    assert whole(load) == {"v2"}
    assert [share.service for share in model.promote()] == [f"127.0.0.1:{v2.port}"]
    assert whole(load) == {"v2"}
    model.rollback()
    assert whole(load) == {"v1"}
    check_none_failed(load)


def test_a_variant_that_is_asked_for_answers(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    def ask(variant: str) -> Counter[str]:
        return Counter(model.test({}, variant=variant).answer.text for _ in range(50))

    for weight in (0, 50, 100):
        model.canary(v2.port, weight=weight)
        assert ask("canary") == {"v2": 50}
        assert ask("stable") == {"v1": 50}
    model.rollback()
    check_none_failed(load)


def test_a_shadow_gets_copies_and_answers_nobody(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    v2.status = 500
    model.shadow(v2.port)
    load.begin()
    assert set(load.take(MANY)) == {"v1"}
    assert v2.seen > 0
    assert list(model.shadow(None))[1:] == []

    def count_copies() -> int:
        before = v2.seen
        assert whole(load) == {"v1"}
        return v2.seen - before

    # The last copies may be on their way while nobody makes new ones.
    until(lambda: count_copies() == 0)
    check_none_failed(load)


def test_publishing_again_and_many_changes_lose_no_request(
    gateway: kfa.Gateway, model: kfa.Exposure, load: Load, v1: NamedServer, v2: NamedServer
) -> None:
    for number in range(5):
        gateway.expose("m", service=v2.port, server=kfa.HTTPServer(), timeout_ms=20_000 + number)
        gateway.expose("m", service=v1.port, server=kfa.HTTPServer())
        model.canary(v2.port, weight=50)
        model.promote()
        model.rollback()
    assert whole(load) == {"v1"}
    check_none_failed(load)


def roll(model: kfa.Exposure, load: Load, *, guard: kfa.Guard | None = None, promote: bool = True) -> kfa.Rollout:
    """Roll a canary out; each step lasts until it has answered some requests."""

    def pause(_seconds: float) -> None:
        load.begin()
        load.take(MANY // 4)

    return run_rollout(model, (10, 50, 100), 0.0, check=guard, variant="canary", promote=promote, pause=pause)


def test_a_good_canary_is_promoted(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    model.canary(v2.port, weight=1)
    done = roll(model, load)
    assert (done.promoted, [step.weight for step in done.steps]) == (True, [10, 50, 100])
    assert all(step.verdict == "" for step in done.steps)
    assert sum(step.seen.requests for step in done.steps[1:]) > 0
    assert [(share.variant, share.percent) for share in model.split()] == [("stable", 100)]
    assert whole(load) == {"v2"}
    check_none_failed(load)


def test_a_canary_that_fails_is_taken_back(model: kfa.Exposure, load: Load, v1: NamedServer, v2: NamedServer) -> None:
    v2.status = 500
    model.canary(v2.port, weight=0)
    with pytest.raises(
        kfa.RolledBack, match=r"m: canary was rolled back at \d+ %: \d+ of \d+ requests failed"
    ) as caught:
        roll(model, load)
    *before, last = caught.value.history.steps
    assert (last.seen.error_rate, caught.value.history.promoted) == (1.0, False)
    assert all(step.seen.requests == 0 for step in before)
    assert [(share.variant, share.percent) for share in model.split()] == [("stable", 100)]
    assert whole(load) == {"v1"}
    # None but the canary's own failed.
    assert set(load.answers) == {"v1", "500 of v2"}
    assert model.statistics().total.server_errors == 0


def test_a_canary_that_is_slow_is_taken_back(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    v2.delay = 0.3
    model.canary(v2.port, weight=0)
    with pytest.raises(kfa.RolledBack, match=r"rolled back at \d+ %: p99 is \d+ ms, and may be 150 ms") as caught:
        roll(model, load, guard=kfa.Guard(p99_ms=150))
    assert caught.value.history.steps[-1].seen.server_errors == 0
    assert [(share.variant, share.percent) for share in model.split()] == [("stable", 100)]
    assert whole(load) == {"v1"}
    check_none_failed(load)


def test_ctrl_c_takes_a_rollout_back(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    model.canary(v2.port, weight=0)

    def pause(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_rollout(model, (50,), 60.0, check=None, variant="canary", promote=True, pause=pause)
    assert [(share.variant, share.percent) for share in model.split()] == [("stable", 100)]
    assert whole(load) == {"v1"}
    check_none_failed(load)


def test_a_check_of_the_callers_that_fails_takes_it_back(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    model.canary(v2.port, weight=0)
    with pytest.raises(ZeroDivisionError):
        run_rollout(
            model, (50,), 0.0, check=lambda seen: bool(1 / 0), variant="canary", promote=True, pause=lambda _: None
        )
    assert whole(load) == {"v1"}
    with pytest.raises(kfa.MappingRejected, match="'canary' is no variant"):
        roll(model, load)
    check_none_failed(load)


def test_a_rollout_of_nothing_takes_no_promotion_back(model: kfa.Exposure, load: Load, v2: NamedServer) -> None:
    model.canary(v2.port, weight=50)
    model.promote()
    with pytest.raises(kfa.MappingRejected, match="'canary' is no variant"):
        roll(model, load)
    assert whole(load) == {"v2"}
    check_none_failed(load)


@pytest.mark.parametrize("check", [kfa.Guard, "error_rate < 0.01"])
def test_a_check_that_is_none_changes_nothing(model: kfa.Exposure, v2: NamedServer, check: kfa.Guard) -> None:
    model.canary(v2.port, weight=0)
    with pytest.raises(kfa.ConfigurationError, match=r"while_: expected Guard\(...\) or a function"):
        model.rollout([100], 0.0, while_=check)
    assert model.split()["canary"] == 0


def test_a_check_that_says_neither_yes_nor_no_is_no_trust(model: kfa.Exposure, v2: NamedServer) -> None:
    model.canary(v2.port, weight=0)
    with pytest.raises(kfa.RolledBack, match="neither True nor words"):
        model.rollout([100], 0.0, while_=lambda seen: (seen,))  # type: ignore[arg-type,return-value]
    assert [share.variant for share in model.split()] == ["stable"]


def test_what_another_notebook_changed_is_seen(model: kfa.Exposure, gateway: kfa.Gateway, v2: NamedServer) -> None:
    other = gateway.get_exposure("m")
    model.canary(v2.port, weight=30)
    assert [(share.variant, share.percent) for share in other.split()] == [("stable", 70), ("canary", 30)]
    assert gateway.get_exposure("m").test({}, variant="canary").answer.text == "v2"
    model.promote()
    with pytest.raises(kfa.ConfigurationError, match="m has no variant 'canary'; it has: stable"):
        other.statistics(variant="canary")


def test_statistics_of_a_variant_that_is_not_there_are_nobodys(model: kfa.Exposure) -> None:
    with pytest.raises(kfa.ConfigurationError, match="m has no variant 'canary'; it has: stable"):
        model.statistics(variant="canary")


@pytest.mark.parametrize(
    "attributes",
    [
        {"method": "POST"},
        {"method": "GET|POST", "method_regex": True},
        {"prefix": "/x/(a|b)", "prefix_regex": True},
        {"host": "^m.*$", "host_regex": True},
        {"host": "*.example.com"},
        {"regex_headers": {"x-team": "a.*"}},
    ],
    ids=str,
)
def test_a_split_is_told_whatever_the_route_asks_for(
    gateway: kfa.Gateway, v1: NamedServer, v2: NamedServer, attributes: MappingAttributes
) -> None:
    model = gateway.expose("odd", service=v1.port, server=kfa.HTTPServer(), **attributes)
    shares = model.canary(v2.port, weight=20)
    assert [(share.variant, share.percent) for share in shares] == [("stable", 80), ("canary", 20)]


def test_a_redirect_has_no_canary(gateway: kfa.Gateway, v1: NamedServer, v2: NamedServer) -> None:
    old = gateway.expose("old", service=f"localhost:{v1.port}", server=kfa.HTTPServer(), host_redirect=True)
    with pytest.raises(kfa.MappingRejected, match=r"old stays as it is[\s\S]*there is nothing to share"):
        old.canary(v2.port)
    assert old.test(expect=301)


def test_a_share_that_cannot_be_is_told_before_anybody_waits_for_the_server(model: kfa.Exposure) -> None:
    with pytest.raises(kfa.MappingRejected, match="weight: expected at most 100, got 120"):
        model.canary(free_port(), weight=120)
