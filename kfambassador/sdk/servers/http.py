"""Any server that speaks HTTP."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from kfambassador.routing.describe import Json
from kfambassador.sdk.servers.base import (
    STREAMED,
    ModelServer,
    Operation,
    Port,
    ServerRoute,
    is_success,
    take_below,
    take_exactly,
    take_prefix,
    take_spellings,
)

_PATH: Final = re.compile(r"^/[^\s?#]*$")
_ASKED: Final = re.compile(r"^(?:([A-Z]+) )?(/[^\s?#]*)$")
#: Operations that only read, when nothing is said.
_READING: Final = frozenset({"metadata", "status", "versions", "ready", "models"})


def _check_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path: write one with a slash before it and without a query, such as /healthz")
    return path


def _check_operation(path: str) -> str:
    if not _ASKED.fullmatch(path):
        raise ValueError(
            f"{path!r} is no path of an operation: write one with a slash before it and without a query, perhaps after "
            "a method, such as /generate or GET /info"
        )
    return path


class HTTPServer(ModelServer, frozen=True):
    """Anything that speaks HTTP: Ray Serve, BentoML, a server of your own.

    Without ``paths`` it is one mapping, and it says what the caller says: ``/NAME/`` is taken off the path and the rest
    is passed on. With them, what they name can be called as operations, POST to ``/NAME`` and ``/NAME/`` is what
    ``predict`` is, and answers that come in pieces are not cut.

    Args:
        paths: What the server can be asked for: an operation's name and the server's path, perhaps with a method.
            Without one an operation that only reads by its name (such as ``metadata``) is a GET, others are a POST.
        only_paths: Publish these and the health path, and nothing else.
        health: What the server answers with success to a GET when it is well; None where any answer will do.
        port: The port it listens on: 8000 of Ray Serve, 3000 of BentoML.

    Example:
        >>> HTTPServer().routes("httpbin", "/httpbin/")[0].attributes
        {'prefix': '/httpbin/', 'timeout_ms': 0, 'idle_timeout_ms': 300000}
        >>> HTTPServer(paths={"predict": "/generate"}, port=3000).operations("/llm/")["predict"].path
        '/llm/generate'
    """

    kind: Literal["http"] = "http"
    paths: Dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Annotated[str, AfterValidator(_check_operation)]
    ] = {}
    only_paths: bool = False
    health: Annotated[str, AfterValidator(_check_path)] | None = None
    port: Port = 80

    @property
    def reserved(self) -> frozenset[str]:
        """Without paths all of it is the caller's to say."""
        return super().reserved if self.paths else frozenset()

    def base(self, name: str) -> str:
        """The public path of a service when nothing is said."""
        return f"/{name}/"

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The one route; or with ``paths`` those that lead to the operations."""
        passing = take_below(name, base, "/", **STREAMED) if self.paths else take_prefix(name, base, **STREAMED)
        routes = (*self._take_operations(name, base),) if self.only_paths else (passing,)
        asked = _read(self.paths["predict"], "predict") if "predict" in self.paths else None
        if asked is None:
            return routes
        method, path = asked
        return (*routes, *take_spellings(f"{name}-call", base, path, method=method, **STREAMED))

    def operations(self, base: str) -> dict[str, Operation]:
        """What it can be asked for: what the caller says."""
        asked = {operation: _read(path, operation) for operation, path in self.paths.items()}
        return {
            operation: Operation(method, _join(base, path), f"{method} {path} of the server", streams=True)
            for operation, (method, path) in asked.items()
        }

    def health_path(self, name: str) -> str | None:  # noqa: ARG002 - it is what the caller says
        """What it answers with success when it is well."""
        return self.health

    def probe_path(self, base: str) -> str:
        """Where it tells its health, or whatever it has at its path."""
        return base if self.health is None else _join(base, self.health)

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong; without a health path any answer proves that it is there."""
        if self.health is None or is_success(status):
            return ""
        return f"the server of {name} answers {status} to GET {self.health}, which says that it is not well"

    def write_request(self, inputs: object, metadata: Json = None) -> object:  # noqa: ARG002 - nothing is known of it
        """What the caller gives, as it is."""
        return inputs

    def read_predictions(self, answer: Json) -> Json:
        """What the server answered."""
        return answer

    def _take_operations(self, name: str, base: str) -> Iterator[ServerRoute]:
        if self.health is not None:
            yield take_exactly(name, _join(base, self.health), self.health, method="GET")
        for operation, written in self.paths.items():
            method, path = _read(written, operation)
            yield take_exactly(f"{name}-{operation}", _join(base, path), path, method=method, **STREAMED)


def _read(written: str, operation: str) -> tuple[str, str]:
    """The method and path of an operation."""
    method, _, path = written.rpartition(" ")
    return method or ("GET" if operation in _READING else "POST"), path


def _join(base: str, path: str) -> str:
    return f"{base}{path.lstrip('/')}"
