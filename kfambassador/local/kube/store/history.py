"""History: the recent changes of a resource, for watches that continue and lists of an earlier moment."""

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kfambassador.local.kube.store.storage import Change

# Changes that are kept ready to be looked at; nearly every watch is that close behind.
_UNFOLDED: Final = 200


class Compacted(Exception):
    """The changes asked for are older than the history.

    Attributes:
        oldest: The oldest revision from which changes are known.
    """

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        super().__init__(oldest)


class History:
    """The recent changes of one resource, oldest first.

    Args:
        start: Changes after this revision are known.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._changes: list[Change] = []
        self._folded = 0  # so many of the oldest keep their texts only
        self.size = 0  # bytes of all texts

    def append(self, change: "Change") -> None:
        """Add a change."""
        self._changes.append(change)
        self.size += len(change.last.body)
        if len(self._changes) - self._folded > _UNFOLDED:
            old = self._changes[self._folded]
            self._folded += 1
            if old.before:
                old.before.fold()
            if old.after is None:
                old.last.fold()

    def __len__(self) -> int:
        return len(self._changes)

    def forget(self, number: int) -> int:
        """Drop some of the oldest changes; gives the bytes that makes free."""
        freed = sum(len(change.last.body) for change in self._changes[:number])
        self._start = self._changes[number - 1].version
        self._folded = max(self._folded - number, 0)
        self.size -= freed
        del self._changes[:number]
        return freed

    def since(self, version: int) -> list["Change"]:
        """The changes after a version.

        Raises:
            Compacted: When not all of them are known.
        """
        if version < self._start:
            raise Compacted(self._start)
        return self._changes[bisect_right(self._changes, version, key=lambda change: change.version) :]
