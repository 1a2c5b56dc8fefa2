"""Views: objects, lists and events as the caller wants to see them. Pure.

Where the caller wants objects whole and in the version they are stored in, which is nearly always, their text is joined
as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kfambassador.local.kube.documents import Document, encode
from kfambassador.local.kube.kinds import Kind
from kfambassador.local.kube.storage import Record
from kfambassador.local.kube.tables import write_partial, write_table


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
            table = write_table(self.kind, [document], include=self.include, now=datetime.now(UTC))
            version = (document.get("metadata") or {}).get("resourceVersion", "")
            return encode(table | {"metadata": {"resourceVersion": version}})
        if self.form:
            return encode(write_partial(document))
        return encode(document)

    def show(self, record: Record) -> bytes:
        """Show an object of the store."""
        document = record.document
        if self.form or document["apiVersion"] != self.kind.api_version:
            return self.show_document(document | {"apiVersion": self.kind.api_version})
        return record.body

    def show_list(self, records: Sequence[Record], metadata: Document) -> bytes:
        """Show a list."""
        if self.form == "Table":
            documents = (record.document for record in records)
            table = write_table(self.kind, documents, include=self.include, now=datetime.now(UTC))
            return encode(table | {"metadata": metadata})
        name, version = f"{self.kind.name}List", self.kind.api_version
        if self.form:
            name, version = f"{self.form}List", "meta.k8s.io/v1"
        head = encode({"kind": name, "apiVersion": version, "metadata": metadata})
        return b'%b,"items":[%b]}' % (head[:-1], b",".join(self.show(record) for record in records))

    def show_event(self, sort: str, record: Record) -> bytes:
        """Show an event of a watch, as a line."""
        return write_event(sort, self.show(record))


def write_event(sort: str, body: bytes) -> bytes:
    """Write an event of a watch, as a line."""
    return b'{"type":"%b","object":%b}\n' % (sort.encode(), body)


def read_view(kind: Kind, accept: str, include: str) -> View:
    """Read how a caller wants to see objects from an Accept header.

    Example:
        >>> from kfambassador.local.kube.builtin import BUILTIN
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
