"""Durations: spans of time as kubectl shows them, in at most two units. Pure."""

import math
from datetime import datetime
from typing import Final

_UNITS: Final = {"y": 365 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
# The unit, the smaller one beside it, and until how many seconds they are used: one is enough once it is large.
_STEPS: Final = (
    ("s", "", 120),
    ("m", "s", 600),
    ("m", "", 3 * 3600),
    ("h", "m", 8 * 3600),
    ("h", "", 48 * 3600),
    ("d", "h", 8 * 86400),
    ("d", "", 2 * 365 * 86400),
    ("y", "d", 8 * 365 * 86400),
    ("y", "", math.inf),
)


def show_duration(seconds: float) -> str:
    """A span of time.

    Args:
        seconds: How long it is, in seconds; less than none is none.

    Example:
        >>> show_duration(185), show_duration(3 * 86400), show_duration(-1)
        ('3m5s', '3d', '0s')
    """
    whole_seconds = max(int(seconds), 0)
    unit, second = next((unit, second) for unit, second, until in _STEPS if whole_seconds < until)
    whole, rest = divmod(whole_seconds, _UNITS[unit])
    small = rest // _UNITS[second] if second else 0
    return f"{whole}{unit}" + (f"{small}{second}" if small else "")


def show_age(time: str, *, now: datetime) -> str:
    """How long ago a time was.

    Example:
        >>> show_age("2024-01-01T00:00:00Z", now=datetime.fromisoformat("2024-01-01T00:03:05+00:00"))
        '3m5s'
    """
    try:
        return show_duration((now - datetime.fromisoformat(time)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"
