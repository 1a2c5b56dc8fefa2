"""Acceptance: which names of a definition are free, and what its status says of that.

Within a group no two definitions share a name. Who comes second keeps what it had, is not served under what is taken,
and its status says so until the name is free.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of, name_of
from kfambassador.local.kube.kinds.kind import DEFINITIONS, Index
from kfambassador.local.kube.registry.definition_rules import read_approval

#: The index of the names that definitions hold.
NAMES: Final = "names of definitions"
#: The names that must be free, each with the reason that a condition gives when it is not.
_CONFLICTS: Final = {
    "plural": "PluralConflict",
    "singular": "SingularConflict",
    "shortNames": "ShortNamesConflict",
    "kind": "KindConflict",
    "listKind": "ListKindConflict",
}
_OF_KINDS: Final = ("kind", "listKind")


def list_names(definition: Document) -> Iterator[str]:
    """The names a definition holds, as :data:`NAMES` files them."""
    accepted = (definition.get("status") or {}).get("acceptedNames") or {}
    for field in _CONFLICTS:
        yield from (_file(definition, field, name) for name in _values(accepted, field))


def _file(definition: Document, field: str, name: str) -> str:
    sort = "kind" if field in _OF_KINDS else "resource"
    return f"{definition['spec']['group']} {sort} {name}"


def _values(names: Document, field: str) -> list[str]:
    value = names.get(field) or []
    return [value] if isinstance(value, str) else value


def is_established(definition: Document) -> bool:
    """Whether what a definition defines is served."""
    return _is_true(definition, "Established")


def is_waiting(definition: Document) -> bool:
    """Whether a definition waits for a name that another one holds."""
    return not _is_true(definition, "NamesAccepted")


def _is_true(definition: Document, sort: str) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == sort and each.get("status") == "True" for each in conditions)


def settle(definition: Document, before: Document | None, index: Index) -> Document:
    """Work out a definition's status.

    Args:
        definition: The definition; its status is the one before, or one that somebody wrote.
        before: The definition as it was, None when it is new.
        index: Knows the names that others hold.
    """
    old: Document = (before or {}).get("status") or {}
    status: Document = (definition.get("status") or {}) if before else {}
    accepted, reason, message = _accept(definition, old.get("acceptedNames") or {}, index)
    was_established = before is not None and is_established(before)
    conditions = [("NamesAccepted", not reason, reason or "NoConflicts", message or "no conflicts found")]
    if was_established or not reason:
        words = "the initial names have been accepted"
        conditions.append(("Established", True, "InitialNamesAccepted", words))
    else:
        conditions.append(("Established", False, "NotAccepted", "not all names are accepted"))
    if (approval := read_approval(definition)).reason:
        sort = "KubernetesAPIApprovalPolicyConformant"
        conditions.append((sort, approval.is_given, approval.reason, approval.message))
    return status | {
        "conditions": _write(conditions, status.get("conditions") or [], definition),
        "acceptedNames": accepted,
        "storedVersions": _list_stored(definition, status, old),
    }


def _accept(definition: Document, accepted: Document, index: Index) -> tuple[Document, str, str]:
    wanted = definition["spec"]["names"]
    own = (DEFINITIONS, "", name_of(definition))
    accepted = {"plural": "", "kind": ""} | {name: value for name, value in accepted.items() if name != "categories"}
    reason = message = ""
    for field, conflict in _CONFLICTS.items():
        taken = [
            name for name in _values(wanted, field) if {*index.find(NAMES, _file(definition, field, name))} - {own}
        ]
        if taken:
            told = [f'"{name}" is already in use' for name in taken]
            reason, message = conflict, told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        elif field in wanted:
            accepted[field] = wanted[field]
        else:
            accepted.pop(field, None)
    return accepted | {field: wanted[field] for field in ("categories",) if field in wanted}, reason, message


def _write(
    conditions: Iterable[tuple[str, bool, str, str]], before: list[Document], definition: Document
) -> list[Document]:
    known = {each.get("type"): each for each in before}
    for sort, is_true, reason, message in conditions:
        said = {"type": sort, "status": str(is_true), "reason": reason, "message": message}
        old = known.get(sort)
        if old and old.get("status") == said["status"]:
            time = old.get("lastTransitionTime")
        elif old:
            time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            time = metadata_of(definition).get("creationTimestamp")
        known[sort] = said | {"lastTransitionTime": time}
    return list(known.values())


def _list_stored(definition: Document, status: Document, old: Document) -> list[str]:
    # Who writes the status says which versions are stored still; any other write adds the one it stores.
    stored: list[str] = status.get("storedVersions") or []
    if status != old:
        return stored
    now_stored = next(version["name"] for version in definition["spec"]["versions"] if version["storage"])
    return list(dict.fromkeys([*stored, now_stored]))
