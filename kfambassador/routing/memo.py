"""Remembering what pure functions answered, by the very objects they read."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Answers of one pure function for as long as each is asked for in every round.

    The key is the identity of the objects read: everything that flows is immutable, so the same object always gives
    the same answer, and comparing identities costs the same however large the objects are. What a round does not ask
    for is forgotten at its end, so the memo never outgrows the present.

    Example:
        >>> memo, text = Memo[str](), "a"
        >>> memo.get((text,), lambda: "built"), memo.get((text,), lambda: "built again")
        ('built', 'built')
    """

    def __init__(self) -> None:
        self._before: dict[tuple[int, ...], tuple[tuple[object, ...], T]] = {}
        self._now: dict[tuple[int, ...], tuple[tuple[object, ...], T]] = {}

    def get(self, read: tuple[object, ...], build: Callable[[], T]) -> T:
        """Give the answer for what is read, building it where it is not remembered.

        Args:
            read: All that the function reads; kept alive as long as the answer, so that no identity is used twice.
            build: Makes the answer.
        """
        key = tuple(map(id, read))
        entry = self._now.get(key)
        if entry is None:
            entry = self._before.get(key)
            if entry is None:
                entry = (read, build())
            self._now[key] = entry
        return entry[1]

    def end_round(self) -> None:
        """Forget what this round did not ask for."""
        self._before, self._now = self._now, {}
