"""Remembering what pure functions answered, by the very objects they read."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """The answers of one pure function, for as long as they are asked for.

    The key is the identity of the objects the function is passed: everything that flows is immutable, so the same
    objects always give the same answer, and comparing identities costs the same however large they are. Answers that a
    round did not ask for are forgotten once they are more than those it did: a memo never outgrows twice the present.

    A function that reads anything besides is not pure, and its memo is told to :meth:`forget` when that has changed.

    Example:
        >>> built = []
        >>> memo = Memo(lambda text: built.append(text) or text.upper())
        >>> text = "a"
        >>> memo(text), memo(text), built
        ('A', 'A', ['a'])
    """

    def __init__(self, function: Callable[..., T]) -> None:
        self._function = function
        # The objects are kept beside the answer: as long as they live, nothing else can have their identity.
        self._answers: dict[int | tuple[int, ...], tuple[tuple[Any, ...], T]] = {}
        self._older: dict[int | tuple[int, ...], tuple[tuple[Any, ...], T]] = {}
        self._asked = 0

    def __call__(self, *read: object) -> T:
        """Give the function's answer for these objects."""
        self._asked += 1
        key = id(read[0]) if len(read) == 1 else tuple(map(id, read))
        entry = self._answers.get(key)
        if entry is None:
            entry = self._older.get(key) or (read, self._function(*read))
            self._answers[key] = entry
        return entry[1]

    def each(self, objects: Iterable[object]) -> list[T]:
        """Give the function's answer for each of the objects: as one call for each would, only quicker."""
        answers, asked = self._answers, self._asked
        found = [entry[1] if (entry := answers.get(id(one))) else self(one) for one in objects]
        self._asked = asked + len(found)
        return found

    def forget(self, is_outdated: Callable[[Any], bool]) -> None:
        """Forget the answers whose first object is one that something beside the key has changed for."""
        for answers in (self._answers, self._older):
            for key in [key for key, (read, _) in answers.items() if is_outdated(read[0])]:
                del answers[key]

    def end_round(self) -> None:
        """Say that everything of the present has been asked for."""
        outgrown = len(self._answers) > 2 * self._asked
        self._older = self._answers if outgrown else {}
        if outgrown:
            # The next round moves what it still asks for back over.
            self._answers = {}
        self._asked = 0
