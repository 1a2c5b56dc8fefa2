"""The controller's read API: what is served, what is wrong, and how far an object has come."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from kfambassador.errors import NoGateway, RouteFailed
from kfambassador.names import DIAGNOSTICS_PREFIX
from kfambassador.problems import ObjectKey
from kfambassador.sdk.http import Answer, HttpClient
from kfambassador.sdk.views import Explanation, ProblemView, Route, Source, SourceState, View

_LONGEST_WAIT: Final = 30.0
_UNAUTHORIZED: Final = 401

V = TypeVar("V", bound=View)


class _Routes(View, frozen=True):
    routes: tuple[Route, ...]


class _Problems(View, frozen=True):
    problems: tuple[ProblemView, ...]


@dataclass(frozen=True, slots=True)
class ReadApi:
    """The read API of one controller.

    Every call raises :class:`~kfambassador.errors.NoGateway` when it does not answer.

    Attributes:
        url: Its base, without a slash at the end.
        http: The connections to it, with its token.
    """

    url: str
    http: HttpClient

    def routes(self) -> tuple[Route, ...]:
        """All routes, in the order they are evaluated."""
        return self._read("/routes", _Routes).routes

    def problems(self) -> tuple[ProblemView, ...]:
        """Everything that is wrong with anybody's configuration."""
        return self._read("/problems", _Problems).problems

    def explain(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """Which route takes a request, and why the others do not; with ``ask_envoy``, in Envoy's words too."""
        asked = (("method", method), ("url", url), *(("header", f"{name}:{headers[name]}") for name in headers))
        if ask_envoy:
            asked = (*asked, ("ask", "envoy"))
        return self._read("/explain", Explanation, params=asked)

    def source(self, key: ObjectKey, *, resource_version: str = "", wait: float = 0.0) -> Source:
        """How far an object has come.

        Args:
            key: The object.
            resource_version: Answer once this version or a newer one is decided.
            wait: Seconds to wait for that; at most 30 at a time are granted.
        """
        params = (("resource_version", resource_version), ("wait", f"{min(wait, _LONGEST_WAIT):.3f}"))
        return self._read(_path_of(key), Source, params=params, timeout=wait + 10.0)

    def await_absence(self, key: ObjectKey, *, wait: float) -> bool:
        """Wait until nothing that an object configured is served any more.

        Args:
            key: The object.
            wait: Seconds to wait; at most 30 are granted.

        Returns:
            Whether it is so.
        """
        params = (("absent", "true"), ("wait", f"{min(wait, _LONGEST_WAIT):.3f}"))
        source = self._read(_path_of(key), Source, params=params, timeout=wait + 10.0)
        return source.state is SourceState.UNKNOWN

    def why_not_ready(self) -> str:
        """What keeps the whole gateway from serving; "" when nothing does."""
        answer = self._send("/check_ready", (), timeout=10.0)
        return "" if answer.is_success else answer.text

    def _read(self, path: str, kind: type[V], *, params: tuple[tuple[str, str], ...] = (), timeout: float = 30.0) -> V:
        answer = self._send(path, params, timeout=timeout)
        if answer.status == _UNAUTHORIZED:
            raise NoGateway(f"The gateway at {self.url} does not take this token. Was the gateway started anew?")
        if not answer.is_success:
            raise NoGateway(f"The gateway's read API answered {path} with {answer.status}: {answer.text}")
        try:
            return kind.model_validate_json(answer.body)
        except ValidationError as error:
            message = f"What answers at {self.url} is not a gateway's read API: {answer.text!r}"
            raise NoGateway(message) from error

    def _send(self, path: str, params: tuple[tuple[str, str], ...], *, timeout: float) -> Answer:
        try:
            return self.http.send("GET", f"{self.url}{DIAGNOSTICS_PREFIX}{path}", params=params, timeout=timeout)
        except RouteFailed as error:
            raise NoGateway(
                f"The gateway's read API does not answer. {error}. Was the gateway started anew? Then connect() again."
            ) from error


def _path_of(key: ObjectKey) -> str:
    return "/sources/" + "/".join(quote(part, safe="") for part in (key.kind, key.namespace, key.name))
