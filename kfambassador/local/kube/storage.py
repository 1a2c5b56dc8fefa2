"""Storage: every object, its version and the recent changes. SQLite keeps them; memory answers.

It knows nothing of HTTP and nothing of kinds. One thread uses it. A write is in the database before memory shows it,
and an error in the database leaves both as they were.
"""

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from kfambassador.local.kube.documents import Document, encode, with_metadata

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revision (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO revision VALUES (1, 0);
"""

#: Changes kept of each resource for watches that continue; older ones answer 410.
HISTORY: Final = 10_000


class Key(NamedTuple):
    """Where an object is: resource, namespace ("" for none), name."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """An object at one version.

    Attributes:
        key: Where it is.
        version: The revision of the write that made it so.
        document: The object.
        body: The same as JSON text, so that nobody needs to write it twice.
    """

    key: Key
    version: int
    document: Document
    body: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One write.

    Attributes:
        version: Its revision.
        before: The object as it was, None when it is new.
        after: The object as it is, None when it is gone.
        last: The object as the write left it; for a delete its last state, at the revision of the delete.
    """

    version: int
    before: Record | None
    after: Record | None
    last: Record


class StorageFailure(Exception):
    """The database refused a write; nothing was changed. The message says why, in plain words."""


class Compacted(Exception):
    """The changes asked for are older than the history.

    Attributes:
        oldest: The oldest revision from which changes are known.
    """

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        super().__init__(oldest)


@dataclass(slots=True)
class _History:
    start: int  # changes after this revision are known
    changes: list[Change] = field(default_factory=list)

    def append(self, change: Change, limit: int) -> None:
        self.changes.append(change)
        if len(self.changes) > 2 * limit:
            self.start = self.changes[limit - 1].version
            del self.changes[:limit]

    def since(self, version: int) -> list[Change]:
        if version < self.start:
            raise Compacted(self.start)
        return self.changes[bisect_right(self.changes, version, key=lambda change: change.version) :]


#: Files an object under values, so that the objects of a value are found at once.
Indexer: TypeAlias = Callable[[Key, Document], Iterable[str]]


class Store:
    """The objects.

    Args:
        path: The database file, None to keep everything in memory only.
        indexes: Named ways to find objects by a value.
        history: How many changes of each resource are surely kept.

    Raises:
        sqlite3.Error: When the database cannot be opened.
    """

    def __init__(self, path: Path | None, *, indexes: Mapping[str, Indexer], history: int = HISTORY) -> None:
        self._history_limit = history
        self._indexers = indexes
        self._indexes: dict[tuple[str, str], set[Key]] = {}
        self._objects: dict[str, dict[str, dict[str, Record]]] = {}
        self._histories: dict[str, _History] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing that WAL holds; only a power cut may take the last writes.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)
        self.revision = self._load()
        self._oldest = self.revision

    def _load(self) -> int:
        # The last write was a delete, which left its revision behind, or it is the newest object.
        (newest,) = self._database.execute("SELECT value FROM revision").fetchone()
        for resource, namespace, name, version, body in self._database.execute("SELECT * FROM objects"):
            key = Key(resource, namespace, name)
            self._place(Record(key, version, json.loads(body), bytes(body)))
            newest = max(newest, version)
        return int(newest)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have every later change told."""
        self._listeners.append(listener)

    def get(self, key: Key) -> Record | None:
        """The object at a place, None when there is none."""
        return self._objects.get(key.resource, {}).get(key.namespace, {}).get(key.name)

    def resources(self) -> list[str]:
        """The resources of which there ever was an object."""
        return sorted(self._objects)

    def records(self, resource: str, namespace: str = "") -> list[Record]:
        """The objects of a resource, of one namespace or of all, in the order of their keys."""
        spaces = self._objects.get(resource, {})
        chosen = [spaces.get(namespace, {})] if namespace else [spaces[name] for name in sorted(spaces)]
        return [records[name] for records in chosen for name in sorted(records)]

    def records_at(self, resource: str, namespace: str, *, version: int) -> list[Record]:
        """The objects as they were at an earlier version.

        Raises:
            Compacted: When the version is older than the history.
        """
        found = {record.key: record for record in self.records(resource, namespace)}
        for change in reversed(self.changes(resource, version)):
            if change.before is None:
                found.pop(change.last.key, None)
            elif not namespace or change.before.key.namespace == namespace:
                found[change.before.key] = change.before
        return [found[key] for key in sorted(found)]

    def find(self, index: str, value: str) -> set[Key]:
        """The objects filed under a value of an index."""
        return set(self._indexes.get((index, value), ()))

    def changes(self, resource: str, since: int) -> list[Change]:
        """The changes of a resource after a version, oldest first.

        Raises:
            Compacted: When the version is older than the history.
        """
        return self._history(resource).since(since)

    def put(self, key: Key, document: Document) -> Record:
        """Store an object; its ``resourceVersion`` is written into it.

        Raises:
            StorageFailure: When the database refuses; nothing has changed then.
        """
        record = self._record(key, document)
        with self._writing(record.version):
            row = (*key, record.version, record.body)
            self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)
        before = self._place(record)
        self._tell(Change(record.version, before, record, record))
        return record

    def remove(self, key: Key, document: Document) -> Record:
        """Remove an object whose last state is given.

        Raises:
            StorageFailure: When the database refuses; nothing has changed then.
        """
        record = self._record(key, document)
        with self._writing(record.version):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", key)
            self._database.execute("UPDATE revision SET value = ?", (record.version,))
            self._database.execute("COMMIT")
        before = self._objects[key.resource][key.namespace].pop(key.name)
        self._unfile(before)
        self._tell(Change(record.version, before, None, record))
        return record

    def _record(self, key: Key, document: Document) -> Record:
        version = self.revision + 1
        stamped = with_metadata(document, resourceVersion=str(version))
        return Record(key, version, stamped, encode(stamped))

    @contextmanager
    def _writing(self, version: int) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            message = f"the change was not kept, nothing else was lost: {error}. If the disk is full, make room on it"
            raise StorageFailure(message) from error
        self.revision = version

    def _place(self, record: Record) -> Record | None:
        names = self._objects.setdefault(record.key.resource, {}).setdefault(record.key.namespace, {})
        before = names.get(record.key.name)
        if before:
            self._unfile(before)
        names[record.key.name] = record
        for entry in self._entries(record):
            self._indexes.setdefault(entry, set()).add(record.key)
        return before

    def _unfile(self, record: Record) -> None:
        for entry in self._entries(record):
            keys = self._indexes[entry]
            keys.discard(record.key)
            if not keys:
                del self._indexes[entry]

    def _entries(self, record: Record) -> list[tuple[str, str]]:
        return [
            (index, value)
            for index, values in self._indexers.items()
            for value in dict.fromkeys(values(record.key, record.document))
        ]

    def _history(self, resource: str) -> _History:
        return self._histories.setdefault(resource, _History(self._oldest))

    def _tell(self, change: Change) -> None:
        self._history(change.last.key.resource).append(change, self._history_limit)
        for listener in self._listeners:
            listener(change)
