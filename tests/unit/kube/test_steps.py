"""What a reflector does next, and what it says of a failure: rules without a server."""

import pytest

from kfambassador.errors import ApiError, Forbidden, Gone, NotFound, Unavailable
from kfambassador.kube.kinds import MAPPING, SERVICE, Kind
from kfambassador.kube.reflector import Listed, Lost, Outcome, ReflectorSettings, Step, bad_news, name_ending, next_step

SETTINGS = ReflectorSettings(shortest_pause=0.5, longest_pause=8.0, missing=60.0)
GONE = Gone("too old", status=410)
DOWN = Unavailable("no answer")
BUSY = Unavailable("later", status=429, retry_after=20.0)
ABSENT = NotFound("no such kind", status=404)
FORBIDDEN = Forbidden("no", status=403)


@pytest.mark.parametrize(
    ("step", "outcome", "expected"),
    [
        # A listing is followed by a watch, which makes up for earlier failures only when it proves good.
        (Step(), Outcome("10"), Step("10")),
        (Step(failures=3), Outcome("10"), Step("10", failures=3)),
        # A watch that ends in peace goes on where it was, with a pause only if it brought nothing.
        (Step("10", failures=3), Outcome("12", is_calm=True), Step("12")),
        (Step("10"), Outcome("10"), Step("10", failures=1, pause=1.0)),
        (Step("10", failures=1), Outcome("10"), Step("10", failures=2, pause=2.0)),
        # Whatever goes wrong is followed by a listing.
        (Step("10"), Outcome("10", GONE), Step(failures=1, pause=1.0)),
        (Step("10"), Outcome("10", DOWN), Step(failures=1, pause=1.0)),
        (Step("10", failures=3), Outcome("12", DOWN, is_calm=True), Step(failures=1, pause=1.0)),
        (Step("10", failures=2), Outcome("10", GONE), Step(failures=3, pause=4.0)),
        (Step(), Outcome(error=DOWN), Step(failures=1, pause=1.0)),
        (Step(failures=2), Outcome(error=FORBIDDEN), Step(failures=3, pause=4.0)),
        # Pauses grow up to the longest, and what the server asks for is added.
        (Step(failures=3), Outcome(error=DOWN), Step(failures=4, pause=8.0)),
        (Step(failures=100_000), Outcome(error=DOWN), Step(failures=100_001, pause=8.0)),
        (Step(), Outcome(error=BUSY), Step(failures=1, pause=21.0)),
        # 404 is special only where a kind may be missing.
        (Step(), Outcome(error=ABSENT), Step(failures=1, pause=1.0)),
    ],
)
def test_next_step(step: Step, outcome: Outcome, expected: Step) -> None:
    almost_one = 1.0
    assert next_step(step, outcome, kind=SERVICE, settings=SETTINGS, chance=almost_one) == expected


def test_a_missing_kind_is_looked_for_again() -> None:
    assert next_step(Step(failures=5), Outcome(error=ABSENT), kind=MAPPING, settings=SETTINGS, chance=0.5) == Step(
        pause=60.0
    )


def test_a_kind_that_goes_while_it_is_watched_is_listed_next() -> None:
    outcome = Outcome("10", ABSENT)
    assert next_step(Step("10"), outcome, kind=MAPPING, settings=SETTINGS, chance=0.0) == Step(failures=1, pause=0.5)


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 4.0), (0.5, 6.0), (1.0, 8.0)])
def test_chance_spreads_the_pauses(chance: float, pause: float) -> None:
    step = next_step(Step(failures=9), Outcome(error=DOWN), kind=SERVICE, settings=SETTINGS, chance=chance)
    assert step.pause == pause


@pytest.mark.parametrize(
    ("kind", "step", "error", "news"),
    [
        (SERVICE, Step(), None, None),
        (SERVICE, Step("10"), GONE, None),
        (SERVICE, Step(), GONE, Lost(SERVICE, "too old")),
        (SERVICE, Step("10"), DOWN, Lost(SERVICE, "no answer")),
        (SERVICE, Step(), ABSENT, Lost(SERVICE, "no such kind")),
        (MAPPING, Step(), ABSENT, Listed(MAPPING, (), "")),
        (MAPPING, Step("10"), ABSENT, Lost(MAPPING, "no such kind")),
        (MAPPING, Step(), FORBIDDEN, Lost(MAPPING, "no", is_forbidden=True)),
    ],
)
def test_bad_news(kind: Kind, step: Step, error: ApiError | None, news: Listed | Lost | None) -> None:
    assert bad_news(step, Outcome(error=error), kind=kind) == news


@pytest.mark.parametrize(
    ("step", "error", "word"),
    [
        (Step(), None, ""),
        (Step("10"), None, "ended"),
        (Step("10"), GONE, "expired"),
        (Step("10"), DOWN, "unanswered"),
        (Step(), BUSY, "throttled"),
        (Step(), ABSENT, "missing"),
        (Step(), FORBIDDEN, "forbidden"),
        (Step(), Unavailable("broken", status=500), "failed"),
    ],
)
def test_why_following_begins_anew_in_a_word(step: Step, error: ApiError | None, word: str) -> None:
    assert name_ending(step, Outcome(error=error)) == word
