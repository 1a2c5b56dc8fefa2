"""Lines of the log: which of Envoy's operators may stand in them.

One operator that Envoy does not know would make it refuse the whole listener, so each is judged before.
"""

import re
from collections.abc import Mapping as Dict
from typing import Final

from pydantic_core import PydanticCustomError

# %NAME%, %NAME(argument)% and %NAME(argument):length%; %% is a percent sign.
_OPERATOR = re.compile(r"%(?P<name>[A-Z][A-Z0-9_]*)(?:\((?P<argument>[^()%]*)\))?(?::(?P<length>[1-9][0-9]{0,4}))?%")
_START_TIME = re.compile(r"%(?P<name>START_TIME)(?:\((?P<argument>[^()]*)\))?(?P<length>)%")
_HEADER = re.compile(r":?[A-Za-z0-9_.-]+(?:\?:?[A-Za-z0-9_.-]+)?\Z")
_TIME = re.compile(r"(?:[\w\s:.,/+-]|%[A-Za-z0-9]+)*\Z")

#: Operators that name a header.
HEADER_OPERATORS: Final = frozenset({"REQ", "RESP", "TRAILER"})

#: Operators by themselves.
PLAIN_OPERATORS: Final = frozenset(
    {
        "BYTES_RECEIVED", "BYTES_SENT", "CONNECTION_ID", "CONNECTION_TERMINATION_DETAILS",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_PORT",
        "DOWNSTREAM_PEER_SUBJECT", "DOWNSTREAM_PEER_URI_SAN", "DOWNSTREAM_REMOTE_ADDRESS",
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_TLS_CIPHER", "DOWNSTREAM_TLS_VERSION", "DURATION",
        "HOSTNAME", "PROTOCOL", "REQUEST_DURATION", "REQUESTED_SERVER_NAME", "REQUEST_TX_DURATION",
        "RESPONSE_CODE", "RESPONSE_CODE_DETAILS", "RESPONSE_DURATION", "RESPONSE_FLAGS", "RESPONSE_TX_DURATION",
        "ROUTE_NAME", "STREAM_ID", "UPSTREAM_CLUSTER", "UPSTREAM_HOST", "UPSTREAM_LOCAL_ADDRESS",
        "UPSTREAM_PROTOCOL", "UPSTREAM_REMOTE_ADDRESS", "UPSTREAM_REQUEST_ATTEMPT_COUNT",
        "UPSTREAM_TRANSPORT_FAILURE_REASON", "VIRTUAL_CLUSTER_NAME",
    }
)  # fmt: skip


def check_format(value: str | Dict[str, str] | None) -> str | Dict[str, str] | None:
    """Refuse what Envoy would refuse; a validator.

    Raises:
        PydanticCustomError: An operator is not known.

    Example:
        >>> check_format("%REQ(:METHOD)% %RESPONSE_CODE% 100%%")
        '%REQ(:METHOD)% %RESPONSE_CODE% 100%%'
    """
    for text in value.values() if isinstance(value, dict) else (value or "",):
        _check(str(text))
    return value


def _check(text: str) -> None:
    place = 0
    while (place := text.find("%", place)) >= 0:
        if text.startswith("%%", place):
            place += 2
            continue
        found = _read_time(text, place) or _OPERATOR.match(text, place)
        if found is None or not _is_known(found):
            shown = text[place : place + 30]
            message = "operators of Envoy's log that are known here, and %% for a percent sign, not {shown}"
            raise PydanticCustomError("log_format", message, {"shown": shown})
        place = found.end()


def _read_time(text: str, place: int) -> re.Match[str] | None:
    """Read START_TIME, whose argument has percent signs of its own."""
    return _START_TIME.match(text, place)


def _is_known(found: re.Match[str]) -> bool:
    name, argument, length = found["name"], found["argument"], found["length"]
    if name == "START_TIME":
        return _TIME.match(argument or "") is not None
    if name in HEADER_OPERATORS:
        return _HEADER.match(argument or "") is not None
    return name in PLAIN_OPERATORS and argument is None and not length
