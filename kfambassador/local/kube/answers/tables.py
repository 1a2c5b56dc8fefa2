"""Tables: objects as the rows that kubectl prints. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.durations import show_age
from kfambassador.local.kube.kinds.columns import AGE, NAME
from kfambassador.local.kube.kinds.kind import Column, Kind

_META: Final = "meta.k8s.io/v1"


def list_columns(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind's table."""
    return kind.whole_table or (
        NAME,
        *(column for column in kind.columns if not column.priority),
        *(() if AGE in kind.columns else (AGE,)),
        *(column for column in kind.columns if column.priority),
    )


def write_table(kind: Kind, documents: Iterable[Document], *, include: str, now: datetime) -> Document:
    """Write objects as a Table.

    Args:
        kind: The kind of all the objects.
        documents: The objects, as they are stored.
        include: What each row carries of its object: ``None``, ``Metadata`` or ``Object``.
        now: The time ages are counted from.
    """
    columns = list_columns(kind)
    rows = [
        {
            "cells": [_cell(column, document, kind, now) for column in columns],
            "object": _carry(kind.serve(document), include),
        }
        for document in documents
    ]
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": {},
        "columnDefinitions": [_define(column, kind) for column in columns],
        "rows": rows if include != "None" else [{"cells": row["cells"]} for row in rows],
    }


def write_partial(document: Document) -> Document:
    """Write an object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": metadata_of(document)}


def _carry(document: Document, include: str) -> Document:
    return document if include == "Object" else write_partial(document)


def _define(column: Column, kind: Kind) -> Document:
    is_age = column.type == "date" and not kind.is_custom
    return {
        "name": column.name,
        "type": "string" if is_age else column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _cell(column: Column, document: Document, kind: Kind, now: datetime) -> object:
    value = column.value(document)
    if value is None and kind.is_custom:
        return None
    if column.type == "date":
        return show_age(str(value), now=now) if value else "<unknown>"
    return "" if value is None else value
