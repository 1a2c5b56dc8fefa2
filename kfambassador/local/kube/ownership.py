"""Ownership: the ``managedFields`` of an object, kept up through updates and server-side apply. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kfambassador.local.kube.documents import Document, metadata_of, with_metadata
from kfambassador.local.kube.fields import (
    Path,
    Paths,
    changed_fields,
    list_fields,
    merge_fields,
    overwritten_fields,
    read_fields,
    remove_fields,
    show_path,
    write_fields,
)
from kfambassador.local.kube.schema import Schema


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns fields: one line of ``managedFields``.

    Attributes:
        manager: The field manager's name.
        operation: ``Apply`` or ``Update``.
        api_version: The version the fields were written in.
        subresource: ``status`` or "".
    """

    manager: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        words = f'"{self.manager}"'
        if self.subresource:
            words += f' with subresource "{self.subresource}"'
        return words + (f" using {self.api_version}" if self.operation == "Update" else "")


class ApplyConflict(Exception):
    """What was applied would change fields that others own.

    Attributes:
        conflicts: Each field with its owner.
    """

    def __init__(self, conflicts: tuple[tuple[Owner, Path], ...]) -> None:
        self.conflicts = conflicts
        super().__init__(conflicts)

    def __str__(self) -> str:
        if len(self.conflicts) == 1:
            owner, path = self.conflicts[0]
            return f"Apply failed with 1 conflict: conflict with {owner}: {show_path(path)}"
        lines: list[str] = []
        for owner in dict.fromkeys(owner for owner, _ in self.conflicts):
            lines.append(f"conflicts with {owner}:")
            lines += [f"- {show_path(path)}" for each, path in self.conflicts if each == owner]
        return f"Apply failed with {len(self.conflicts)} conflicts: " + "\n".join(lines)


def owners_of(document: Document) -> dict[Owner, Paths]:
    """Who owns which fields of an object."""
    return {_owner(entry): read_fields(entry.get("fieldsV1") or {}) for entry in _entries(document)}


def _entries(document: Document) -> list[Document]:
    return list(metadata_of(document).get("managedFields") or ())


def _owner(entry: Document) -> Owner:
    return Owner(entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", ""))


def with_owners(document: Document, owners: Mapping[Owner, Paths], *, before: Document | None, now: str) -> Document:
    """Write the owners into an object; a line that did not change keeps its time.

    Args:
        document: The object as it will be stored.
        owners: Who owns which fields; who owns none is left out.
        before: The object as it was, None for a new one.
        now: The time of this write.
    """
    times = {
        (_owner(entry), read_fields(entry.get("fieldsV1") or {})): entry.get("time", now)
        for entry in (_entries(before) if before else ())
    }
    entries: list[Document] = [
        {
            "manager": owner.manager,
            "operation": owner.operation,
            "apiVersion": owner.api_version,
            "time": times.get((owner, paths), now),
            "fieldsType": "FieldsV1",
            "fieldsV1": write_fields(paths),
        }
        | ({"subresource": owner.subresource} if owner.subresource else {})
        for owner, paths in owners.items()
        if paths
    ]
    entries.sort(key=lambda entry: (entry["operation"], entry["time"], entry["manager"]))
    return with_metadata(document, managedFields=[*entries] or None)


def record_update(schema: Schema, document: Document, *, before: Document | None, owner: Owner, now: str) -> Document:
    """Write down who changed what in a create, replace or patch.

    Args:
        schema: The kind's schema.
        document: The new object.
        before: The object as it was, None for a new one. Who owned what is taken from it, unless the new object says.
        owner: Who writes.
        now: The time of this write.
    """
    old = list_fields(schema, before) if before else {}
    new = list_fields(schema, document)
    changed = changed_fields(old, new)
    held = owners_of(document) or (owners_of(before) if before else {})
    owners = {each: frozenset(path for path in paths - changed if path in new) for each, paths in held.items()}
    owners[owner] = owners.get(owner, frozenset()) | frozenset(
        path for path in held.get(owner, frozenset()) | changed if path in new
    )
    return with_owners(document, owners, before=before, now=now)


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of an apply: the object, and who owns its fields now."""

    document: Document
    owners: Mapping[Owner, Paths]


def apply(schema: Schema, live: Document | None, applied: Document, *, owner: Owner, force: bool) -> Applied:
    """Merge what someone applies into the live object.

    Fields the same owner applied before and left out now are removed, unless someone else owns them too.

    Args:
        schema: The kind's schema.
        live: The object as it is, None when it is new.
        applied: What is applied.
        owner: Who applies.
        force: Whether to take fields over from others.

    Raises:
        ApplyConflict: When fields of others would change and ``force`` is not set.
    """
    wanted = frozenset(list_fields(schema, applied))
    if live is None:
        return Applied(applied, {owner: wanted})
    held = owners_of(live)
    others = {each: paths for each, paths in held.items() if each != owner}
    merged = merge_fields(schema, live, applied)
    keep = wanted.union(*others.values())
    rest = remove_fields(schema, merged, _given_up(held.get(owner, frozenset()), keep=keep), keep=keep)
    document: Document = rest if isinstance(rest, dict) else {}
    overwritten = overwritten_fields(list_fields(schema, live), list_fields(schema, document))
    conflicts = tuple((each, path) for each, paths in others.items() for path in sorted(paths & overwritten))
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    return Applied(document, {each: paths - overwritten for each, paths in others.items()} | {owner: wanted})


def _given_up(paths: Paths, *, keep: Iterable[Path]) -> Paths:
    # A field that holds another one which is kept stays too.
    kept = {path[:length] for path in keep for length in range(1, len(path) + 1)}
    return paths - kept
