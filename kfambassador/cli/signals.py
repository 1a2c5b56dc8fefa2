"""Ctrl-C and SIGTERM, which end a command that runs on, and end it cleanly."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def until_stopped() -> Iterator[Event]:
    """Give an event that Ctrl-C or SIGTERM sets, instead of breaking off what is being done.

    A second one breaks off after all, for whoever cannot wait.
    """
    stopped = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            signal.default_int_handler(number, frame)
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
