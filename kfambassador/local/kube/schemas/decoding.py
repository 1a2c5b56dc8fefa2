"""Decoding: what a cluster's own types cannot hold is refused, and times are written in one way. Pure.

A cluster reads built-in objects into types of its own and writes them anew: a time that is none is never stored, where
it would break every client that reads it, and all others are of UTC.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from kfambassador.local.kube.documents.document import Json, keep_fields, keep_items
from kfambassador.local.kube.schemas.formats import is_in_range
from kfambassador.local.kube.schemas.places import Place, write_place
from kfambassador.local.kube.schemas.schema import Schema

#: The format of times with microseconds; JSON schemas have no word for it.
MICRO_TIME: Final = "micro-time"
TIME: Final = "date-time"

_USUAL: Final = 40  # the longest time that is worth remembering: many objects are made in one second
_DAY: Final = (("2006", r"\d{4}"), ("-", "-"), ("01", r"\d\d"), ("-", "-"), ("02", r"\d\d"), ("T", "T"))
_CLOCK: Final = (("15", r"\d\d"), (":", ":"), ("04", r"\d\d"), (":", ":"), ("05", r"\d\d"))
_ZONE: Final = (("Z07:00", r"Z|[+-]\d\d:\d\d"),)
#: How times are read, element by element, each with the name that Kubernetes' words have for it.
_LAYOUTS: Final = {
    TIME: (*_DAY, *_CLOCK, ("", r"(?:\.\d+)?"), *_ZONE),
    MICRO_TIME: (*_DAY, *_CLOCK, (".000000", r"\.\d{6}(?!\d)"), *_ZONE),
}


class Undecodable(ValueError):
    """A value that the type of its field cannot hold; the message says which and why."""


def decode(schema: Schema, value: Json, place: Place = None) -> Json:
    """Read a value as its type would be read and written again.

    Args:
        schema: The schema of the value.
        value: The value; where its type is wrong it is left for whoever checks types.
        place: Where it stands.

    Raises:
        Undecodable: When a time is none or a number too large.
    """
    if isinstance(value, dict):
        properties, values = schema.properties, schema.values
        fields = {
            name: child
            if (known := properties.get(name) or values) is None or not known.has_formats
            else decode(known, child, (place, name))
            for name, child in value.items()
        }
        return keep_fields(value, fields)
    if isinstance(value, list):
        items = schema.items
        if items is None:
            return value
        return keep_items(value, [decode(items, item, (place, at)) for at, item in enumerate(value)])
    if isinstance(value, str):
        return read_time(value, schema.format) if schema.format in _LAYOUTS else value
    if schema.format and not is_in_range(value, schema.format):
        field = write_place(place)
        message = f"json: cannot unmarshal number {value} into the field {field} of type {schema.format}"
        raise Undecodable(message)
    return value


def read_time(text: str, form: str) -> str:
    """Read a time and write it as Kubernetes does.

    Args:
        text: The time (RFC 3339).
        form: :data:`TIME` or :data:`MICRO_TIME`.

    Raises:
        Undecodable: When it is none.

    Example:
        >>> read_time("2026-03-01T12:00:00.75+02:00", TIME)
        '2026-03-01T10:00:00Z'
    """
    return _read_usual_time(text, form) if len(text) <= _USUAL else _read_time(text, form)


@lru_cache(maxsize=4096)
def _read_usual_time(text: str, form: str) -> str:
    return _read_time(text, form)


def _read_time(text: str, form: str) -> str:
    layout = "".join(name for name, _ in _LAYOUTS[form])
    position = 0
    for name, pattern in _LAYOUTS[form]:
        match = re.compile(pattern).match(text, position)
        if match is None:
            message = f'parsing time "{text}" as "{layout}": cannot parse "{text[position:]}" as "{name}"'
            raise Undecodable(message)
        position = match.end()
    if position < len(text):
        message = f'parsing time "{text}": extra text: "{text[position:]}"'
        raise Undecodable(message)
    try:
        whole = re.sub(r"\.(\d{1,6})\d*", lambda found: f".{found[1]:0<6}", text)
        read = datetime.fromisoformat(whole).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        message = f'parsing time "{text}": {error}'
        raise Undecodable(message) from error
    return read.isoformat(timespec="microseconds" if form == MICRO_TIME else "seconds") + "Z"
