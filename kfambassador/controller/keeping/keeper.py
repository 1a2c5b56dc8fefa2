"""The file that keeps what Envoy last acknowledged: written whole or not at all, and readable by its owner alone."""

import logging
import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kfambassador.controller.keeping.writing import Unusable, read_snapshot, write_snapshot
from kfambassador.controller.observing import Observer
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.errors import ConfigurationError

_log = logging.getLogger(__name__)

#: The file's name in the state directory.
FILE: Final = "last-known-good"

_DRAFT: Final = ".draft"
#: Seconds after which a draft is of a process that is gone.
_OLD: Final = 3600.0
#: A file beyond so many bytes is not ours.
_LARGEST: Final = 1 << 30

# After each write a pause in proportion, so that writing takes one part in twenty of a processor at most.
_SHORTEST_PAUSE: Final = 0.05
_SHARE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier run kept.

    Attributes:
        snapshot: What Envoy had acknowledged.
        written: When it was written, in UTC.
    """

    snapshot: Snapshot
    written: datetime


class Keeper(Observer):
    """Keeps what every Envoy acknowledged, in a thread of its own; the newest goes before all older.

    Args:
        directory: The state directory.
        made_by: What :func:`~kfambassador.controller.keeping.writing.describe_maker` says of the settings.
        clock: Seconds that never go back.

    Attributes:
        fault: Why the newest could not be kept; "" when it was.

    Raises:
        ConfigurationError: Nothing can be written in the directory.
    """

    def __init__(self, directory: Path, made_by: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.fault = ""
        self._file = directory / FILE
        self._made_by = made_by
        self._clock = clock
        self._next: Snapshot | None = None
        self._kept: Snapshot | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kfa-keep", daemon=True)
        _prepare(directory)

    def start(self) -> None:
        """Begin to keep; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what is newest, and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    def note_acknowledged(self, snapshot: Snapshot) -> None:
        """Keep it soon; see :meth:`Observer.note_acknowledged`."""
        self._next = snapshot
        self._wake.set()

    def recall(self) -> Kept | None:
        """Give what an earlier run kept; None when it kept nothing, or nothing that can be served. The log says why."""
        try:
            kept, written = _read(self._file)
            return Kept(read_snapshot(kept, made_by=self._made_by), written)
        except FileNotFoundError:
            return None
        except (Unusable, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            _log.warning("%s is not used: %s", self._file, reason)
            return None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            began = self._clock()
            self._keep()
            self._stopping.wait(max(_SHORTEST_PAUSE, _SHARE * (self._clock() - began)))
        self._keep()

    def _keep(self) -> None:
        snapshot = self._next
        if snapshot is None or (self._kept is not None and snapshot.resources == self._kept.resources):
            return
        try:
            _replace(self._file, write_snapshot(snapshot, made_by=self._made_by))
        except OSError as error:
            self._note(f"{error.strerror or error}")
        else:
            self._kept = snapshot
            self._note("")

    def _note(self, fault: str) -> None:
        if fault and fault != self.fault:
            _log.warning("What Envoy acknowledged cannot be kept in %s: %s", self._file, fault)
        elif self.fault and not fault:
            _log.info("What Envoy acknowledged is kept again, in %s", self._file)
        self.fault = fault


def _prepare(directory: Path) -> None:
    """Make the directory if need be, and find out whether it can be written: better now than when it is needed."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in directory.glob(f"{FILE}*{_DRAFT}"):
            if time.time() - draft.stat().st_mtime > _OLD:
                draft.unlink()
        _make_draft(directory / FILE).unlink()
    except OSError as error:
        raise ConfigurationError(
            f"Nothing can be kept in the state directory {directory}: {error.strerror}. Name another with state_dir."
        ) from error


def _read(file: Path) -> tuple[bytes, datetime]:
    """Read a file that nobody else can have written."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise Unusable("it is not a file of this user's alone")
        if found.st_size > _LARGEST:
            raise Unusable("it is too large")
        return opened.read(), datetime.fromtimestamp(found.st_mtime, UTC)


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, also after the machine fell over."""
    draft = _make_draft(file)
    try:
        with draft.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _make_draft(file: Path) -> Path:
    """Make an empty file beside another, for its owner alone."""
    descriptor, name = tempfile.mkstemp(prefix=f"{file.name}-", suffix=_DRAFT, dir=file.parent)
    os.close(descriptor)
    return Path(name)
