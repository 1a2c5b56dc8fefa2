"""Which of many alike lines are worth writing. Told the time; reads no clock."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

#: The same words are written so often in so many seconds.
SAME: Final = (5, 60.0)

#: Lines that differ in nothing but names and numbers are written so often in so many seconds.
ALIKE: Final = (100, 10.0)

#: So many different lines are remembered; beyond that those of long ago are forgotten.
MOST: Final = 2_000


@dataclass(slots=True)
class _Window:
    since: float
    written: int = 0
    left_out: int = 0


class _Bound:
    """Lets something happen so often in so many seconds, each thing by itself."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._windows: dict[Hashable, _Window] = {}
        self._forgotten = 0

    def admit(self, what: Hashable, now: float) -> int | None:
        """Count it; give how many were left out before it, or None when this one is left out."""
        window = self._windows.get(what)
        left_out = 0
        if window is None or now - window.since >= self._seconds:
            # Put at the end: the first is the eldest.
            left_out = self._windows.pop(what, _Window(now)).left_out
            window = self._windows[what] = _Window(now)
            self._forget()
        if window.written >= self._most:
            window.left_out += 1
            return None
        window.written += 1
        return left_out

    def count_left_out(self) -> int:
        """Count those left out of which nothing was told."""
        return self._forgotten + sum(window.left_out for window in self._windows.values())

    def _forget(self) -> None:
        if len(self._windows) > MOST:
            self._forgotten += self._windows.pop(next(iter(self._windows))).left_out


class Repeats:
    """Leaves out what was said often enough, and says later how much that was.

    Example:
        >>> repeats = Repeats()
        >>> [repeats.admit("gone", "Envoy is gone", now=second) for second in (0, 1, 2, 3, 4, 5, 6, 61)]
        [0, 0, 0, 0, 0, None, None, 2]
    """

    def __init__(self) -> None:
        self._same = _Bound(*SAME)
        self._alike = _Bound(*ALIKE)

    def admit(self, kind: Hashable, words: str, *, now: float) -> int | None:
        """Tell whether a line is worth writing.

        Args:
            kind: What it has in common with lines that are alike.
            words: The line.
            now: Seconds that never go back.

        Returns:
            How many like it were left out before; None when it is left out itself.
        """
        same = self._same.admit((kind, words), now)
        if same is None:
            return None
        alike = self._alike.admit(kind, now)
        return None if alike is None else same + alike

    def count_untold(self) -> int:
        """Count the lines left out of which no later line told."""
        return self._same.count_left_out() + self._alike.count_left_out()
