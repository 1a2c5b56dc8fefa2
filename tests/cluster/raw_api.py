"""The Kubernetes API without a client in between: what a request answers, to the letter."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.cluster.servers import Server

Object = dict[str, Any]
#: Files with a caller's certificate and key.
Certificate = tuple[str, str]

#: Selects the ConfigMaps that somebody has made: every namespace has one by itself.
MADE = "metadata.name!=kube-root-ca.crt"

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its object and its headers."""

    code: int
    object: Object
    headers: requests.structures.CaseInsensitiveDict[str]

    @property
    def reason(self) -> str:
        return str(self.object.get("reason"))

    @property
    def message(self) -> str:
        return str(self.object.get("message"))

    @property
    def version(self) -> str:
        return str(self.object["metadata"]["resourceVersion"])


def trust(authority: str) -> ssl.SSLContext:
    """TLS that trusts an authority, given in PEM, and no other."""
    return ssl.create_default_context(cadata=authority)


def connect(server: Server) -> ssl.SSLSocket:
    """A connection to say anything on; the caller closes it."""
    address = urlsplit(server.url)
    raw = socket.create_connection((address.hostname, address.port), timeout=30)
    return trust(server.authority).wrap_socket(raw, server_hostname=address.hostname)


class Trusting(HTTPAdapter):
    """How requests go to a server whose authority is known by its certificate, not by a file."""

    def __init__(self, authority: str, certificate: Certificate | None = None) -> None:
        self._context = trust(authority)
        if certificate:
            self._context.load_cert_chain(*certificate)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **named)

    def cert_verify(self, *_: Any) -> None:
        """Leave the context as it is: requests would add every authority of the web."""


class RawApi:
    """A client that hides nothing."""

    def __init__(self, url: str, token: str, authority: str, certificate: Certificate | None = None) -> None:
        self.url = url
        self.authority = authority
        self._token = token
        self._certificate = certificate
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", Trusting(authority, certificate))
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def again(self) -> "RawApi":
        """The same caller with a connection of its own."""
        return RawApi(self.url, self._token, self.authority, self._certificate)

    def close(self) -> None:
        self._session.close()

    def ask(
        self, method: str, path: str, body: object = None, *, media: str = "", encoding: str = "", **query: Any
    ) -> Answer:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": media or "application/json"} if data is not None else {}
        headers |= {"Content-Encoding": encoding} if encoding else {}
        response = self._session.request(
            method,
            self.url + path,
            data=data,
            headers=headers,
            params={key: str(value) for key, value in query.items()},
        )
        parsed = response.json() if response.content else {}
        return Answer(response.status_code, parsed, response.headers)

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", path, **query)

    def accept(self, path: str, media: str, **query: str) -> Answer:
        response = self._session.get(self.url + path, headers={"Accept": media}, params=query)
        return Answer(response.status_code, response.json(), response.headers)

    def is_ready(self) -> bool:
        return self._session.get(f"{self.url}/readyz").text == "ok"

    def create(self, path: str, body: Object, **query: Any) -> Answer:
        return self.ask("POST", path, body, **query)

    def replace(self, path: str, body: Object, **query: Any) -> Answer:
        return self.ask("PUT", path, body, **query)

    def patch(self, path: str, body: object, media: str = MERGE_PATCH, **query: Any) -> Answer:
        return self.ask("PATCH", path, body, media=media, **query)

    def apply(self, path: str, body: Object, manager: str, **query: Any) -> Answer:
        return self.patch(path, body, APPLY_PATCH, fieldManager=manager, **query)

    def delete(self, path: str, body: Object | None = None, **query: Any) -> Answer:
        return self.ask("DELETE", path, body, **query)

    @contextmanager
    def watch(self, path: str, *, accept: str = "application/json", **query: Any) -> Iterator[Iterator[Object]]:
        """The events of a watch, as they come."""
        params = {"watch": "true", "timeoutSeconds": "20"} | {key: str(value) for key, value in query.items()}
        headers = {"Accept": accept}
        with self._session.get(self.url + path, params=params, headers=headers, stream=True) as response:
            yield (json.loads(line) for line in response.iter_lines(chunk_size=1) if line)


def service(name: str, *, port: int = 80, **metadata: object) -> Object:
    """A Service with one port."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, **metadata},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]},
    }


def config_map(name: str, **metadata: object) -> Object:
    """A ConfigMap with one entry."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"key": "value"}}
