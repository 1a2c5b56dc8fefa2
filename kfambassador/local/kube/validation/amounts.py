"""Amounts: numbers that may be written in percent, and what a container asks for beside what it may have. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, Json
from kfambassador.local.kube.documents.faults import Fault, FieldFault
from kfambassador.local.kube.schemas.quantities import read_quantity, write_quantity

#: The rule of every number that counts something.
NOT_NEGATIVE: Final = "must be greater than or equal to 0"

_PERCENT: Final = re.compile(r"[0-9]+%")
_PERCENT_RULE: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)
_WHOLE: Final = 4  # characters of 100%


def check_count_or_percent(amount: Json, path: str, *, of_whole: bool = True) -> Iterator[FieldFault]:
    """Find out whether a value is a count or a share.

    Args:
        amount: The value.
        path: Where it stands.
        of_whole: Whether a share may not be more than the whole.

    Example:
        >>> [str(fault) for fault in check_count_or_percent("120%", "spec.minAvailable")]
        ['spec.minAvailable: Invalid value: "120%": must not be greater than 100%']
    """
    if not isinstance(amount, str):
        if isinstance(amount, int) and amount < 0:
            yield FieldFault(Fault.INVALID, path, NOT_NEGATIVE, amount)
    elif not _PERCENT.fullmatch(amount):
        yield FieldFault(Fault.INVALID, path, _PERCENT_RULE, amount)
    elif of_whole and _is_more_than_all(amount):
        yield FieldFault(Fault.INVALID, path, "must not be greater than 100%", amount)


def _is_more_than_all(percent: str) -> bool:
    # Written without what does not count, as a text may be longer than any number that Python reads.
    digits = percent.lstrip("0")
    return len(digits) > _WHOLE or (len(digits) == _WHOLE and digits > "100%")


def check_resources(resources: Document, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with what a container asks for and may have at most."""
    limits: Document = resources.get("limits") or {}
    requests: Document = resources.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if (read := read_quantity(amount)) is not None and read < 0:
                yield FieldFault(Fault.INVALID, f"{path}.{field}[{name}]", NOT_NEGATIVE, amount)
    for name, amount in requests.items():
        asked, most = read_quantity(amount), read_quantity(limits.get(name))
        if asked is None or most is None or asked == most:
            continue
        shared = "/" not in name and not name.startswith("hugepages-")
        if asked > most or not shared:
            rule = "less than or equal to" if shared else "equal to"
            told = f"must be {rule} {name} limit of {write_quantity(limits[name])}"
            yield FieldFault(Fault.INVALID, f"{path}.requests", told, write_quantity(amount))
