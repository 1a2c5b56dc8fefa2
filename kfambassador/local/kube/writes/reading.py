"""Reading: lists in pages, each page of one moment."""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Final

from kfambassador.local.kube.documents.selectors import Selector
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.requests.options import ListOptions
from kfambassador.local.kube.store.history import Compacted
from kfambassador.local.kube.store.storage import Key, Record, Store

#: Stands in a token for whatever version there is when it is used.
_PRESENT: Final = -1
#: What a token is written in. It says how far a list has come and nothing of the list: asked for another one, it is as
#: good there, as in a cluster.
_FORM: Final = "meta.k8s.io/v1"
_INCONSISTENT: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


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
        options: How to list them.
    """

    resource: str
    namespace: str
    selector: Selector
    options: ListOptions = field(default_factory=ListOptions)


def list_page(store: Store, query: ListQuery) -> Page:
    """List objects.

    Raises:
        StatusError: When the version asked for is not known yet or no longer, or the token of the page before is too
            old or malformed.
    """
    options = query.options
    if options.version > store.revision:
        raise status.too_large_version(options.version, store.revision)
    version, start = options.version if options.is_exact else store.revision, None
    if options.rest:
        version, start = _read_token(query, options.rest)
    version = store.revision if version == _PRESENT else version
    records = _records(store, query, version, start)
    if start is not None:
        records = [record for record in records if record.key >= start]
    if query.selector:
        records = [record for record in records if query.selector.matches(record.document)]
    if not options.limit or len(records) <= options.limit:
        return Page(tuple(records), version)
    remaining = None if query.selector else len(records) - options.limit
    token = _write_token(query, version, records[options.limit].key)
    return Page(tuple(records[: options.limit]), version, rest=token, remaining=remaining)


def _records(store: Store, query: ListQuery, version: int, start: Key | None) -> list[Record]:
    if version >= store.revision:
        return store.records(query.resource, query.namespace)
    try:
        return store.records_at(query.resource, query.namespace, version=version)
    except Compacted as error:
        if start is None:
            raise status.gone("The resourceVersion for the provided list is too old.") from error
        raise status.gone(_INCONSISTENT, rest=_write_token(query, _PRESENT, start)) from error


def _write_token(query: ListQuery, version: int, start: Key) -> str:
    place = start.name if query.namespace or not start.namespace else f"{start.namespace}/{start.name}"
    token = json.dumps({"v": _FORM, "rv": version, "start": place}, separators=(",", ":"))
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def _read_token(query: ListQuery, token: str) -> tuple[int, Key]:
    try:
        padding = "=" * (-len(token) % 4)
        said = json.loads(base64.b64decode(token + padding, altchars=b"-_", validate=True))
        form, version, place = str(said["v"]), int(said["rv"]), str(said["start"])
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise _bad_token("it is not one that this server gave") from error
    if form != _FORM:
        raise _bad_token(f"server does not recognize this encoded version {form}")
    if not version:
        raise _bad_token(f"incorrect encoded start resourceVersion (version {_FORM})")
    namespace, slash, name = ("", "", place) if query.namespace else place.partition("/")
    return version, Key(query.resource, query.namespace or (namespace if slash else ""), name if slash else place)


def _bad_token(why: str) -> status.StatusError:
    return status.bad_request(f"invalid continue token: continue key is not valid: {why}")
