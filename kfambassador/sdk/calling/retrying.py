"""When a request is asked again: what is safe always, and what only the caller can allow. Sends nothing itself."""

import random
from collections.abc import Mapping as Dict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

#: How often what is safe is asked again when the caller says nothing.
SAFE_RETRIES: Final = 2

#: Statuses that a caller may allow to be asked again (RFC 9110 and RFC 6585: each means "not now").
RETRIED_STATUSES: Final = frozenset({429, 502, 503, 504})

_CHANCE: Final = random.SystemRandom()  # a seeded notebook keeps its own numbers
_UNAVAILABLE: Final = 503
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_MOST_DOUBLINGS: Final = 7  # by then it is the longest

#: Envoy's words when no connection to the service was made, so that it saw nothing of the request (Envoy, "Response
#: flags" UH, UF and UO). After "connection termination" and "reset" it may have seen it.
_NEVER_CONNECTED: Final = (
    "no healthy upstream",
    "reset reason: remote connection failure",
    "reset reason: local connection failure",
    "reset reason: connection timeout",
    "reset reason: overflow",
)


def is_unsent(status: int, text: str) -> bool:
    """Whether an answer says that the service saw nothing of the request, so that asking again repeats nothing.

    Args:
        status: The answer's status.
        text: Its body.

    Example:
        >>> is_unsent(503, "no healthy upstream"), is_unsent(503, "model is loading")
        (True, False)
    """
    return status == _UNAVAILABLE and any(words in text for words in _NEVER_CONNECTED)


def may_ask_again(asked: int, *, retries: int | None, status: int | None, unsent: bool) -> bool:
    """Whether one more request is allowed.

    Args:
        asked: How often it was asked already, 1 or more.
        retries: How often the caller allows to ask again; None not even where it is safe.
        status: The status of the answer, None when there was none.
        unsent: Whether the service saw nothing of the request.

    Example:
        >>> may_ask_again(1, retries=0, status=None, unsent=True), may_ask_again(1, retries=0, status=503, unsent=False)
        (True, False)
    """
    if retries is None:
        return False
    if unsent:
        return asked <= max(retries, SAFE_RETRIES)
    return status in RETRIED_STATUSES and asked <= retries


def find_pause(asked: int, headers: Dict[str, str]) -> float:
    """Seconds to wait before asking again: what the server says, else a growing time of which half is chance.

    Args:
        asked: How often it was asked already, 1 or more.
        headers: The answer's headers, names in lower case.

    Example:
        >>> find_pause(1, {"retry-after": "3"}), 0.05 <= find_pause(1, {}) <= 0.1, 0.1 <= find_pause(2, {}) <= 0.2
        (3.0, True, True)
    """
    said = _read_retry_after(headers.get("retry-after", ""))
    if said is not None:
        return said
    longest: float = min(_FIRST_PAUSE * 2.0 ** min(asked - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE)
    # Many callers who failed at once must not come back at once.
    pause: float = longest * _CHANCE.uniform(0.5, 1.0)
    return pause


def _read_retry_after(text: str) -> float | None:
    """Read seconds or a date (RFC 9110, 10.2.3); None where it is neither."""
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
