"""Until when configuration is served: a moment somebody wrote beside it. This reads it; whoever has a clock decides."""

import json
import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kfambassador.names import EXPIRES_ANNOTATION, EXPOSURE_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL
from kfambassador.problems import Fault, ObjectKey, Severity
from kfambassador.resources.fields import as_object, as_text, as_texts
from kfambassador.resources.validation import show

#: The code of the problem that an object's time is up.
EXPIRED: Final = "expired"

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EXAMPLE: Final = "2026-11-26T12:00:00Z"


class Expiry(NamedTuple):
    """Until when an object's mappings are served.

    Attributes:
        at: The moment, in UTC; None when it cannot be read, and then nothing expires.
        documents: The names of the mappings it is about; None is all that the object carries.
        fault: What is wrong with what was written; None when nothing is.
    """

    at: datetime | None
    documents: frozenset[str] | None = None
    fault: Fault | None = None

    def is_over(self, now: datetime | None) -> bool:
        """Tell whether the moment has come; never where nobody says what time it is."""
        return self.at is not None and now is not None and self.at <= now

    def concerns(self, mapping: str) -> bool:
        """Tell whether it is about the mapping of that name."""
        return self.documents is None or mapping in self.documents


def read_expiry(metadata: Dict[str, object]) -> Expiry | None:
    """Read until when an object is served, from its annotation ``kfambassador/expires-at``.

    Where a model was published on a Service that is not ours, other people's documents may stand beside the
    exposure's; the exposure's note names its own under ``documents``, and the moment is about those only. A moment
    that cannot be read takes nothing away: a typo must not cost a route.

    Args:
        metadata: The object's.

    Returns:
        The moment; None when nothing was written.

    Example:
        >>> read_expiry({"annotations": {"kfambassador/expires-at": "2026-11-26T13:00:00+01:00"}}).at.isoformat()
        '2026-11-26T12:00:00+00:00'
        >>> print(read_expiry({"annotations": {"kfambassador/expires-at": "tomorrow"}}).fault.message)
        expected a moment such as 2026-11-26T12:00:00Z (RFC 3339), got 'tomorrow'; it is served without an end
        >>> read_expiry({}) is None
        True
    """
    annotations = as_object(metadata.get("annotations"))
    written = annotations.get(EXPIRES_ANNOTATION)
    if written is None:
        return None
    at = read_moment(as_text(written).strip())
    if at is None:
        message = f"expected a moment such as {_EXAMPLE} (RFC 3339), got {show(written)}; it is served without an end"
        return Expiry(None, fault=_warn("unreadable-time", message))
    if EXPOSURE_ANNOTATION not in annotations:
        return Expiry(at)
    documents = _read_documents(annotations.get(EXPOSURE_ANNOTATION))
    is_ours = as_object(metadata.get("labels")).get(MANAGED_BY_LABEL) == MANAGED_BY
    if documents is None and not is_ours:
        message = (
            f"the annotation {EXPOSURE_ANNOTATION} does not name under documents which mappings this is about, and "
            "the object may carry others; they are served without an end. Publish again to have them named"
        )
        return Expiry(None, fault=_warn("unclear-expiry", message))
    return Expiry(at, None if is_ours else documents)


def read_moment(text: str) -> datetime | None:
    """Read a moment as RFC 3339 writes it; None when it is none.

    Example:
        >>> read_moment("2026-11-26T12:00:00Z")
        datetime.datetime(2026, 11, 26, 12, 0, tzinfo=datetime.timezone.utc)
        >>> read_moment("2026-11-26") is None, read_moment("2026-02-30T12:00:00Z") is None
        (True, True)
    """
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def tell_expired(at: datetime, key: ObjectKey) -> Fault:
    """Say that an object's time is up, since when, and what to do.

    Example:
        >>> moment = read_moment("2026-11-26T12:00:00Z")
        >>> print(tell_expired(moment, ObjectKey("Service", "default", "m")).message)
        it expired at 2026-11-26T12:00:00Z and is no longer served; write a later time to renew it, or delete Service \
default/m
    """
    message = (
        f"it expired at {write_moment(at)} and is no longer served; write a later time to renew it, or delete {key}"
    )
    return Fault(EXPIRED, message, path=EXPIRES_ANNOTATION)


def write_moment(at: datetime) -> str:
    """Write a moment as :func:`read_moment` takes it, in UTC and whole seconds."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def count_passed(moments: Iterable[datetime], now: datetime) -> int:
    """Count the moments that have come."""
    return sum(at <= now for at in moments)


def _read_documents(note: object) -> frozenset[str] | None:
    """Read which documents of its carrier an exposure owns; None when its note does not say."""
    try:
        named = as_object(json.loads(as_text(note))).get("documents")
    except (ValueError, RecursionError):
        return None
    return frozenset(as_texts(named)) if isinstance(named, list) else None


def _warn(code: str, message: str) -> Fault:
    return Fault(code, message, path=EXPIRES_ANNOTATION, severity=Severity.WARNING)
