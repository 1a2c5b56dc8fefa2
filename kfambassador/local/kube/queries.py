"""Queries: what stands behind the question mark, and in the headers that go with it. Pure."""

from collections.abc import Mapping

from kfambassador.local.kube import status
from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.options import DeleteOptions, WriteOptions
from kfambassador.local.kube.selectors import BadSelector, Selector, read_selector

_VALIDATIONS = ("Ignore", "Strict", "Warn")
_LONGEST_MANAGER = 128


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
    conditions = body.get("preconditions") or {}
    dry_run = query.get("dryRun") or ",".join(body.get("dryRun") or ())
    return DeleteOptions(
        uid=conditions.get("uid") or "",
        version=conditions.get("resourceVersion") or "",
        policy=query.get("propagationPolicy") or body.get("propagationPolicy") or "Background",
        dry_run=_read_dry_run(dry_run),
    )


def _read_dry_run(text: str) -> bool:
    if text not in {"", "All"}:
        raise status.bad_request(f'dryRun: Unsupported value: "{text}": supported values: "All"')
    return text == "All"
