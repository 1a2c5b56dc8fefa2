"""Queries: what stands behind the question mark, and in the headers that go with it. Pure."""

import re
from collections.abc import Iterator, Mapping

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.selectors import BadSelector, Selector, read_selector
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.field_labels import find_fields
from kfambassador.local.kube.kinds.kind import Kind
from kfambassador.local.kube.requests.options import DeleteOptions, ListOptions, WatchOptions, WriteOptions
from kfambassador.local.kube.schemas import structure
from kfambassador.local.kube.schemas.schema import BOOLEAN, INTEGER, STRING, array, open_record, read_schema, record

_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_MATCHES = ("Exact", "NotOlderThan")
_POLICIES = ("Foreground", "Background", "Orphan", "nil")
_LONGEST_MANAGER = 128

_WHOLE = re.compile(r"-?[0-9]+")
_DIGITS = 20
_GREATEST = 2**63 - 1

_NULLABLE = STRING | {"nullable": True}
_DELETE_OPTIONS = read_schema(
    open_record(
        preconditions=record(uid=_NULLABLE, resourceVersion=_NULLABLE),
        propagationPolicy=STRING,
        orphanDependents=BOOLEAN,
        gracePeriodSeconds=INTEGER,
        dryRun=array(STRING),
    )
)


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a flag: one that is named is set, unless it says ``false`` or ``0``; Python clients write it with a capital.

    Example:
        >>> read_flag({"watch": ""}, "watch"), read_flag({"watch": "False"}, "watch"), read_flag({}, "watch")
        (True, False, False)
    """
    return name in query and query[name].lower() not in {"false", "0"}


def read_number(query: Mapping[str, str], name: str) -> int:
    """Read a whole number; 0 when it is not given.

    Raises:
        StatusError: When it is not a number.
    """
    text = query.get(name, "")
    if text and not _WHOLE.fullmatch(text):
        raise status.bad_request(f'{name}: Invalid value: "{text}": must be a whole number')
    return max(-_GREATEST, min(_GREATEST, int(text[:_DIGITS] or 0)))


def read_version(query: Mapping[str, str]) -> int:
    """Read a ``resourceVersion``; 0 when it is not given.

    Raises:
        StatusError: When it is not a version.
    """
    text = query.get("resourceVersion", "")
    if text and not (text.isascii() and text.isdecimal()):
        raise status.bad_request(f'resourceVersion: Invalid value: "{text}": must be a number and not negative')
    return int(text[:_DIGITS] or 0)


def read_query_selector(query: Mapping[str, str], kind: Kind, *, name: str = "") -> Selector:
    """Read the selectors, and the one object a watch of a name is about.

    Raises:
        StatusError: When a selector is malformed, or names a field that objects of the kind are not selected by.
    """
    fields = ",".join(filter(None, [query.get("fieldSelector", ""), f"metadata.name={name}" if name else ""]))
    try:
        return find_fields(kind, read_selector(query.get("labelSelector", ""), fields))
    except BadSelector as error:
        raise status.bad_request(str(error)) from error


def read_list_options(query: Mapping[str, str]) -> ListOptions:
    """Read how to list.

    Raises:
        StatusError: When an option has a value that does not exist, or contradicts another.
    """
    match, version, rest = (query.get(name, "") for name in ("resourceVersionMatch", "resourceVersion", "continue"))
    faults = list(_check_list(match, version, rest))
    if "sendInitialEvents" in query:
        rule = "sendInitialEvents is forbidden for list"
        faults.append(FieldFault(Fault.FORBIDDEN, "sendInitialEvents", rule))
    if faults:
        raise status.invalid_options("ListOptions", faults)
    if rest and version not in {"", "0"}:
        raise status.bad_request("specifying resource version is not allowed when using continue")
    limit, asked = max(0, read_number(query, "limit")), read_version(query)
    # A page of a version is of just that version, also for those who do not say so.
    is_exact = match == "Exact" or (not match and limit > 0 and asked > 0)
    return ListOptions(version=asked, is_exact=is_exact, limit=limit, rest=rest)


def _check_list(match: str, version: str, rest: str) -> Iterator[FieldFault]:
    if match and not version:
        rule = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        yield FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule)
    if match and rest:
        rule = "resourceVersionMatch is forbidden when continue is provided"
        yield FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule)
    if match not in {"", *_MATCHES}:
        yield unsupported("resourceVersionMatch", match, (*_MATCHES, ""))
    if match == "Exact" and version == "0":
        rule = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        yield FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule)


def read_watch_options(query: Mapping[str, str]) -> WatchOptions:
    """Read how to watch.

    Raises:
        StatusError: When an option has a value that does not exist, or contradicts another.
    """
    match, begins = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    faults: list[FieldFault] = []
    if begins and match != "NotOlderThan":
        rule = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        faults.append(FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule))
    if match and not begins:
        rule = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        faults.append(FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule))
    if match not in {"", "NotOlderThan"}:
        faults.append(unsupported("resourceVersionMatch", match, ("NotOlderThan",)))
    if match and query.get("continue"):
        rule = "resourceVersionMatch is forbidden when continue is provided"
        faults.append(FieldFault(Fault.FORBIDDEN, "resourceVersionMatch", rule))
    if faults:
        raise status.invalid_options("ListOptions", faults)
    return WatchOptions(
        version=read_version(query),
        begins_with_all=read_flag(query, "sendInitialEvents") if begins else read_version(query) == 0,
        marks_end_of_all=read_flag(query, "sendInitialEvents"),
        has_bookmarks=read_flag(query, "allowWatchBookmarks"),
        seconds=max(0, read_number(query, "timeoutSeconds")),
    )


def read_write_options(
    query: Mapping[str, str], user_agent: str, *, sort: str = "CreateOptions", is_apply: bool = False
) -> WriteOptions:
    """Read how to write.

    Args:
        query: What stands behind the question mark.
        user_agent: The header; its program is the field manager where none is named.
        sort: What Kubernetes calls the options: ``CreateOptions``, ``UpdateOptions`` or ``PatchOptions``.
        is_apply: Whether they are those of a server-side apply.

    Raises:
        StatusError: When an option has a value that does not exist, or is missing, or out of place.
    """
    manager, dry_run = query.get("fieldManager", ""), query.get("dryRun", "")
    validation = query.get("fieldValidation", "")
    faults: list[FieldFault] = []
    if is_apply and not manager:
        faults.append(FieldFault(Fault.REQUIRED, "fieldManager", "is required for apply patch"))
    if sort == "PatchOptions" and not is_apply and "force" in query:
        faults.append(FieldFault(Fault.FORBIDDEN, "force", "may not be specified for non-apply patch"))
    faults += check_manager(manager, "fieldManager")
    faults += _check_dry_run([dry_run] if dry_run else [])
    if validation not in _VALIDATIONS:
        faults.append(unsupported("fieldValidation", validation, _VALIDATIONS))
    if faults:
        raise status.invalid_options(sort, faults)
    return WriteOptions(
        manager=manager or user_agent.partition("/")[0][:_LONGEST_MANAGER] or "unknown",
        dry_run=bool(dry_run),
        force=read_flag(query, "force"),
        validation=validation or "Warn",
    )


def check_manager(manager: str, path: str) -> Iterator[FieldFault]:
    """Find what is wrong with the name of a field manager."""
    if len(manager.encode()) > _LONGEST_MANAGER:
        yield FieldFault(Fault.TOO_LONG, path, f"may not be more than {_LONGEST_MANAGER} bytes")
    for place, character in enumerate(manager):
        if not character.isprintable():
            rule = f"invalid character U+{ord(character):04X} (at position {place})"
            yield FieldFault(Fault.INVALID, path, rule, manager)


def read_delete_options(query: Mapping[str, str], body: Document | None) -> DeleteOptions:
    """Read how to delete: from the body, or where there is none from the query.

    Raises:
        StatusError: When an option has a value that does not exist, or two contradict each other.
    """
    given = _read_delete_query(query) if body is None else body
    options: Document = {field: value for field, value in given.items() if value is not None}
    if fault := next(structure.check(_DELETE_OPTIONS, options), None):
        raise status.bad_request(f"the options of the delete cannot be read: {fault}")
    policy, orphans = options.get("propagationPolicy"), options.get("orphanDependents")
    faults: list[FieldFault] = []
    if policy is not None and orphans is not None:
        rule = "orphanDependents and deletionPropagation cannot be both set"
        faults.append(FieldFault(Fault.INVALID, "propagationPolicy", rule, policy))
    if policy is not None and policy not in _POLICIES[:-1]:
        faults.append(unsupported("propagationPolicy", policy, _POLICIES))
    dry_run: list[str] = options.get("dryRun", [])
    if faults := [*faults, *_check_dry_run(dry_run)]:
        raise status.invalid_options("DeleteOptions", faults)
    conditions: Document = options.get("preconditions", {})
    return DeleteOptions(
        uid=conditions.get("uid") or "",
        version=conditions.get("resourceVersion") or "",
        policy=policy or {True: "Orphan", False: "Background", None: ""}[orphans],
        dry_run=bool(dry_run),
    )


def _read_delete_query(query: Mapping[str, str]) -> Document:
    given: Document = {"propagationPolicy": query["propagationPolicy"]} if "propagationPolicy" in query else {}
    if "orphanDependents" in query:
        given["orphanDependents"] = read_flag(query, "orphanDependents")
    return given | ({"dryRun": [query["dryRun"]]} if query.get("dryRun") else {})


def _check_dry_run(values: list[str]) -> list[FieldFault]:
    return [] if set(values) <= {"All"} else [unsupported("dryRun", [*values], ("All",))]
