"""Tables: objects as the rows that kubectl prints. Pure."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from kfambassador.local.kube.documents import Document, metadata_of, name_of
from kfambassador.local.kube.kinds import Column, Kind

_NAME: Final = Column("Name", name_of, description="Name must be unique within a namespace.")
_AGE: Final = Column("Age", lambda item: metadata_of(item).get("creationTimestamp"), type="date")
_UNITS: Final = {"y": 365 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_META: Final = "meta.k8s.io/v1"


def list_columns(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind's table."""
    return kind.whole_table or (
        _NAME,
        *(column for column in kind.columns if not column.priority),
        *(() if any(column.name == "Age" for column in kind.columns) else (_AGE,)),
        *(column for column in kind.columns if column.priority),
    )


def write_table(kind: Kind, documents: Iterable[Document], *, include: str, now: datetime) -> Document:
    """Write objects as a Table.

    Args:
        kind: The kind of all the objects.
        documents: The objects.
        include: What each row carries of its object: ``None``, ``Metadata`` or ``Object``.
        now: The time ages are counted from.
    """
    columns = list_columns(kind)
    rows = [
        {"cells": [_cell(column, document, now) for column in columns], "object": _carry(document, include)}
        for document in documents
    ]
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": {},
        "columnDefinitions": [_define(column) for column in columns],
        "rows": rows if include != "None" else [{"cells": row["cells"]} for row in rows],
    }


def write_partial(document: Document) -> Document:
    """Write an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": metadata_of(document)}


def _carry(document: Document, include: str) -> Document:
    return document if include == "Object" else write_partial(document)


def _define(column: Column) -> Document:
    return {
        "name": column.name,
        "type": "string" if column.type == "date" else column.type,
        "format": "name" if column is _NAME else "",
        "description": column.description,
        "priority": column.priority,
    }


def _cell(column: Column, document: Document, now: datetime) -> object:
    value = column.value(document)
    if column.type == "date":
        return show_age(str(value), now=now) if value else "<unknown>"
    return "" if value is None else value


def show_age(time: str, *, now: datetime) -> str:
    """How long ago a time was, in at most two units, as kubectl shows it.

    Example:
        >>> show_age("2024-01-01T00:00:00Z", now=datetime.fromisoformat("2024-01-01T00:03:05+00:00"))
        '3m5s'
    """
    try:
        seconds = int((now - datetime.fromisoformat(time)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"
    return _duration(max(seconds, 0))


def _duration(seconds: int) -> str:
    unit, second = next((unit, second) for unit, second, until in _STEPS if seconds < until)
    whole, rest = divmod(seconds, _UNITS[unit])
    small = rest // _UNITS[second] if second else 0
    return f"{whole}{unit}" + (f"{small}{second}" if small else "")


# The unit, the smaller one beside it, and until how many seconds they are used: one is enough once it is large.
_STEPS: Final = (
    ("s", "", 120),
    ("m", "s", 600),
    ("m", "", 3 * 3600),
    ("h", "m", 8 * 3600),
    ("h", "", 48 * 3600),
    ("d", "h", 8 * 86400),
    ("d", "", 2 * 365 * 86400),
    ("y", "d", 8 * 365 * 86400),
    ("y", "", math.inf),
)
