"""How long answers took, as Envoy counts it: so many in each bucket. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

_WHOLE: Final = 100.0


class Bucket(NamedTuple):
    """How many answers took about so long.

    Attributes:
        lower: The shortest time, in milliseconds.
        width: How much longer the longest took at most.
        number: How many.
    """

    lower: float
    width: float
    number: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many answers took how long.

    Envoy's buckets are exact to two digits (56 ms is from 56 to 57, 560 ms from 560 to 570), and below 1 ms all is 0.

    Attributes:
        buckets: In order; empty ones are left out.

    Example:
        >>> times = Histogram.of([(0, 0, 90), (50, 1, 10)])
        >>> times.percentile(50), times.percentile(95), times.total
        (0.0, 50.5, 100)
    """

    buckets: tuple[Bucket, ...] = ()

    @classmethod
    def of(cls, buckets: Iterable[tuple[float, float, int]]) -> Self:
        """Put buckets in order, and join those that are the same."""
        counts: Counter[tuple[float, float]] = Counter()
        for lower, width, count in buckets:
            counts[lower, width] += count
        return cls(tuple(Bucket(*place, count) for place, count in sorted(counts.items()) if count > 0))

    @property
    def total(self) -> int:
        """How many answers were counted."""
        return sum(bucket.number for bucket in self.buckets)

    def percentile(self, percent: float) -> float | None:
        """Give the time in milliseconds within which so many percent of the answers came; None when there were none.

        Within a bucket answers are taken to be spread evenly, so it is right to a bucket's width.

        Raises:
            ValueError: It is not from 0 to 100.
        """
        if not 0 <= percent <= _WHOLE:
            raise ValueError(f"a percentile is from 0 to 100, got {percent}")
        rank = self.total * percent / _WHOLE
        before = 0
        for bucket in self.buckets:
            if before + bucket.number >= rank:
                return bucket.lower + bucket.width * (rank - before) / bucket.number
            before += bucket.number
        return None

    def minus(self, earlier: "Histogram") -> "Histogram":
        """What was counted since an earlier reading of the same histogram."""
        return Histogram.of([*self.buckets, *((lower, width, -count) for lower, width, count in earlier.buckets)])
