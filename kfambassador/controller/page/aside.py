"""Making what takes long beside the controller's loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from kfambassador.controller.collector import paused_collector

T = TypeVar("T")


async def aside(make: Callable[[], T]) -> T:
    """Make something in a thread, so that the loop goes on meanwhile.

    Of ten thousand routes so much is made that the garbage collector would look through everything there is, and
    everybody would wait for it.
    """

    def make_spared() -> T:
        with paused_collector():
            return make()

    return await asyncio.to_thread(make_spared)
