"""Scheduling: when a CronJob makes its jobs, written as cron reads it. Pure."""

import re
from typing import Final

_MACROS: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY: Final = "@every "
_DURATION: Final = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS: Final = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
#: The least and the greatest of each field, and what stands for its numbers.
_FIELDS: Final[tuple[tuple[int, int, dict[str, int]], ...]] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_ENDS: Final = 2  # of a range
_DIGITS: Final = 9  # of a number


class BadSchedule(ValueError):
    """A schedule that cannot be read; the message says why."""


def check_schedule(schedule: str) -> None:
    """See that a schedule can be read: five fields, a name such as ``@daily``, or ``@every`` and a duration.

    Raises:
        BadSchedule: When it cannot.

    Example:
        >>> check_schedule("*/5 8-18 * jan-mar,12 mon")
        >>> check_schedule("61 * * * *")
        Traceback (most recent call last):
        kfambassador.local.kube.validation.scheduling.BadSchedule: end of range (61) above maximum (59): 61
    """
    if "TZ" in schedule:
        raise BadSchedule("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    if schedule.startswith("@"):
        span = schedule.removeprefix(_EVERY)
        if schedule not in _MACROS and (span == schedule or not _DURATION.fullmatch(span)):
            message = f"unrecognized descriptor: {schedule}"
            raise BadSchedule(message)
        return
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        message = f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
        raise BadSchedule(message)
    for text, (least, greatest, names) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            _check_range(part, least, greatest, names)


def _check_range(text: str, least: int, greatest: int, names: dict[str, int]) -> None:
    span, *steps = text.split("/")
    ends = span.split("-")
    if len(ends) > _ENDS or len(steps) > 1:
        message = f"too many {'hyphens' if len(ends) > _ENDS else 'slashes'}: {text}"
        raise BadSchedule(message)
    if ends[0] in {"*", "?"}:
        start, end = least, greatest
    else:
        start = _read(ends[0], names)
        # A step without an end goes on to the last there is.
        end = _read(ends[1], names) if len(ends) == _ENDS else greatest if steps else start
    if steps and not _read(steps[0], {}):
        message = f"step of range should be a positive number: {text}"
        raise BadSchedule(message)
    if start < least:
        message = f"beginning of range ({start}) below minimum ({least}): {text}"
    elif end > greatest:
        message = f"end of range ({end}) above maximum ({greatest}): {text}"
    elif start > end:
        message = f"beginning of range ({start}) beyond end of range ({end}): {text}"
    else:
        return
    raise BadSchedule(message)


def _read(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        message = f"failed to parse number: '{text}' is none"
        raise BadSchedule(message)
    return int(text)
