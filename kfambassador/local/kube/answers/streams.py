"""Streams: watches over HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from aiohttp import hdrs, web

from kfambassador.local.kube.answers.views import View, read_view, show, write_event
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents.document import Document, encode
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.registry.routes import Route
from kfambassador.local.kube.requests import queries
from kfambassador.local.kube.requests.bodies import JSON_TYPE, PROTOBUF_TYPE
from kfambassador.local.kube.requests.negotiation import choose_language
from kfambassador.local.kube.schemas.protobuf_writing import write_protobuf_events
from kfambassador.local.kube.store.history import Compacted
from kfambassador.local.kube.store.storage import Change, Record
from kfambassador.local.kube.store.watching import see_change

#: Quiet seconds after which a bookmark is sent.
BEAT: Final = 60.0
_CHANCE: Final = random.SystemRandom()  # a seeded program keeps its own numbers
_LIFE: Final = (1800, 3600)  # seconds of a watch that names no end; spread, so that not all end at once
_INITIAL_END: Final = {"annotations": {"k8s.io/initial-events-end": "true"}}


async def watch(cluster: Cluster, route: Route, request: web.Request) -> web.StreamResponse:
    """Answer with the changes of a collection, or of one object of it, as they happen."""
    stream = _Stream(cluster, route, request)
    accept, has_messages = request.headers.get(hdrs.ACCEPT, ""), route.kind.has_messages
    is_binary = choose_language(accept, is_stream=True, has_messages=has_messages) == PROTOBUF_TYPE
    media = f"{PROTOBUF_TYPE};stream=watch" if is_binary else JSON_TYPE
    write: Callable[[bytes], bytes] = write_protobuf_events if is_binary else bytes
    response = web.StreamResponse(headers={"Content-Type": media})
    response.enable_chunked_encoding()
    begin = await stream.begin()
    await response.prepare(request)
    if begin:
        await response.write(await show(begin.count(b"\n"), write, begin))
    async for lines in stream.follow():
        await response.write(write(lines))
    await response.write_eof()
    return response


class _Stream:
    def __init__(self, cluster: Cluster, route: Route, request: web.Request) -> None:
        query = request.query
        self._cluster = cluster
        self._route = route
        self._view: View = read_view(route.kind, request.headers.get("Accept", ""), query.get("includeObject", ""))
        self._selector = queries.read_query_selector(query, route.kind, name=route.name)
        self._options = queries.read_watch_options(query)
        self._since = self._options.version
        self._seconds = self._options.seconds or _CHANCE.randint(*_LIFE)

    async def begin(self) -> bytes:
        """The present state, where the watch asks for it."""
        if not self._options.begins_with_all:
            self._since = self._since or self._cluster.store.revision
            return b""
        if self._since > self._cluster.store.revision:
            raise status.too_large_version(self._since, self._cluster.store.revision)
        self._since = self._cluster.store.revision
        records = self._cluster.store.records(self._route.kind.stored_resource, self._route.namespace)
        end = self._bookmark(_INITIAL_END) if self._options.marks_end_of_all and self._options.has_bookmarks else b""
        return await show(len(records), self._show_all, records) + end

    def _show_all(self, records: Sequence[Record]) -> bytes:
        return b"".join(
            self._view.show_event("ADDED", record) for record in records if self._selector.matches(record.document)
        )

    async def follow(self) -> AsyncIterator[bytes]:
        """The changes, batch by batch, with bookmarks where it is quiet and at the end."""
        resource, until = self._route.kind.stored_resource, asyncio.get_running_loop().time() + self._seconds
        try:
            async for changes in self._cluster.watchers.follow(resource, self._since, until=until, beat=BEAT):
                lines = self._show(changes)
                if not changes and self._options.has_bookmarks:
                    lines = self._bookmark({})
                if lines:
                    yield lines
        except Compacted as error:
            yield write_event("ERROR", encode(status.too_old(self._since, error.oldest).document()))

    def _show(self, changes: list[Change]) -> bytes:
        seen = (see_change(change, self._route.namespace, self._selector) for change in changes)
        return b"".join(self._view.show_event(*event) for event in seen if event)

    def _bookmark(self, metadata: Document) -> bytes:
        kind, version = self._route.kind, str(self._cluster.store.revision)
        marked: Document = {"resourceVersion": version, "creationTimestamp": None} | metadata
        body: Document = {"kind": kind.name, "apiVersion": kind.api_version, "metadata": marked}
        return write_event("BOOKMARK", encode(body))
