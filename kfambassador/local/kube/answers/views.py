"""Views: objects, lists and events as the caller wants to see them.

Where the caller wants objects whole and in the version they are stored in, which is nearly always, their text is joined
as it stands.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, ParamSpec

from kfambassador.local.kube.answers.tables import write_partial, write_table
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.store.storage import Record

P = ParamSpec("P")
_MANY: Final = 500


async def show(number: int, write: Callable[P, bytes], *arguments: P.args, **named: P.kwargs) -> bytes:
    """Have so many objects shown; many are in a thread, so that others need not wait."""
    if number < _MANY:
        return write(*arguments, **named)
    return await asyncio.to_thread(write, *arguments, **named)


@dataclass(frozen=True, slots=True)
class View:
    """How a caller wants to see objects.

    Attributes:
        kind: The kind, in the version of the request.
        form: ``""`` for whole objects, ``Table`` or ``PartialObjectMetadata``.
        include: What a table's rows carry of their objects.
    """

    kind: Kind
    form: str = ""
    include: str = "Metadata"

    def show_document(self, document: Document) -> bytes:
        """Show an object that is not, or not yet, in the store."""
        if self.form == "Table":
            version = (document.get("metadata") or {}).get("resourceVersion", "")
            return self._show_table([self.kind.store(document)], {"resourceVersion": version})
        if self.form:
            return encode(write_partial(document))
        return encode(document)

    def show(self, record: Record) -> bytes:
        """Show an object of the store."""
        if self.form or record.api_version != self.kind.api_version:
            return self.show_document(self.kind.serve(record.document))
        return record.body

    def show_list(self, records: Sequence[Record], metadata: Document) -> bytes:
        """Show a list."""
        if self.form == "Table":
            return self._show_table([record.document for record in records], metadata)
        name, version = f"{self.kind.name}List", self.kind.api_version
        if self.form:
            name, version = f"{self.form}List", "meta.k8s.io/v1"
        head = encode({"kind": name, "apiVersion": version, "metadata": metadata})
        return b'%b,"items":[%b]}' % (head[:-1], b",".join(self.show(record) for record in records))

    def _show_table(self, stored: Sequence[Document], metadata: Document) -> bytes:
        table = write_table(self.kind, stored, include=self.include, now=datetime.now(UTC))
        return encode(table | {"metadata": metadata})

    def show_event(self, sort: str, record: Record) -> bytes:
        """Show an event of a watch, as a line."""
        return write_event(sort, self.show(record))


def write_event(sort: str, body: bytes) -> bytes:
    """Write an event of a watch, as a line."""
    return b'{"type":"%b","object":%b}\n' % (sort.encode(), body)


def read_view(kind: Kind, accept: str, include: str) -> View:
    """Read how a caller wants to see objects from an Accept header.

    Example:
        >>> from kfambassador.local.kube.registry.builtin import BUILTIN
        >>> read_view(BUILTIN[1], "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "").form
        'Table'
    """
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        asked = dict(part.split("=", 1) for part in parameters if "=" in part)
        if media in {"application/json", "*/*"}:
            form = asked.get("as", "").removesuffix("List")
            return View(kind, form if form in {"Table", "PartialObjectMetadata"} else "", include or "Metadata")
    return View(kind)
