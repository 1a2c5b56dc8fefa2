"""Sparing the garbage collector work that finds nothing.

Everything that is read and compiled is immutable, so it holds no reference cycles, which are all the collector looks
for; but looking costs time in proportion to all that lives, again and again while much is being made.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the collector from running meanwhile; memory is still freed as references end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class LongLived:
    """Takes what has come to stay out of the collector's sight, whenever there is twice as much of it as before."""

    def __init__(self) -> None:
        self._size = 0

    def note(self, size: int) -> None:
        """Note how much there is now, in objects of the caller's choosing."""
        if size > 2 * self._size:
            gc.freeze()
            self._size = size
