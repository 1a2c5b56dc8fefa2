"""Queries: what stands behind the question mark, and in the headers that go with it. Pure."""

from collections.abc import Mapping

from kfambassador.local.kube import status, structure
from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.options import DeleteOptions, WriteOptions
from kfambassador.local.kube.schema import STRING, array, open_record, read_schema, record
from kfambassador.local.kube.selectors import BadSelector, Selector, read_selector

_VALIDATIONS = ("Ignore", "Strict", "Warn")
_LONGEST_MANAGER = 128

_DELETE_FIELDS = ("dryRun", "propagationPolicy")
_DELETE_OPTIONS = read_schema(
    open_record(
        preconditions=record(uid=STRING, resourceVersion=STRING),
        propagationPolicy={"type": "string", "enum": ["Background", "Foreground", "Orphan"]},
        dryRun=array(STRING),
    )
)


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a flag, which the Python client writes with a capital."""
    return query.get(name, "").lower() in {"true", "1"}


def read_number(query: Mapping[str, str], name: str) -> int:
    """Read a number that is not negative; 0 when it is not given.

    Raises:
        StatusError: When it is not a number.
    """
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal()):
        raise status.bad_request(f'{name}: Invalid value: "{text}": must be a number and not negative')
    return int(text[:20] or 0)


def read_query_selector(query: Mapping[str, str], *, name: str = "") -> Selector:
    """Read the selectors, and the one object a watch of a name is about.

    Raises:
        StatusError: When a selector is malformed.
    """
    fields = ",".join(filter(None, [query.get("fieldSelector", ""), f"metadata.name={name}" if name else ""]))
    try:
        return read_selector(query.get("labelSelector", ""), fields)
    except BadSelector as error:
        raise status.bad_request(str(error)) from error


def read_write_options(query: Mapping[str, str], user_agent: str) -> WriteOptions:
    """Read how to write.

    Raises:
        StatusError: When an option has a value that does not exist.
    """
    validation = query.get("fieldValidation") or "Warn"
    if validation not in _VALIDATIONS:
        choices = ", ".join(f'"{choice}"' for choice in _VALIDATIONS)
        message = f'fieldValidation: Unsupported value: "{validation}": supported values: {choices}'
        raise status.bad_request(message)
    manager = query.get("fieldManager") or user_agent.partition("/")[0] or "unknown"
    return WriteOptions(
        manager=manager[:_LONGEST_MANAGER],
        dry_run=_read_dry_run(query.get("dryRun", "")),
        force=read_flag(query, "force"),
        validation=validation,
    )


def read_delete_options(query: Mapping[str, str], body: Document) -> DeleteOptions:
    """Read how to delete.

    Raises:
        StatusError: When an option has a value that does not exist.
    """
    pruned = structure.prune(_DELETE_OPTIONS, body, drop_null=True).value
    given = {
        field: [value] if field == "dryRun" else value for field, value in query.items() if field in _DELETE_FIELDS
    }
    options: Document = (pruned if isinstance(pruned, dict) else {}) | given
    if fault := next(structure.check(_DELETE_OPTIONS, options), None):
        raise status.bad_request(f"the options of the delete are invalid: {fault}")
    conditions = options.get("preconditions", {})
    return DeleteOptions(
        uid=conditions.get("uid", ""),
        version=conditions.get("resourceVersion", ""),
        policy=options.get("propagationPolicy", "Background"),
        dry_run=_read_dry_run(",".join(options.get("dryRun", []))),
    )


def _read_dry_run(text: str) -> bool:
    if text not in {"", "All"}:
        raise status.bad_request(f'dryRun: Unsupported value: "{text}": supported values: "All"')
    return text == "All"
