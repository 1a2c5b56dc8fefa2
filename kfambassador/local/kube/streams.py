"""Streams: watches over HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from kfambassador.local.kube import queries, status
from kfambassador.local.kube.cluster import Cluster
from kfambassador.local.kube.documents import Document, encode
from kfambassador.local.kube.routes import Route
from kfambassador.local.kube.storage import Change, Compacted
from kfambassador.local.kube.views import View, read_view, write_event
from kfambassador.local.kube.watching import see_change

#: Quiet seconds after which a bookmark is sent.
BEAT: Final = 60.0
_LIFE: Final = (1800, 3600)  # seconds of a watch that names no end; spread, so that not all end at once
_INITIAL_END: Final = {"annotations": {"k8s.io/initial-events-end": "true"}}


async def watch(cluster: Cluster, route: Route, request: web.Request) -> web.StreamResponse:
    """Answer with the changes of a collection, or of one object of it, as they happen."""
    stream = _Stream(cluster, route, request)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    begin = stream.begin()
    await response.prepare(request)
    if begin:
        await response.write(begin)
    async for lines in stream.follow():
        await response.write(lines)
    await response.write_eof()
    return response


class _Stream:
    def __init__(self, cluster: Cluster, route: Route, request: web.Request) -> None:
        query = request.query
        self._cluster = cluster
        self._route = route
        self._view: View = read_view(route.kind, request.headers.get("Accept", ""), query.get("includeObject", ""))
        self._selector = queries.read_query_selector(query, name=route.name)
        self._has_bookmarks = queries.read_flag(query, "allowWatchBookmarks")
        self._marks_initial_end = queries.read_flag(query, "sendInitialEvents") and self._has_bookmarks
        self._since = queries.read_number(query, "resourceVersion")
        self._is_from_now = self._since == 0 or queries.read_flag(query, "sendInitialEvents")
        self._seconds = queries.read_number(query, "timeoutSeconds") or random.randint(*_LIFE)  # noqa: S311

    def begin(self) -> bytes:
        """The present state, where the watch asks for it."""
        if not self._is_from_now:
            return b""
        self._since = self._cluster.store.revision
        records = self._cluster.store.records(self._route.kind.resource, self._route.namespace)
        lines = [
            self._view.show_event("ADDED", record) for record in records if self._selector.matches(record.document)
        ]
        if self._marks_initial_end:
            lines.append(self._bookmark(_INITIAL_END))
        return b"".join(lines)

    async def follow(self) -> AsyncIterator[bytes]:
        """The changes, batch by batch, with bookmarks where it is quiet and at the end."""
        resource, until = self._route.kind.resource, asyncio.get_running_loop().time() + self._seconds
        try:
            async for changes in self._cluster.watchers.follow(resource, self._since, until=until, beat=BEAT):
                lines = self._show(changes)
                if not changes and self._has_bookmarks:
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
