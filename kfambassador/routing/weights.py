"""The shares of mappings that compete for the same requests.

Ambassador has two ways to lose requests here: weights that sum to less than 100 leave a gap that answers 404, and a
weight over 100 stops the prefix altogether. Shares always sum to 100 here, and 0 and 100 are exact.
"""

from collections.abc import Sequence
from fractions import Fraction

WHOLE = 100


def build_shares(weights: Sequence[int | None]) -> tuple[int, ...]:
    """Give each mapping's effective share in percent.

    Mappings without a weight share what the weighted ones leave, equally. Weights that do not fill, or overfill, the
    whole are scaled to it. A mapping alone takes everything, whatever its weight (Ambassador from 2.0 on).

    Args:
        weights: Each from 0 to 100, or None where none was written.

    Example:
        >>> build_shares([10, None]), build_shares([30, 10]), build_shares([None, None, None])
        ((10, 90), (75, 25), (34, 33, 33))
    """
    if len(weights) == 1:
        return (WHOLE,)
    given = sum(weight for weight in weights if weight is not None)
    left = max(0, WHOLE - given)
    without = sum(weight is None for weight in weights)
    parts = [Fraction(left, without) if weight is None else Fraction(weight) for weight in weights]
    if not any(parts):
        parts = [Fraction(1)] * len(parts)
    return _apportion(parts)


def is_rescaled(weights: Sequence[int | None]) -> bool:
    """Tell whether the weights as written were not shares of the whole already."""
    given = sum(weight for weight in weights if weight is not None)
    return len(weights) > 1 and (given > WHOLE or (given < WHOLE and None not in weights))


def _apportion(parts: Sequence[Fraction]) -> tuple[int, ...]:
    """Scale to whole percents that sum to 100: round down, then give what is left to the largest remainders."""
    exact = [part * WHOLE / sum(parts) for part in parts]
    shares = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: (shares[index] - exact[index], index))
    for index in by_remainder[: WHOLE - sum(shares)]:
        shares[index] += 1
    return tuple(shares)
