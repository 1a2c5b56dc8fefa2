"""Ownership: the ``managedFields`` of an object, kept up through updates and server-side apply. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kfambassador.local.kube.documents.document import Document, Json, metadata_of, with_metadata
from kfambassador.local.kube.schemas.fields import (
    Path,
    Paths,
    changed_fields,
    list_fields,
    list_nodes,
    merge_fields,
    overwritten_fields,
    read_fields,
    remove_fields,
    show_path,
    write_fields,
)
from kfambassador.local.kube.schemas.schema import Schema


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
    return Owner(
        entry.get("manager") or "", entry["operation"], entry.get("apiVersion") or "", entry.get("subresource") or ""
    )


def with_owners(document: Document, owners: Mapping[Owner, Paths], *, before: Document | None, now: str) -> Document:
    """Write the owners into an object; a line that did not change keeps its time.

    Args:
        document: The object as it will be stored.
        owners: Who owns which fields; who owns none is left out.
        before: The object as it was, None for a new one.
        now: The time of this write.
    """
    old = {_owner(entry): entry for entry in (_entries(before) if before else ())}
    entries = [_write_line(owner, paths, old.get(owner, {}), now) for owner, paths in owners.items() if paths]
    entries.sort(key=lambda entry: (entry["operation"], entry["time"], entry["manager"]))
    return with_metadata(document, managedFields=[*entries] or None)


def _write_line(owner: Owner, paths: Paths, before: Document, now: str) -> Document:
    fields = write_fields(paths)
    line = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": owner.api_version,
        "time": before.get("time", now) if before.get("fieldsV1") == fields else now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return line | {"subresource": owner.subresource} if owner.subresource else line


class BadOwners(ValueError):
    """Owners that were sent and cannot be read; the message says why."""


def choose_owners(sent: Json, before: Document | None) -> dict[Owner, Paths]:
    """The owners a write begins with: those it sends, where they can be understood, else those there were.

    Args:
        sent: The ``managedFields`` of what was sent. A list with one empty entry forgets all owners.
        before: The object as it was, None for a new one.

    Raises:
        BadOwners: When what was sent is no list of owners.

    Example:
        >>> choose_owners([{}], {"metadata": {"managedFields": [
        ...     {"manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {}}}]}})
        {}
    """
    if sent == [{}]:
        return {}
    held = owners_of(before) if before else {}
    if not sent:
        return held
    if not isinstance(sent, list) or not all(isinstance(entry, dict) and _is_readable(entry) for entry in sent):
        raise BadOwners("metadata.managedFields must be a list of objects with texts and fieldsV1")
    entries: list[Document] = [entry for entry in sent if isinstance(entry, dict)]
    if not all(entry.get("operation") in {"Apply", "Update"} and "fieldsV1" in entry for entry in entries):
        return held
    return {_owner(entry): read_fields(entry.get("fieldsV1") or {}) for entry in entries}


def _is_readable(entry: dict[str, Json]) -> bool:
    texts = (value for name, value in entry.items() if name != "fieldsV1")
    return all(isinstance(value, str | None) for value in texts) and isinstance(entry.get("fieldsV1"), dict | None)


def record_update(
    schema: Schema,
    document: Document,
    *,
    before: Document | None,
    owner: Owner,
    now: str,
    held: Mapping[Owner, Paths] | None = None,
    untouched: Callable[[Path], bool] = lambda _: False,
) -> Document:
    """Write down who changed what in a create, replace or patch.

    Args:
        schema: The kind's schema.
        document: The new object.
        before: The object as it was, None for a new one.
        owner: Who writes.
        now: The time of this write.
        held: Who owned what; unless given it is taken from the object as it was.
        untouched: Whether a field was not written by the owner, though it is new or another one.
    """
    old = list_nodes(schema, before) if before else {}
    new = list_nodes(schema, document)
    changed = frozenset(path for path in changed_fields(old, new) if not untouched(path))
    if held is None:
        held = owners_of(before) if before else {}
    owners = {each: (paths - changed).intersection(new) for each, paths in held.items()}
    owners[owner] = owners.get(owner, frozenset()) | (held.get(owner, frozenset()) | changed).intersection(new)
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
    if not (paths := paths.difference(keep)):
        return paths
    kept = {path[:length] for path in keep for length in range(1, len(path) + 1)}
    return paths - kept
