"""Lines of the log: for programs and for people, without secrets, never too many, and never holding anybody up."""

import io
import json
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from kfambassador.controller import logs, repeats
from kfambassador.controller.logs import FIELDS, change_level, current_level, running_logs

LOG = logging.getLogger("kfambassador.controller.test")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    before = logging.getLogger("kfambassador").level
    yield
    assert logging.getLogger("kfambassador").level == before


def read_lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_for_programs_is_one_object_with_what_it_is_about() -> None:
    stream = io.StringIO()
    with running_logs(level="info", form="json", stream=stream):
        LOG.warning("mapping %s\nis odd", "m", extra={FIELDS: {"generation": 7, "origin": {"name": "m"}}})
    [line] = read_lines(stream)
    assert line.pop("time")
    assert line == {
        "level": "warning",
        "logger": "kfambassador.controller.test",
        "message": "mapping m\nis odd",
        "generation": 7,
        "origin": {"name": "m"},
    }


def test_fields_never_take_the_place_of_what_every_line_has() -> None:
    stream = io.StringIO()
    with running_logs(level="info", form="json", stream=stream):
        LOG.info("words", extra={FIELDS: {"message": "other words", "level": "none"}})
    assert [(line["message"], line["level"]) for line in read_lines(stream)] == [("words", "info")]


def fail() -> None:
    raise RuntimeError("asked with Bearer abc0123456789")


def test_a_stack_trace_stays_in_its_line() -> None:
    stream = io.StringIO()
    with running_logs(level="info", form="json", stream=stream):
        try:
            fail()
        except RuntimeError:
            LOG.exception("it failed")
    [line] = read_lines(stream)
    assert "RuntimeError: asked with Bearer •••" in str(line["trace"])


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_line_shows_what_has_the_form_of_a_secret(form: str) -> None:
    stream = io.StringIO()
    secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"
    with running_logs(level="info", form=form, stream=stream):
        LOG.info("asked with %s", secret, extra={FIELDS: {"header": secret, "deep": [{"key": secret}]}})
        LOG.info("-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----")
    assert stream.getvalue().count("•••") >= 2
    assert secret not in stream.getvalue()
    assert "MIIEv" not in stream.getvalue()


def test_the_level_changes_while_it_runs() -> None:
    stream = io.StringIO()
    with running_logs(level="warning", form="json", stream=stream):
        LOG.info("too little")
        change_level("debug")
        assert current_level() == "debug"
        LOG.debug("now enough")
        # Of other packages nothing more is wanted than before.
        logging.getLogger("aiohttp.access").info("somebody asked")
    assert [line["message"] for line in read_lines(stream)] == ["now enough"]


def test_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no level; those are debug, info, warning, error"):
        change_level("loud")


def test_the_same_words_are_written_a_few_times_and_then_counted() -> None:
    stream = io.StringIO()
    with running_logs(level="info", form="json", stream=stream):
        for _ in range(1_000):
            LOG.warning("Envoy is gone")
        LOG.warning("something else")
    told = [str(line["message"]) for line in read_lines(stream)]
    most = repeats.SAME[0]
    assert told[:most] == ["Envoy is gone"] * most
    left_out = 1_000 - most
    assert told[most:] == [
        "something else",
        f"{left_out} lines were left out, because they repeated others or found no room",
    ]


def test_lines_that_differ_only_in_names_are_bounded_too() -> None:
    stream = io.StringIO()
    with running_logs(level="info", form="json", stream=stream):
        for number in range(1_000):
            LOG.warning("mapping m%d is odd", number)
        LOG.warning("of another kind")
    told = [str(line["message"]) for line in read_lines(stream)]
    assert len(told) == repeats.ALIKE[0] + 2
    assert told[-2] == "of another kind"


def test_what_was_left_out_is_told_with_the_next_line_of_its_kind() -> None:
    counted = repeats.Repeats()
    most, seconds = repeats.ALIKE
    assert [counted.admit("kind", f"m{number}", now=0.0) for number in range(most)] == [0] * most
    assert [counted.admit("kind", f"n{number}", now=1.0) for number in range(3)] == [None] * 3
    assert counted.admit("kind", "next", now=seconds) == 3
    assert counted.count_untold() == 0


def test_many_different_lines_fill_no_memory_and_none_is_lost_count_of() -> None:
    counted = repeats.Repeats()
    for number in range(3 * repeats.MOST):
        for _ in range(repeats.SAME[0] + 1):
            counted.admit(("kind", number), "words", now=0.0)
    assert len(counted._same._windows) <= repeats.MOST
    assert counted.count_untold() == 3 * repeats.MOST


class Stuck(io.StringIO):
    """A stream whose reader stands still until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.go_on.wait(timeout=30)
        return super().write(text)


def test_who_logs_is_not_held_up_by_a_reader_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_WAITING", 10)
    stream = Stuck()
    with running_logs(level="info", form="json", stream=stream):
        # Each of another kind, so that it is the room that is wanting.
        for number in range(50):
            LOG.info(f"line {number}")  # noqa: G004 - that is the point
        stream.go_on.set()
        while stream.getvalue().count("\n") < 10:
            time.sleep(0.001)
        LOG.info("after")
    told = [str(line["message"]) for line in read_lines(stream)]
    assert told[0] == "line 0"
    assert told[-1].startswith("after (")
    assert told[-1].endswith("lines before this found no room and were left out)")
