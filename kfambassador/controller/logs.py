"""What a controller says while it runs: a line each, for programs or for people, without secrets and never too many.

Lines are written by a thread of their own. Whoever reads them may stand still without holding up what is logged about;
lines that find no room then are counted and left out.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import Final, TextIO

from kfambassador.controller.repeats import Repeats
from kfambassador.resources.secrecy import hide_forms, hide_values

#: The levels there are, from the most talkative.
LEVELS: Final = ("debug", "info", "warning", "error")

#: Lines that wait to be written, at most.
MOST_WAITING: Final = 10_000

#: Under this name a line carries its fields, as in ``log.info("...", extra={FIELDS: {"generation": 3}})``.
FIELDS: Final = "fields"

_OURS: Final = "kfambassador"
_NOT_OURS: Final = logging.WARNING


def current_level() -> str:
    """Give the least important level that is written.

    Example:
        >>> with running_logs(level="info", form="text"):
        ...     change_level("debug")
        ...     current_level()
        'debug'
    """
    return logging.getLevelName(logging.getLogger(_OURS).getEffectiveLevel()).lower()


def change_level(level: str) -> None:
    """Write lines of this level and more important ones from now on; of other packages only warnings and errors.

    Args:
        level: One of :data:`LEVELS`.

    Raises:
        ValueError: There is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no level; those are {', '.join(LEVELS)}")
    logging.getLogger(_OURS).setLevel(level.upper())


@contextmanager
def running_logs(*, level: str, form: str, stream: TextIO | None = None) -> Iterator[None]:
    """Write what this process logs, meanwhile; what was logged by then is written at the end.

    Args:
        level: The least important level, one of :data:`LEVELS`.
        form: ``json`` or ``text``.
        stream: Where to; None means standard error.
    """
    writer = logging.StreamHandler(stream or sys.stderr)
    writer.setFormatter(JsonLines() if form == "json" else TextLines())
    waiting: Queue[logging.LogRecord] = Queue(MOST_WAITING)
    handler = _Waiting(waiting)
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = (root.level, ours.level)
    listener = QueueListener(waiting, writer)
    listener.start()
    root.addHandler(handler)
    root.setLevel(_NOT_OURS)
    change_level(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
        handler.tell_left_out()
        _end(listener)


def _end(listener: QueueListener) -> None:
    """Write what still waits, for a second at most: a reader that stands still must not keep the process."""
    stopping = threading.Thread(target=listener.stop, name="kfa-logs-end", daemon=True)
    stopping.start()
    stopping.join(timeout=1.0)


class _Waiting(QueueHandler):
    """Hands lines to the thread that writes them, unless they are too many."""

    def __init__(self, waiting: "Queue[logging.LogRecord]", *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(waiting)
        self._repeats = Repeats()
        self._clock = clock
        self._no_room = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        # Its parts are written by our own formatters, in the other thread; text that may change is made now.
        record.message = record.getMessage()
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        # Called under the handler's lock.
        left_out = self._repeats.admit((record.name, str(record.msg)), record.message, now=self._clock())
        if left_out is None:
            return
        if left_out:
            record.message += f" ({left_out} more like this were left out)"
        if self._no_room:
            record.message += f" ({self._no_room} lines before this found no room and were left out)"
        try:
            self.queue.put_nowait(record)
        except Full:
            self._no_room += 1
        else:
            self._no_room = 0

    def tell_left_out(self) -> None:
        """Say how many lines were left out of which no later line told."""
        count = self._repeats.count_untold() + self._no_room
        if count:
            words = f"{count} lines were left out, because they repeated others or found no room"
            self.emit(logging.LogRecord(__name__, logging.INFO, __file__, 0, words, None, None))


class JsonLines(logging.Formatter):
    """Writes each line as one JSON object: ``time``, ``level``, ``logger``, ``message``, and what the line is about.

    Example:
        >>> record = logging.LogRecord("kfambassador", logging.INFO, "", 0, "Generation %d is made", (7,), None)
        >>> record.fields, record.created = {"generation": 7}, 0.0
        >>> print(JsonLines().format(record)[:63])
        {"time": "1970-01-01T00:00:00.000Z", "level": "info", "logger":
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a line; see :class:`logging.Formatter`."""
        line: dict[str, object] = {
            "time": _tell_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hide_forms(_find_message(record)),
        }
        for name, value in _find_fields(record).items():
            line.setdefault(name, hide_values(value))
        if record.exc_info:
            line["trace"] = hide_forms(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Writes each line for a person: the time, the level, and what there is to say.

    Example:
        >>> record = logging.LogRecord("kfambassador", logging.WARNING, "", 0, "Envoy is gone", None, None)
        >>> record.created = 0.0
        >>> print(TextLines().format(record))
        1970-01-01T00:00:00.000Z warning Envoy is gone
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a line; see :class:`logging.Formatter`."""
        line = f"{_tell_time(record.created)} {record.levelname.lower()} {hide_forms(_find_message(record))}"
        return f"{line}\n{hide_forms(self.formatException(record.exc_info))}" if record.exc_info else line


def _find_message(record: logging.LogRecord) -> str:
    message = getattr(record, "message", None)
    return record.getMessage() if message is None else str(message)


def _find_fields(record: logging.LogRecord) -> Dict[str, object]:
    fields = getattr(record, FIELDS, None)
    return fields if isinstance(fields, dict) else {}


def _tell_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
