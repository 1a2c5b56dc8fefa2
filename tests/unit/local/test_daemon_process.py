"""The process of the shared gateway is told to end, whatever it is doing."""

import os
import signal

import pytest

from kfambassador.local.daemon_process import Told, _wakeful


class Loud:
    """Says something when it is cleaned up, as a signal that comes just then does."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)


def end(_number: int, _frame: object) -> None:
    raise Told


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_meets_a_clean_up_is_heard_at_the_next_sleep() -> None:
    before = signal.signal(signal.SIGUSR1, end)
    try:
        with _wakeful() as sleep:
            # Python drops the exception here.
            Loud()
            with pytest.raises(Told):
                sleep(60)
    finally:
        signal.signal(signal.SIGUSR1, before)
