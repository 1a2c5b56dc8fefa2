"""A connection to one Kubernetes API, with objects as plain JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast
from urllib.parse import urlencode

import urllib3

from kfambassador.errors import ApiError, ConfigurationError, Gone, NotFound
from kfambassador.kube.credentials import find_bearer, read_credentials
from kfambassador.kube.entrances import Entrance, TokenEntrance, hide_credentials
from kfambassador.kube.kinds import Kind, find_kind
from kfambassador.kube.objects import (
    Event,
    EventType,
    Listing,
    Manifest,
    read_event,
    read_member,
    read_object,
    read_page,
    split_lines,
)
from kfambassador.kube.refusals import Request, explain_babble, explain_silence, explain_status, read_refusal
from kfambassador.kube.sockets import OpenSockets
from kfambassador.kube.upgrades import Upgraded, make_key, take_over, write_upgrade
from kfambassador.names import DEFAULT_NAMESPACE, FIELD_MANAGER

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

__all__ = ["Event", "EventType", "KubeClient", "Listing", "Manifest"]

_PAGE: Final = 2000
_CONNECT_TIMEOUT: Final = 5.0
_READ_SIZE: Final = 1 << 16


class KubeClient:
    """A connection to one Kubernetes API; a context manager.

    Calls may come from several threads. Every call raises an :class:`~kfambassador.errors.ApiError` when the API
    refuses or does not answer.

    Args:
        entrance: The way into it; use one of the constructors below instead.
        namespace: Where objects live that do not say.
        read_timeout: Seconds without a byte from the server after which a call is given up.

    Attributes:
        server: The address of the API, without credentials.
        default_namespace: Where objects live that do not say.

    Raises:
        ConfigurationError: The address is none.
    """

    def __init__(self, entrance: Entrance, *, namespace: str = DEFAULT_NAMESPACE, read_timeout: float = 30.0) -> None:
        self.server = hide_credentials(entrance.url)
        self.default_namespace = namespace
        self._entrance = entrance
        self._read_timeout = read_timeout
        self._sockets = OpenSockets()
        self._pools = entrance.open()
        try:
            self._connections = self._pools.connection_from_url(entrance.url)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            # In no other words: the address may hold a password.
            message = f"Cannot connect with the address {self.server}: {type(error).__name__}"
            raise ConfigurationError(message) from error
        kept = cast("type[HTTPConnection]", self._connections.ConnectionCls)
        self._connections.ConnectionCls = self._sockets.track(kept)

    @classmethod
    def connect(cls, url: str, *, token: str, authority: str | None = None, read_timeout: float = 30.0) -> Self:
        """Connect to an address with a bearer token, directly: proxy settings of the environment do not count.

        Args:
            url: The address.
            token: The token.
            authority: The certificates of the authorities to trust, in PEM; None trusts those the system trusts.
            read_timeout: Seconds without a byte from the server after which a call is given up.

        Raises:
            ConfigurationError: The address is none.

        Example:
            >>> KubeClient.connect("https://127.0.0.1:6443", token="secret")
            <KubeClient https://127.0.0.1:6443>
        """
        return cls(TokenEntrance(url.rstrip("/"), token, authority), read_timeout=read_timeout)

    @classmethod
    def from_kubeconfig(cls, *, context: str | None = None, path: Path | None = None) -> Self:
        """Connect as a kubeconfig says.

        Args:
            context: The context; None means the file's current one.
            path: The file; None means ``$KUBECONFIG``, or else ``~/.kube/config``.

        Raises:
            ConfigurationError: The file cannot be read, or has no such context.
        """
        from kfambassador.kube.official import enter_by_kubeconfig

        entered = enter_by_kubeconfig(context=context, path=path)
        return cls(entered.entrance, namespace=entered.namespace)

    @classmethod
    def in_cluster(cls) -> Self:
        """Connect as the service account of the pod this runs in.

        Raises:
            ConfigurationError: This is no pod, or it has no service account.
        """
        from kfambassador.kube.official import enter_as_pod

        entered = enter_as_pod()
        return cls(entered.entrance, namespace=entered.namespace)

    def clone(self, *, read_timeout: float) -> "KubeClient":
        """Return a client of the same API with the same credentials and connections of its own."""
        return KubeClient(self._entrance, namespace=self.default_namespace, read_timeout=read_timeout)

    def hurried(self, read_timeout: float) -> Self:
        """Return this very client, connections and all, with less patience.

        Args:
            read_timeout: Seconds after which a call is given up; the client's own where those are fewer.
        """
        hurried = copy(self)
        hurried._read_timeout = min(self._read_timeout, read_timeout)  # noqa: SLF001 - it is one of us
        return hurried

    def list(self, kind: Kind, *, namespace: str | None = None, label_selector: str | None = None) -> Listing:
        """List all objects of a kind, in pages; never a part of them.

        Args:
            kind: What to list.
            namespace: Where; None means in all namespaces.
            label_selector: Only objects with these labels, ``app=mnist,tier!=test``.
        """
        request = Request(self.server, "list", kind, namespace=namespace)
        query = _select(label_selector)
        try:
            return self._list_pages(request, query | {"limit": str(_PAGE)})
        except Gone:
            # The listing expired between two pages; in one piece it cannot.
            return self._list_pages(request, query)

    def watch(
        self,
        kind: Kind,
        *,
        since: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        timeout: float = 300.0,
    ) -> Iterator[Event]:
        """Yield what happens to the objects of a kind, bookmarks included.

        Ends when the server ends it after ``timeout`` seconds, or when the client is closed (from any thread).

        Args:
            kind: What to watch.
            since: The resource version of a listing or of the last event seen.
            namespace: Where; None means in all namespaces.
            label_selector: Only objects with these labels. One that loses them is told of as deleted.
            timeout: Seconds after which the server ends the watch.

        Raises:
            Gone: ``since`` is too old: list again.
        """
        request = Request(self.server, "watch", kind, namespace=namespace)
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since} | _select(label_selector)
        query["timeoutSeconds"] = str(max(1, round(timeout)))
        try:
            yield from self._stream(request, query)
        except ApiError:
            if not self._sockets.are_shut:
                raise

    def get(self, kind: Kind, name: str, *, namespace: str | None = None) -> Manifest:
        """Return one object.

        Args:
            kind: Its kind.
            name: Its name.
            namespace: Where it lives; None means the default namespace.
        """
        return self._call("GET", self._named("get", kind, name, namespace=namespace))

    def create(self, manifest: Manifest) -> Manifest:
        """Create an object and return it as stored.

        Raises:
            Conflict: There is one of that name.
        """
        request = replace(self._written("create", manifest), name=None)
        return self._call("POST", request, query={"fieldManager": FIELD_MANAGER}, body=manifest)

    def replace(self, manifest: Manifest) -> Manifest:
        """Replace an object and return it as stored.

        Raises:
            Conflict: The manifest's ``resourceVersion`` is not the stored one: somebody changed the object meanwhile.
        """
        return self._call(
            "PUT", self._written("update", manifest), query={"fieldManager": FIELD_MANAGER}, body=manifest
        )

    def apply(
        self,
        manifest: Manifest,
        *,
        kind: Kind | None = None,
        manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> Manifest:
        """Create an object or change the fields the manifest names (server-side apply); return it as stored.

        Args:
            manifest: The fields to own.
            kind: Its kind; None means one that :func:`~kfambassador.kube.kinds.find_kind` knows.
            manager: Who is to own them.
            force: Take fields over that somebody else applied, instead of raising.
            dry_run: Only say what would be stored.

        Raises:
            Conflict: Somebody else applied some of the fields with another value.
        """
        query = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        request = self._written("patch", manifest, kind)
        return self._call("PATCH", request, query=query, body=manifest, content_type="application/apply-patch+yaml")

    def patch(self, kind: Kind, name: str, patch: Manifest, *, namespace: str | None = None) -> Manifest:
        """Merge a patch into an object, where None removes a field; return it as stored."""
        return self._call(
            "PATCH",
            self._named("patch", kind, name, namespace=namespace),
            query={"fieldManager": FIELD_MANAGER},
            body=patch,
            content_type="application/merge-patch+json",
        )

    def patch_status(self, kind: Kind, name: str, patch: Manifest, *, namespace: str | None = None) -> Manifest:
        """Merge a patch into the status of an object; return the object as stored.

        Raises:
            Conflict: The patch names a ``resourceVersion``, and the object has changed since.
        """
        request = replace(self._named("patch", kind, name, namespace=namespace), subresource="status")
        query = {"fieldManager": FIELD_MANAGER}
        return self._call("PATCH", request, query=query, body=patch, content_type="application/merge-patch+json")

    def apply_status(self, manifest: Manifest) -> Manifest:
        """Make the status of an object what the manifest says, as far as it says (server-side apply); return it.

        What somebody else applied is taken over; what they alone applied stays.

        Raises:
            Conflict: The manifest names a ``resourceVersion``, and the object has changed since.
        """
        request = replace(self._written("patch", manifest), subresource="status")
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return self._call("PATCH", request, query=query, body=manifest, content_type="application/apply-patch+yaml")

    def delete(self, kind: Kind, name: str, *, namespace: str | None = None) -> bool:
        """Delete an object; return whether it was there."""
        try:
            self._call("DELETE", self._named("delete", kind, name, namespace=namespace))
        except NotFound:
            return False
        return True

    def upgrade(
        self, kind: Kind, name: str, *, subresource: str, query: dict[str, str], protocol: str, namespace: str
    ) -> Upgraded:
        """Open a WebSocket to a part of an object, such as ``pods/NAME/portforward``; the caller closes it."""
        request = replace(self._named("get", kind, name, namespace=namespace), subresource=subresource)
        key = make_key()
        response = self._send("GET", request, query=query, upgrade=write_upgrade(key, protocol=protocol))
        with self._explained(request):
            return take_over(response, key)

    def bearer_token(self) -> str | None:
        """Give the token by which the API knows the caller, renewed when it is old; None when it is a certificate."""
        return find_bearer(read_credentials(self._entrance, server=self.server))

    def close(self) -> None:
        """Close all connections; what other threads are waiting for fails, and their watches end."""
        self._sockets.shut()
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<KubeClient {self.server}>"

    def _named(self, verb: str, kind: Kind, name: str, *, namespace: str | None) -> Request:
        return Request(self.server, verb, kind, namespace=namespace or self.default_namespace, name=name)

    def _written(self, verb: str, manifest: Manifest, kind: Kind | None = None) -> Request:
        metadata = manifest.get("metadata") or {}
        name = str(metadata.get("name") or "")
        return self._named(verb, kind or find_kind(manifest), name, namespace=metadata.get("namespace"))

    def _list_pages(self, request: Request, query: dict[str, str]) -> Listing:
        items: list[Manifest] = []
        # The API leaves out of the items what it says once for the list.
        named = {"apiVersion": request.kind.api_version, "kind": request.kind.kind}
        while True:
            document = self._call("GET", request, query=query)
            with self._explained(request):
                page = read_page(document)
            items += [named | item for item in page.items]
            if not page.next:
                return Listing(tuple(items), page.resource_version)
            query = query | {"continue": page.next}

    def _stream(self, request: Request, query: dict[str, str]) -> Iterator[Event]:
        response = self._send("GET", request, query=query)
        try:
            with self._explained(request):
                for line in split_lines(iter(partial(response.read1, _READ_SIZE), b"")):
                    document = read_object(line)
                    if document.get("type") == "ERROR":
                        raise explain_status(request, read_member(document, "object"))
                    yield read_event(document)
        finally:
            response.close()

    def _call(
        self,
        method: str,
        request: Request,
        *,
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        response = self._send(method, request, query=query, body=body, content_type=content_type)
        with self._explained(request):
            return read_object(response.data)

    def _send(
        self,
        method: str,
        request: Request,
        *,
        query: dict[str, str] | None = None,
        body: Manifest | None = None,
        content_type: str = "application/json",
        upgrade: dict[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": FIELD_MANAGER}
        headers |= upgrade or {}
        text = None if body is None else json.dumps(body).encode()
        with self._explained(request):
            response: urllib3.BaseHTTPResponse = self._pools.urlopen(
                method,
                f"{self._entrance.url}{request.path}?{urlencode(query or {})}",
                body=text,
                headers=headers | read_credentials(self._entrance, server=self.server),
                timeout=urllib3.Timeout(connect=min(_CONNECT_TIMEOUT, self._read_timeout), read=self._read_timeout),
                retries=False,  # nor are redirects followed
                preload_content=False,
            )
            if response.status >= 300:  # noqa: PLR2004 - the HTTP class of success ends here
                raise read_refusal(request, response.status, body=response.data, headers=response.headers)
        return response

    @contextmanager
    def _explained(self, request: Request) -> Iterator[None]:
        try:
            yield
        except urllib3.exceptions.HTTPError as error:
            raise explain_silence(request, error, timeout=self._read_timeout) from error
        except ValueError as error:
            raise explain_babble(request) from error


def _select(label_selector: str | None) -> dict[str, str]:
    return {"labelSelector": label_selector} if label_selector else {}
