"""When to act on a burst of events: at once after a calm, else after a short quiet, never much later than that.

And, whatever happens, not before a rest is over that the last act has earned.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait; in seconds.

    Attributes:
        quiet: In a burst, act once so long has passed without a further event. After a calm of this length the first
            event is acted on at once.
        longest: In a burst that does not end, act after so long all the same, unless it still rests.
        rest: Seconds between two acts for each second that the first took. What takes long would else go on without
            end while changes come, and whoever shares its processor, Envoy's stream above all, would wait for it.
        longest_rest: However long an act took, the next may begin after so long.
    """

    quiet: float = 0.02
    longest: float = 0.2
    rest: float = 1.0
    longest_rest: float = 0.5


class Debounce:
    """Collects events until it is time to act. Told the time; reads no clock.

    Example:
        >>> debounce = Debounce(Pace(quiet=1, longest=5))
        >>> debounce.touch(10.0), debounce.due
        (None, 10.0)
        >>> debounce.settle(10.0), debounce.touch(10.5), debounce.due
        (None, None, 11.5)
    """

    def __init__(self, pace: Pace) -> None:
        self.due: float | None = None
        self._pace = pace
        self._first = 0.0
        self._last = float("-inf")
        self._rested = float("-inf")

    def touch(self, now: float, *, can_wait: bool = False) -> None:
        """Note an event; one that can wait is never acted on at once, and keeps no other from that."""
        if self.due is None:
            self._first = now
        if can_wait:
            self.due = now + self._pace.quiet if self.due is None else self.due
            return
        in_burst = now < self._last + self._pace.quiet
        if in_burst:
            self.due = min(now + self._pace.quiet, self._first + self._pace.longest)
        else:
            self.due = now if self.due is None else min(self.due, now)
        self._last = now

    def pause(self, now: float) -> float:
        """Seconds until it is time to act; 0 or less when it is."""
        return 0.0 if self.due is None else max(self.due, self._rested) - now

    def settle(self, now: float) -> None:
        """Note that everything up to now is acted on."""
        self.due = None
        self._last = max(self._last, now)

    def rest(self, now: float, *, worked: float) -> None:
        """Note that acting has come to an end, after so many seconds."""
        self._rested = now + min(worked * self._pace.rest, self._pace.longest_rest)
