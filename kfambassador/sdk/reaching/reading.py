"""How the SDK learns what a gateway serves: from its controller's read API, or by compiling the same table itself."""

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from kfambassador.errors import NoGateway, RouteFailed
from kfambassador.names import DIAGNOSTICS_PREFIX
from kfambassador.problems import ObjectKey
from kfambassador.sdk.calling.http import Answer, HttpClient
from kfambassador.sdk.problem_views import ProblemView, Source, SourceState
from kfambassador.sdk.views import Explanation, Generation, Route, View

if TYPE_CHECKING:
    from kfambassador.sdk.traffic.statistics import Statistics

_LONGEST_WAIT: Final = 30.0
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_SOURCES: Final = "/sources/"

V = TypeVar("V", bound=View)


class _Routes(View, frozen=True):
    routes: tuple[Route, ...]


class _Problems(View, frozen=True):
    problems: tuple[ProblemView, ...]


class Reader(Protocol):
    """What tells what a gateway serves, what is wrong, and how far an object has come.

    Every call raises :class:`~kfambassador.errors.NoGateway` when nobody can tell, in words that say why.
    """

    @property
    def is_own(self) -> bool:
        """Whether the table was compiled here, from what the caller may read.

        Nothing is then known of Envoy, and an object whose mappings are all in the table is told as serving.
        """

    @property
    def place(self) -> str:
        """Where the knowledge comes from, in words."""

    def routes(self) -> tuple[Route, ...]:
        """All routes, in the order they are evaluated."""

    def problems(self) -> tuple[ProblemView, ...]:
        """Everything that is wrong with anybody's configuration."""

    def explain(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """Which route takes a request, and why the others do not; with ``ask_envoy``, in Envoy's words too."""

    def find_winner(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """The same without a word of the other routes, which is quicker where there are thousands."""

    def source(self, key: ObjectKey, *, resource_version: str = "", wait: float = 0.0) -> Source:
        """How far an object has come; waits up to ``wait`` seconds until that version or a newer one is decided."""

    def await_absence(self, key: ObjectKey, *, wait: float) -> bool:
        """Wait, at most so many seconds, until nothing is served that an object configured; tell whether it is so."""

    def await_change(self, known: Generation | None = None, *, wait: float) -> Generation:
        """Wait, at most so many seconds, until the table is another than the one known; tell which it is."""

    def why_not_ready(self) -> str:
        """What keeps the whole gateway from serving; "" when nothing does, or nobody can tell."""

    def statistics(self, mappings: Sequence[str] = (), *, used_only: bool = False) -> "Statistics":
        """What Envoy counted for mappings, by namespace/name; for all one may see when none is named.

        With ``used_only``, what had no requests is left out: among thousands that is nearly all of the answer.
        """

    def close(self) -> None:
        """Close what it keeps open."""


@dataclass(frozen=True, slots=True)
class ReadApi:
    """The read API of one controller.

    Every call raises :class:`~kfambassador.errors.NoGateway` when it does not answer.

    Attributes:
        url: Its base, without a slash at the end.
        http: The connections to it, with its token.
        namespace: The namespace to ask about where nothing has routes that the caller may see; "" asks about none.
    """

    url: str
    http: HttpClient
    namespace: str = ""

    @property
    def is_own(self) -> bool:
        """False: the controller tells."""
        return False

    @property
    def place(self) -> str:
        """Its address, in words."""
        return f"the gateway's read API at {self.url}"

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    def greet(self) -> None:
        """Find out whether it answers and takes the token; what the caller may see is another question.

        Raises:
            NoGateway: It does not.
        """
        answer = self._send(
            _path_of(ObjectKey("Service", self.namespace or "default", "kfambassador")), (), timeout=5.0
        )
        if answer.status != _FORBIDDEN:
            self._check(answer, "a greeting")

    def routes(self) -> tuple[Route, ...]:
        """All routes, in the order they are evaluated."""
        return self._read("/routes", _Routes).routes

    def problems(self) -> tuple[ProblemView, ...]:
        """Everything that is wrong with anybody's configuration."""
        return self._read("/problems", _Problems).problems

    def explain(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """Which route takes a request, and why the others do not; with ``ask_envoy``, in Envoy's words too."""
        return self._read("/explain", Explanation, params=_ask(method, url, headers, ask_envoy=ask_envoy))

    def find_winner(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """The same without a word of the other routes, which is quicker where there are thousands."""
        params = (*_ask(method, url, headers, ask_envoy=ask_envoy), ("verdicts", "none"))
        return self._read("/explain", Explanation, params=params)

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

    def await_change(self, known: Generation | None = None, *, wait: float) -> Generation:
        """Wait until the table is another than the one known.

        Args:
            known: What the caller knows; None is answered at once.
            wait: Seconds to wait; at most 30 are granted.
        """
        if known is None:
            return self._read("/generation", Generation)
        params = (
            ("after", str(known.generation)),
            ("served", "" if known.served is None else str(known.served)),
            ("wait", f"{min(wait, _LONGEST_WAIT):.3f}"),
        )
        return self._read("/generation", Generation, params=params, timeout=wait + 10.0)

    def why_not_ready(self) -> str:
        """What keeps the whole gateway from serving; "" when nothing does."""
        answer = self._send("/check_ready", (), timeout=10.0)
        return "" if answer.is_success else answer.text

    def statistics(self, mappings: Sequence[str] = (), *, used_only: bool = False) -> "Statistics":
        """What Envoy counted for mappings, by namespace/name; for all one may see when none is named."""
        from kfambassador.sdk.traffic.statistics import StatisticsView

        params = (*(("mapping", mapping) for mapping in mappings), *((("used", "true"),) if used_only else ()))
        return self._read("/statistics", StatisticsView, params=params).as_statistics()

    def _read(self, path: str, kind: type[V], *, params: tuple[tuple[str, str], ...] = (), timeout: float = 30.0) -> V:
        answer = self._send(path, params, timeout=timeout)
        if answer.status == _FORBIDDEN and self.namespace and not path.startswith(_SOURCES):
            # Whoever has no routes anywhere yet is answered about the namespace they name.
            answer = self._send(path, (*params, ("namespace", self.namespace)), timeout=timeout)
        self._check(answer, path)
        try:
            return kind.model_validate_json(answer.body)
        except ValidationError as error:
            message = f"What answers at {self.url} is not a gateway's read API: {answer.text!r}"
            raise NoGateway(message) from error

    def _check(self, answer: Answer, path: str) -> None:
        if answer.status == _UNAUTHORIZED:
            raise NoGateway(
                f"The gateway at {self.url} does not take this token: {_read_words(answer)}. Was the gateway started "
                "anew? Then connect() again."
            )
        if answer.status == _FORBIDDEN:
            raise NoGateway(f"The gateway's read API at {self.url} does not show you this: {_read_words(answer)}")
        if not answer.is_success:
            raise NoGateway(f"The gateway's read API answered {path} with {answer.status}: {_read_words(answer)}")

    def _send(self, path: str, params: tuple[tuple[str, str], ...], *, timeout: float) -> Answer:
        try:
            return self.http.send("GET", f"{self.url}{DIAGNOSTICS_PREFIX}{path}", params=params, timeout=timeout)
        except RouteFailed as error:
            raise NoGateway(
                f"The gateway's read API does not answer. {error}. Was the gateway started anew? Then connect() again."
            ) from error


def _read_words(answer: Answer) -> str:
    """Give what the read API says is wrong, whole: it ends with what to do. Of anything else a line is enough."""
    try:
        said = answer.json()
    except RouteFailed:
        return answer.text
    words = said.get("error") if isinstance(said, dict) else None
    return words if isinstance(words, str) else answer.text


def _ask(method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool) -> tuple[tuple[str, str], ...]:
    asked = (("method", method), ("url", url), *(("header", f"{name}:{headers[name]}") for name in headers))
    return (*asked, ("ask", "envoy")) if ask_envoy else asked


def _path_of(key: ObjectKey) -> str:
    return _SOURCES + "/".join(quote(part, safe="") for part in (key.kind, key.namespace, key.name))
