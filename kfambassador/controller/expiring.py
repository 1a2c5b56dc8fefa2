"""Waking up when something expires.

What expires does so by the wall clock, which may jump or be set; timers run by another, and sleep with a laptop. So the
wall clock is looked at again every minute while anything has an end, and whatever was judged wrongly is judged anew.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, Protocol

from kfambassador.resources.expiry import count_passed

#: Seconds after which the wall clock is looked at again, whatever it said.
LONGEST_SLEEP: Final = 60.0


class Timer(Protocol):
    """Something that is to happen later."""

    def cancel(self) -> None:
        """Have it not happen."""


#: Has something done after so many seconds.
Later = Callable[[float, Callable[[], None]], Timer]


def read_wall_clock() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


class Alarm:
    """Rings when what was judged at one moment is to be judged anew. Belongs to one event loop's thread.

    Args:
        ring: Called each time.
        wall: The wall clock, in UTC.
        later: Has something done later; by default the running event loop's ``call_later``.
    """

    def __init__(
        self, ring: Callable[[], None], *, wall: Callable[[], datetime] = read_wall_clock, later: Later | None = None
    ) -> None:
        self._ring = ring
        self._wall = wall
        self._later = later
        self._moments: tuple[datetime, ...] = ()
        self._judged = 0
        self._timer: Timer | None = None

    def set(self, moments: Iterable[datetime], judged: datetime) -> None:
        """Ring once other moments have come than had at the one everything was judged at.

        Args:
            moments: When things expire; those that have come already may be among them.
            judged: When that was judged.
        """
        self._moments = tuple(moments)
        self._judged = count_passed(self._moments, judged)
        self._look()

    def cancel(self) -> None:
        """Do not ring any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Look at the wall clock: ring, or sleep until the next moment, and a minute at most."""
        self.cancel()
        if not self._moments:
            return
        now = self._wall()
        if count_passed(self._moments, now) != self._judged:
            # Whoever hears it judges anew, and sets the alarm again.
            self._ring()
            return
        waits = [(at - now).total_seconds() for at in self._moments if at > now]
        later = self._later or asyncio.get_running_loop().call_later
        self._timer = later(min([LONGEST_SLEEP, *waits]), self._look)
