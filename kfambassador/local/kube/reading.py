"""Reading: lists in pages, each page of one moment."""

import base64
import binascii
import json
from dataclasses import dataclass

from kfambassador.local.kube import status
from kfambassador.local.kube.selectors import Selector
from kfambassador.local.kube.storage import Compacted, Key, Record, Store


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        records: The objects.
        version: The revision the whole list is of.
        rest: The token that asks for the next page, "" after the last.
        remaining: How many objects follow, None when a selector makes that unknown.
    """

    records: tuple[Record, ...]
    version: int
    rest: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list asks for.

    Attributes:
        resource: The resource.
        namespace: The namespace, "" for all.
        selector: Which of its objects.
        limit: The most objects of a page, 0 for no limit.
        rest: The token of the page before, "" for the first page.
    """

    resource: str
    namespace: str
    selector: Selector
    limit: int = 0
    rest: str = ""


def list_page(store: Store, query: ListQuery) -> Page:
    """List objects.

    Raises:
        StatusError: When the token of the page before is too old or malformed.
    """
    version, start = _read_token(query.rest) if query.rest else (store.revision, None)
    records = _records(store, query, version)
    if start is not None:
        records = [record for record in records if record.key >= start]
    if query.selector:
        records = [record for record in records if query.selector.matches(record.document)]
    if not query.limit or len(records) <= query.limit:
        return Page(tuple(records), version)
    remaining = None if query.selector else len(records) - query.limit
    token = _write_token(version, records[query.limit].key)
    return Page(tuple(records[: query.limit]), version, rest=token, remaining=remaining)


def _records(store: Store, query: ListQuery, version: int) -> list[Record]:
    if version == store.revision:
        return store.records(query.resource, query.namespace)
    try:
        return store.records_at(query.resource, query.namespace, version=version)
    except Compacted as error:
        raise status.gone(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list"
            " without the continue parameter."
        ) from error


def _write_token(version: int, start: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, *start]).encode()).decode()


def _read_token(token: str) -> tuple[int, Key]:
    try:
        version, resource, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return int(version), Key(str(resource), str(namespace), str(name))
    except (binascii.Error, ValueError, TypeError) as error:
        raise status.bad_request("continue key is not valid: it is not one that this server gave") from error
