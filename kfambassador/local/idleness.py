"""When a gateway that nobody uses may end."""

from collections.abc import Hashable


class Idleness:
    """Tells for how long nobody has used a gateway. Told the time; reads no clock.

    Args:
        limit: Seconds without use after which it is over.
        now: The time; the clock starts here.

    Example:
        >>> idleness = Idleness(limit=60, now=0)
        >>> idleness.note(30, leased=True, activity="1 request")
        >>> idleness.note(80, leased=False, activity="1 request")
        >>> idleness.is_over(80), idleness.is_over(90)
        (False, True)
    """

    def __init__(self, *, limit: float, now: float) -> None:
        self._limit = limit
        self._used = now
        self._activity: Hashable = None

    def note(self, now: float, *, leased: bool, activity: Hashable) -> None:
        """Note what was seen.

        Args:
            now: The time, in seconds.
            leased: Whether a process holds a lease.
            activity: Anything that changes whenever somebody uses the gateway, such as a count of requests.
        """
        if leased or activity != self._activity:
            self._used = now
        self._activity = activity

    def is_over(self, now: float) -> bool:
        """Whether the gateway may end."""
        return now - self._used >= self._limit
