"""Storage: every object, its version and the recent changes. SQLite keeps them; memory answers.

It knows nothing of HTTP and nothing of kinds. One thread changes it, which is its home; another one may look at it
while nobody changes it, and has its own changes made there (:meth:`Store.visited`). A write is in the database before
memory shows it, and an error in the database leaves both as they were.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from kfambassador.local.kube.documents.document import Document, encode, with_metadata
from kfambassador.local.kube.store.history import History

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revision (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO revision VALUES (1, 0);
"""

#: Changes kept of each resource for watches that continue; older ones answer 410.
HISTORY: Final = 10_000
#: The most bytes that the changes of all resources may take together; beyond it the longest history is halved.
HISTORY_BYTES: Final = 64 * 1024 * 1024
_SLICE: Final = 0.005  # seconds that the steps of a visitor take at once


class Key(NamedTuple):
    """Where an object is: resource, namespace ("" for none), name."""

    resource: str
    namespace: str
    name: str


class Record:
    """An object at one version. Two are equal when they are the same object at the same version.

    Args:
        key: Where it is.
        version: The revision of the write that made it so.
        document: The object.
        body: The same as JSON text, so that nobody needs to write it twice.
    """

    __slots__ = ("_document", "api_version", "body", "key", "version")

    def __init__(self, key: Key, version: int, document: Document, body: bytes) -> None:
        self.key = key
        self.version = version
        self.body = body
        self.api_version: str = document.get("apiVersion", "")
        self._document: Document | None = document

    @property
    def document(self) -> Document:
        """The object."""
        document = self._document  # read once: a list is shown in a thread of its own
        return document if document is not None else json.loads(self.body)

    def fold(self) -> None:
        """Keep the text only, which takes a fraction of the memory; the object is read from it when it is asked for."""
        self._document = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and (self.key, self.body) == (other.key, other.body)

    def __hash__(self) -> int:
        return hash((self.key, self.version))

    def __repr__(self) -> str:
        return f"Record({self.key}, version={self.version})"  # what an object holds may be secret


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


#: Files an object under values, so that the objects of a value are found at once.
Indexer: TypeAlias = Callable[[Key, Document], Iterable[str]]
#: Has something done in another thread, and comes back once it is done.
Errand: TypeAlias = Callable[[Callable[[], None]], None]


class Store:
    """The objects.

    Args:
        path: The database file, None to keep everything in memory only.
        indexes: Named ways to find objects by a value.
        history: How many changes of each resource are kept, unless they are large.
        history_bytes: The most bytes that the changes of all resources may take.

    Raises:
        sqlite3.Error: When the database cannot be opened.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        indexes: Mapping[str, Indexer],
        history: int = HISTORY,
        history_bytes: int = HISTORY_BYTES,
    ) -> None:
        self._history_limit = history
        self._history_bytes = history_bytes
        self._indexers = indexes
        self._indexes: dict[tuple[str, str], set[Key]] = {}
        self._objects: dict[str, dict[str, dict[str, Record]]] = {}
        self._histories: dict[str, History] = {}
        self._history_size = 0  # bytes of all of them
        self._listeners: list[Callable[[Change], None]] = []
        self._visitor: tuple[int, Errand] | None = None  # the thread, and how it has something done at home
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

    def check(self) -> None:
        """See that the database answers.

        Raises:
            StorageFailure: When it does not.
        """
        try:
            self._database.execute("SELECT value FROM revision").fetchone()
        except sqlite3.Error as error:
            raise StorageFailure(f"the database does not answer: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have every later change told."""
        self._listeners.append(listener)

    @contextmanager
    def visited(self, errand: Errand) -> Iterator[None]:
        """Let the present thread use the store, though it is not at home there.

        Nobody else may change the store meanwhile: what this thread sees stays as it is but for its own changes.

        Args:
            errand: Has a change made, with all that listeners make of it, where the store is at home.
        """
        self._visitor = (threading.get_ident(), errand)
        try:
            yield
        finally:
            self._visitor = None

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

    def is_empty(self, resource: str, namespace: str = "") -> bool:
        """Whether there is no object of a resource, in one namespace or in any."""
        spaces = self._objects.get(resource, {})
        return not spaces.get(namespace) if namespace else not any(spaces.values())

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
        self._at_home(lambda: self._put(record))
        return record

    def remove(self, key: Key, document: Document) -> Record:
        """Remove an object whose last state is given.

        Raises:
            StorageFailure: When the database refuses; nothing has changed then.
        """
        record = self._record(key, document)
        self._at_home(lambda: self._remove(record))
        return record

    def do(self, steps: Iterator[None]) -> None:
        """Make many changes step by step, for a visitor a few at a time: others are heard in between."""
        is_done = False

        def do_some() -> None:
            nonlocal is_done
            end = time.monotonic() + _SLICE
            for _ in steps:
                if time.monotonic() > end:
                    return
            is_done = True

        while not is_done:
            self._at_home(do_some)

    def _at_home(self, change: Callable[[], None]) -> None:
        if self._visitor and self._visitor[0] == threading.get_ident():
            self._visitor[1](change)
        else:
            change()

    def _put(self, record: Record) -> None:
        with self._writing(record.version):
            row = (*record.key, record.version, record.body)
            self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)
        before = self._place(record)
        self._tell(Change(record.version, before, record, record))

    def _remove(self, record: Record) -> None:
        key = record.key
        with self._writing(record.version):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", key)
            self._database.execute("UPDATE revision SET value = ?", (record.version,))
            self._database.execute("COMMIT")
        before = self._objects[key.resource][key.namespace].pop(key.name)
        self._unfile(before)
        self._tell(Change(record.version, before, None, record))

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

    def _history(self, resource: str) -> History:
        if (history := self._histories.get(resource)) is None:
            history = self._histories[resource] = History(self._oldest)
        return history

    def _tell(self, change: Change) -> None:
        history = self._history(change.last.key.resource)
        history.append(change)
        self._history_size += len(change.last.body)
        if len(history) > 2 * self._history_limit:
            self._history_size -= history.forget(self._history_limit)
        if self._history_size > self._history_bytes:
            longest = max(self._histories.values(), key=lambda each: each.size)
            self._history_size -= longest.forget((len(longest) + 1) // 2)
        for listener in self._listeners:
            listener(change)
