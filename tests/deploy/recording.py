"""What a client asks of a Kubernetes API, written down in the authorizer's words at the moment it is sent."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import urllib3

from kfambassador.kube.entrances import TokenEntrance

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/[^/]+(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Asked(NamedTuple):
    """One request, as an authorizer sees it (Kubernetes, "Authorization", request attributes)."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


def read_request(method: str, url: str) -> Asked:
    """Say what a request asks for."""
    address = urlsplit(url)
    found = _PATH.fullmatch(address.path)
    assert found is not None, address.path
    part = {name: value or "" for name, value in found.groupdict().items()}
    if method == "GET":
        watches = parse_qs(address.query).get("watch") == ["true"]
        verb = "watch" if watches else "get" if part["name"] else "list"
    else:
        verb = _VERBS[method]
    resource = f"{part['resource']}/{part['part']}" if part["part"] else part["resource"]
    return Asked(verb, part["group"], resource, part["namespace"], part["name"])


@dataclass(frozen=True)
class RecordingEntrance(TokenEntrance):
    """A way into an API on which everything that is asked, and every refusal, is written down.

    Attributes:
        asked: What was asked.
        refused: What of that was forbidden.
    """

    asked: list[Asked] = field(default_factory=list)
    refused: list[Asked] = field(default_factory=list)

    def open(self) -> urllib3.PoolManager:
        """Give connections that are written down."""
        return _Recorder(self)


class _Recorder(urllib3.PoolManager):
    def __init__(self, entrance: RecordingEntrance) -> None:
        super().__init__(maxsize=10, ca_cert_data=entrance.authority)
        self._entrance = entrance

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:  # type: ignore[override]
        asked = read_request(method, url)
        self._entrance.asked.append(asked)
        response = super().urlopen(method, url, redirect=redirect, **options)
        if response.status == 403:
            self._entrance.refused.append(asked)
        return response
