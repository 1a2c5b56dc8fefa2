"""Formats: what a text or number of a schema stands for, as ``date-time`` or ``int32``. Pure.

A format that is not known here says nothing, as in Kubernetes. Texts are read with patterns whose time grows with the
text's length only, since anybody may send any text.
"""

import base64
import binascii
import ipaddress
import math
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from kfambassador.local.kube.documents.document import Json
from kfambassador.local.kube.schemas.patterns import matches

_USUAL: Final = 40  # the longest text that is worth remembering: many objects are made in one second
_LIMITS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_LARGEST: Final = {"float": 3.4028234663852886e38, "double": math.inf}
_TIME: Final = r"^(?i)([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$"
_UNITS: Final = "ns|us|µs|μs|ms|s|m|h"  # the micro sign and the Greek letter
_WORDS: Final = "ns|nano|us|µs|micro|ms|milli|s|sec|second|m|min|minute|h|hr|hour|d|day|w|wk|week"


def has_format(value: Json, name: str) -> bool:
    """Whether a text is what a format says; whatever is no text, and a format that is not known, is let be.

    Example:
        >>> has_format("2024-02-30", "date"), has_format("::1", "ipv6"), has_format("anything", "my-own")
        (False, True, True)
    """
    if not isinstance(value, str) or name not in _TEXTS:
        return True
    return _has_usual(value, name) if len(value) <= _USUAL else _TEXTS[name](value)


@lru_cache(maxsize=4096)
def _has_usual(text: str, name: str) -> bool:
    return _TEXTS[name](text)


def is_in_range(value: Json, name: str) -> bool:
    """Whether a number is one of those that a format can write; what is no number is let be.

    Example:
        >>> is_in_range(2**31, "int32"), is_in_range(2**31, "int64")
        (False, True)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    if name in _LIMITS:
        least, most = _LIMITS[name]
        return least <= value <= most
    return abs(value) <= _LARGEST.get(name, math.inf)


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda text: matches(pattern, text)


def _by(read: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            read(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return fits


def _is_date(text: str) -> bool:
    return matches(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text) and _by(date.fromisoformat)(text)


def _is_date_time(text: str) -> bool:
    day, _, time = text.replace("t", "T").partition("T")
    return _is_date(day) and matches(_TIME, time)


def _is_base64(text: str) -> bool:
    return _by(lambda text: base64.b64decode(text, validate=True))(text)


def _is_cidr(text: str) -> bool:
    return "/" in text and _by(ipaddress.ip_interface)(text) and matches("/[0-9]+$", text)


def _has_check_digit(text: str) -> bool:
    # The sum of a card's digits, every second one doubled, is a multiple of ten.
    digits = [int(digit) for digit in reversed(text) if "0" <= digit <= "9"]
    doubled = [digit if place % 2 == 0 else (2 * digit) // 10 + (2 * digit) % 10 for place, digit in enumerate(digits)]
    return matches(r"^[0-9][0-9 -]{11,22}$", text) and sum(doubled) % 10 == 0


def _is_isbn(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    if matches("^[0-9]{9}[0-9X]$", digits):
        values = [10 if digit == "X" else int(digit) for digit in digits]
        return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0
    return (
        matches("^[0-9]{13}$", digits) and sum((1, 3)[place % 2] * int(d) for place, d in enumerate(digits)) % 10 == 0
    )


_LABEL: Final = r"[\pL\pS0-9]([\pL\pS0-9-]{0,61}[\pL\pS0-9])?"
_TEXTS: Final[dict[str, Callable[[str], bool]]] = {
    "date": _is_date,
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "duration": _like(rf"^([+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)({_UNITS}))+)|[0-9]+ *({_WORDS})s?)$"),
    "ipv4": _by(ipaddress.IPv4Address),
    "ipv6": _by(ipaddress.IPv6Address),
    "cidr": _is_cidr,
    "mac": _like(r"^(?i)[0-9a-f]{2}([:-])([0-9a-f]{2}[:-]){4,18}[0-9a-f]{2}$|^(?i)([0-9a-f]{4}\.){2,9}[0-9a-f]{4}$"),
    "hostname": _like(rf"^{_LABEL}(\.{_LABEL})*$"),
    "email": _like(r"^([^<>@\r\n]*<)?[^\s@<>]+@[^\s@<>]+>?$"),
    "uri": _like(r"^(?i)([a-z][a-z0-9+.-]*:|/)[^\s\x00-\x1f\x7f]*$"),
    "uuid": _like(r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    "uuid3": _like(r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$"),
    "uuid4": _like(r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    "uuid5": _like(r"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"),
    "byte": _is_base64,
    "bsonobjectid": _like(r"^(?i)[0-9a-f]{24}$"),
    "hexcolor": _like(r"^(?i)#?([0-9a-f]{3}|[0-9a-f]{6})$"),
    "rgbcolor": _like(r"^rgb\(( *(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2}) *,){2} *(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2}) *\)$"),
    "ssn": _like(r"^[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}$"),
    "creditcard": _has_check_digit,
    "isbn": _is_isbn,
    "isbn10": lambda text: _is_isbn(text) and len(text.replace("-", "").replace(" ", "")) == 10,  # noqa: PLR2004
    "isbn13": lambda text: _is_isbn(text) and len(text.replace("-", "").replace(" ", "")) == 13,  # noqa: PLR2004
}
