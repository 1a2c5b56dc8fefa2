"""Quantities: amounts such as ``500m`` or ``2Gi``, in the one form in which Kubernetes writes each. Pure."""

import re
from decimal import ROUND_UP, Decimal
from typing import Final

from kfambassador.local.kube.documents.document import Json

_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100}))([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,9})?"
)
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIXES: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_FINEST: Final = -9
_COARSEST: Final = 18
_GREATEST: Final = 2**63 - 1  # what is larger is cut, as in Kubernetes
_FAR: Final = 40  # a power of ten beyond what any quantity can be


def is_quantity(value: Json) -> bool:
    """Whether a value can be read as a quantity.

    Example:
        >>> is_quantity("500m"), is_quantity(0.5), is_quantity("2 GiB"), is_quantity(True)
        (True, True, False, False)
    """
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and _QUANTITY.fullmatch(value) is not None)


def write_quantity(value: Json) -> Json:
    """A quantity in its one form; what is none stays as it is.

    Example:
        >>> [write_quantity(value) for value in (0.5, "1000m", "1024Mi", "1.5Gi", "1e3", 2)]
        ['500m', '1', '1Gi', '1536Mi', '1e3', '2']
    """
    read = _read(value)
    if read is None:
        return value
    number, suffix = read
    return (
        _write_binary(number) if suffix in _BINARY[1:] else _write_decimal(number, is_exponent=suffix not in _DECIMAL)
    )


def read_quantity(value: Json) -> Decimal | None:
    """The number a quantity stands for, None for what is none.

    Example:
        >>> read_quantity("1500m"), read_quantity("2Ki"), read_quantity("a lot")
        (Decimal('1.500'), Decimal('2048'), None)
    """
    read = _read(value)
    return read[0] if read else None


def _read(value: Json) -> tuple[Decimal, str] | None:
    match = _QUANTITY.fullmatch(str(value)) if is_quantity(value) else None
    if match is None:
        return None
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY[1:]:
        return number * 1024 ** _BINARY.index(suffix), suffix
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    return number.scaleb(max(min(exponent, _FAR), -_FAR)), suffix


def _cut(number: Decimal) -> Decimal:
    # In billionths, away from nothing: a little of something is never nothing.
    fine = min(max(number, Decimal(-_GREATEST)), Decimal(_GREATEST)).scaleb(-_FINEST)
    return fine.quantize(Decimal(1), rounding=ROUND_UP)


def _write_binary(number: Decimal) -> str:
    whole = int(number)
    if number != whole or abs(whole) < 1024 or abs(whole) > _GREATEST:  # noqa: PLR2004 - the least with a suffix
        return _write_decimal(number, is_exponent=False)
    power = 0
    while whole % 1024 == 0 and power + 1 < len(_BINARY):
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _write_decimal(number: Decimal, *, is_exponent: bool) -> str:
    fine, exponent = int(_cut(number)), _FINEST
    if not fine:
        return "0"
    while fine % 1000 == 0 and exponent < _COARSEST:
        fine, exponent = fine // 1000, exponent + 3
    if not is_exponent:
        return f"{fine}{_SUFFIXES[exponent]}"
    return f"{fine}e{exponent}" if exponent else str(fine)
