"""How fast the cluster is written to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and then so many a second.

    Attributes:
        burst: How many may come at once.
        rate: How many more may come each second.
    """

    burst: float
    rate: float


class TokenBucket:
    """Holds ``burst`` tokens at most and gains ``rate`` of them each second; each write takes one.

    Args:
        limit: How fast.
        now: The time, in seconds since any moment; full at this time.

    Example:
        >>> bucket = TokenBucket(Limit(burst=2, rate=0.5), now=0)
        >>> bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(2)
        (0.0, 0.0, 2.0, 0.0)
    """

    def __init__(self, limit: Limit, *, now: float) -> None:
        self._limit = limit
        self._tokens = limit.burst
        self._filled = now

    def take(self, now: float) -> float:
        """Take a token; give 0, or how many seconds to wait until there is one."""
        wait = self.wait(now)
        if wait == 0:
            self._tokens -= 1
        return wait

    def wait(self, now: float) -> float:
        """Give how many seconds to wait until there is a token; 0 when there is one."""
        passed = max(0.0, now - self._filled)
        self._tokens = min(self._limit.burst, self._tokens + passed * self._limit.rate)
        self._filled = now
        # A hair's breadth below a whole token is what rounding leaves of one.
        return 0.0 if self._tokens >= 1 - 1e-9 else (1 - self._tokens) / self._limit.rate
