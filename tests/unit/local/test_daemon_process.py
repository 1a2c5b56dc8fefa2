"""The process of the shared gateway is told to end, whatever it is doing."""

import os
import signal
from collections.abc import Iterator

import pytest

from kfambassador.local.daemon_process import Told, _wakeful

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers_stay_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_breaks_off_nothing_and_is_heard_at_the_next_sleep(number: signal.Signals) -> None:
    with _wakeful() as sleep:
        sleep(0)
        os.kill(os.getpid(), number)
        with pytest.raises(Told):
            sleep(60)


def test_whoever_was_told_to_end_sleeps_no_more() -> None:
    with _wakeful() as sleep:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(2):
            with pytest.raises(Told):
                sleep(60)
