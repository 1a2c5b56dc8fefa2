"""The routing table compiled here, by the gateway's own pure code, from what the caller may read.

What takes the place of a read API that cannot be reached. It knows what the gateway should serve, never what it serves.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from datetime import UTC, datetime
from threading import Event, Lock
from typing import TYPE_CHECKING, Final
from zlib import crc32

from kfambassador.errors import Forbidden, NoGateway, NotFound
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import FOLLOWED, SECRET, Kind
from kfambassador.kube.reflector import Listed
from kfambassador.kube.store import Store
from kfambassador.problems import ObjectKey, Origin, Problem, Severity, has_errors
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import Compiler
from kfambassador.routing.describe import describe_explanation, describe_problem, describe_route, name_mapping
from kfambassador.routing.explain import Explanation as Fate
from kfambassador.routing.explain import explain, find_winner
from kfambassador.routing.model import Compiled, RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.problem_views import ProblemView, Source, SourceState
from kfambassador.sdk.views import Explanation, Generation, Route

if TYPE_CHECKING:
    from kfambassador.sdk.traffic.statistics import Statistics

#: The problem that a kind could not be read, so that what depends on it is not known.
UNREAD: Final = "unread"

# What is told of a Secret that was not read says nothing of what the gateway knows.
_OF_SECRETS: Final = frozenset({"no-such-secret"})
_READ: Final = tuple(kind for kind in FOLLOWED if kind != SECRET)


class OwnReading:
    """Lists what the caller may read, and compiles it, each time it is asked.

    Where a kind may not be listed in all namespaces it is listed in the caller's own and the gateway's. Secrets are
    never read. Calls may come from several threads.

    Args:
        client: The cluster.
        policy: Who may claim what, and which namespace is the gateway's own, as far as that is known.
        reason: Why nobody could be asked, in words.
        namespaces: The namespaces to look into where not all may be read, besides the usual one.
    """

    def __init__(
        self, client: KubeClient, policy: TenancyPolicy, *, reason: str, namespaces: Iterable[str] = ()
    ) -> None:
        self.reason = reason
        self._client = client
        self._compiler = Compiler(policy)
        self._store = Store(_READ)
        self._namespaces = dict.fromkeys((client.default_namespace, *namespaces))
        if policy.gateway_namespace:
            self._namespaces.setdefault(policy.gateway_namespace)
        # For each kind that may not be read everywhere, where it may, in words.
        self._missing: dict[Kind, str] = {}
        self._partial: set[Kind] = set()
        self._lock = Lock()
        self._closed = Event()

    @property
    def is_own(self) -> bool:
        """True: the table is compiled here."""
        return True

    @property
    def place(self) -> str:
        """Why it is so, in words."""
        return f"the read API cannot be asked ({self.reason})"

    def routes(self) -> tuple[Route, ...]:
        """All routes, in the order they are evaluated."""
        _, compiled = self._look()
        return tuple(Route.model_validate(describe_route(route)) for route in compiled.table.routes())

    def problems(self) -> tuple[ProblemView, ...]:
        """Everything that is wrong with anybody's configuration, and what is missing from the picture."""
        _, compiled = self._look()
        return tuple(_view(problem) for problem in self._list_problems(compiled))

    def explain(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """Which route takes a request, and why the others do not.

        Raises:
            NoGateway: Envoy was to be asked as well; only its controller can.
        """
        return self._ask(explain, RequestLine.read(method, url, headers), ask_envoy=ask_envoy)

    def find_winner(self, method: str, url: str, headers: Dict[str, str], *, ask_envoy: bool = False) -> Explanation:
        """The same without a word of the other routes."""
        return self._ask(find_winner, RequestLine.read(method, url, headers), ask_envoy=ask_envoy)

    def source(self, key: ObjectKey, *, resource_version: str = "", wait: float = 0.0) -> Source:  # noqa: ARG002
        """Tell what the gateway should make of an object: serving, once its mappings are all in the table."""
        self._namespaces.setdefault(key.namespace)
        resources, compiled = self._look()
        if key not in resources.sources:
            return Source(state=SourceState.UNKNOWN)
        # Of a Secret that was not read nothing can be said, neither that it is there nor that it is not.
        found = [each for each in compiled.problems if each.origin.object == key and each.code not in _OF_SECRETS]
        return Source(
            state=SourceState.REJECTED if has_errors(found) else SourceState.SERVING,
            resource_version=resources.sources[key],
            mappings=tuple(_find_mappings(compiled, key)),
            problems=tuple(map(_view, found)),
        )

    def await_absence(self, key: ObjectKey, *, wait: float) -> bool:  # noqa: ARG002 - what is gone is gone at once
        """Tell whether an object configures nothing any more."""
        return self.source(key).state is SourceState.UNKNOWN

    def await_change(self, known: Generation | None = None, *, wait: float) -> Generation:
        """Look again after the wait: nobody tells of changes here. What Envoy has is not known."""
        if known is not None and self._closed.wait(wait):
            return known
        _, compiled = self._look()
        routes = [describe_route(route) for route in compiled.table.routes()]
        problems = [describe_problem(problem) for problem in self._list_problems(compiled)]
        return Generation(generation=crc32(json.dumps([routes, problems]).encode()))

    def why_not_ready(self) -> str:
        """Nothing is known of that."""
        return ""

    def statistics(self, mappings: Sequence[str] = (), *, used_only: bool = False) -> "Statistics":  # noqa: ARG002
        """Raise an error: what Envoy counts only its controller can tell."""
        raise NoGateway(f"What Envoy counts is known to the gateway's read API only, and {self.place}.")

    def close(self) -> None:
        """Let go of whoever waits for a change."""
        self._closed.set()

    def _ask(
        self, ask: Callable[[RoutingTable, RequestLine], Fate], line: RequestLine, *, ask_envoy: bool
    ) -> Explanation:
        if ask_envoy:
            raise NoGateway(f"Envoy itself can only be asked by the gateway's read API, and {self.place}.")
        _, compiled = self._look()
        return Explanation.model_validate(describe_explanation(ask(compiled.table, line)))

    def _look(self) -> tuple[ResourceSet, Compiled]:
        with self._lock:
            for kind in _READ:
                self._store.apply(Listed(kind, tuple(self._list(kind)), ""))
            resources = self._store.resources(generation=0, now=datetime.now(UTC))
            return resources, self._compiler.compile(resources)

    def _list(self, kind: Kind) -> tuple[Manifest, ...]:
        """List a kind in all namespaces; where that is forbidden, in those of interest that may be read."""
        try:
            if kind not in self._partial:
                return self._client.list(kind).items
        except NotFound:
            # A cluster without the definitions has no such objects.
            if not kind.is_custom:
                raise
            return ()
        except Forbidden:
            self._partial.add(kind)
        listed = {namespace: self._list_in(kind, namespace) for namespace in (*self._namespaces,)}
        refused = [namespace for namespace, items in listed.items() if items is None]
        self._missing[kind] = ", ".join(namespace for namespace in listed if namespace not in refused)
        return tuple(item for items in listed.values() for item in items or ())

    def _list_in(self, kind: Kind, namespace: str) -> tuple[Manifest, ...] | None:
        """List a kind in one namespace; None where that is forbidden."""
        try:
            return self._client.list(kind, namespace=namespace).items
        except Forbidden:
            return None
        except NotFound:
            return ()

    def _list_problems(self, compiled: Compiled) -> tuple[Problem, ...]:
        return (*self._tell_missing(), *compiled.problems)

    def _tell_missing(self) -> Iterator[Problem]:
        """Say what is not in the picture: what was not read may own a path, or be what a mapping points at."""
        told = {SECRET.plural: "they are never read from here"}
        for kind, namespaces in self._missing.items():
            told[kind.plural] = f"you may list those of {namespaces} only" if namespaces else "you may not list them"
        for plural, why in told.items():
            message = f"{plural} are missing from this table: {why}. What the gateway serves may differ"
            yield Problem(UNREAD, message, Origin(None), severity=Severity.NOTICE)


def _view(problem: Problem) -> ProblemView:
    return ProblemView.model_validate(describe_problem(problem))


def _find_mappings(compiled: Compiled, key: ObjectKey) -> Iterator[str]:
    for route in compiled.table.routes():
        for split in route.splits:
            if split.origin.object == key:
                yield name_mapping(split)
