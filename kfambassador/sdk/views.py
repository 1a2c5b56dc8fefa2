"""What the gateway says of itself, as small immutable objects that show themselves well."""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from typing import overload

from pydantic import BaseModel, JsonValue

from kfambassador.routing.spelling import spell_conditions, spell_method, spell_path, spell_place, spell_rewrite
from kfambassador.sdk.faces.routes import show_explanation, show_route, show_routes
from kfambassador.tables import write_table

_HEADINGS = ("METHOD", "PATH", "CONDITIONS", "SERVICE", "REWRITE", "SHARE", "MAPPING")


class View(BaseModel, frozen=True):
    """Something read from the gateway; what a newer gateway adds is passed over."""

    def __str__(self) -> str:
        return repr(self)


class Split(View, frozen=True):
    """One mapping's part in a route.

    Attributes:
        mapping: The mapping, as namespace/name.
        service: Where it points, as it was written.
        cluster: Envoy's name for it.
        share: Its effective share of the route's requests, in percent.
        source: Where it was written, in words.
        object: The object it was written in, as ``Service namespace/name``; "" when that is not known.
        document: Which document of its annotation, counted from 1; None where it is no annotation.
        line: Where that begins.
        attributes: Everything else that was written.
    """

    mapping: str
    service: str
    cluster: str = ""
    share: int
    source: str = ""
    object: str = ""
    document: int | None = None
    line: int | None = None
    attributes: Dict[str, JsonValue] = {}

    @property
    def place(self) -> str:
        """Where requests go, or with which status clients are sent where: ``m:80``, or ``301 to http://b.example``."""
        return spell_place(self.service, self.attributes)

    @property
    def path(self) -> str:
        """What replaces the matched part of the path, or ``~expression to substitution``; "" when nothing is said."""
        return spell_rewrite(self.attributes)


class Route(View, frozen=True):
    """Which requests go where.

    Attributes:
        match: The conditions; ``prefix``, ``exact`` or ``regex`` is the path's.
        precedence: Evaluated before routes of lower precedence.
        splits: Who gets the requests.
        shadows: Who gets copies of them.

    Example:
        >>> split = Split(mapping="default/m", service="m:80", share=100, attributes={})
        >>> Route(match={"prefix": "/m/", "method": "POST"}, splits=(split,))
        <Route POST /m/* → m:80>
    """

    match: Dict[str, JsonValue]
    precedence: int = 0
    splits: tuple[Split, ...]
    shadows: tuple[Split, ...] = ()

    @property
    def receivers(self) -> tuple[Split, ...]:
        """Everybody who gets requests of it: those who answer, and those who get copies."""
        return (*self.splits, *self.shadows)

    @property
    def path(self) -> str:
        """The condition on the path: ``/m/*`` is a prefix, ``/m`` the whole path, ``~ /m.*`` an expression."""
        return spell_path(self.match)

    @property
    def method(self) -> str:
        """The condition on the method, ``*`` when there is none."""
        return spell_method(self.match)

    @property
    def conditions(self) -> str:
        """All other conditions, in one line."""
        return spell_conditions(self.match)

    def __repr__(self) -> str:
        shares = " + ".join(
            f"{split.place} {split.share}%" if len(self.splits) > 1 else split.place for split in self.splits
        )
        copies = "".join(f", {_tell_copy(shadow)}" for shadow in self.shadows)
        asked = " ".join(part for part in (self.method, self.path, self.conditions) if part)
        return f"<Route {asked} → {shares}{copies}>"

    def _repr_html_(self) -> str:
        return show_route(self)


class RouteList(Sequence[Route]):
    """Routes in the order they are evaluated; printed, it is a table.

    Where clients are sent elsewhere, SERVICE begins with the status. Who gets copies has ``copy of N%`` for its SHARE.

    Example:
        >>> split = Split(mapping="default/m", service="m:80", share=100, attributes={"rewrite": "/v1/"})
        >>> print(RouteList([Route(match={"prefix": "/m/", "method": "GET"}, splits=(split,))]))
        METHOD  PATH  SERVICE  REWRITE  MAPPING
        GET     /m/*  m:80     /v1/     default/m
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    @overload
    def __getitem__(self, index: int) -> Route: ...
    @overload
    def __getitem__(self, index: slice) -> "RouteList": ...
    def __getitem__(self, index: int | slice) -> "Route | RouteList":
        return RouteList(self._routes[index]) if isinstance(index, slice) else self._routes[index]

    def __len__(self) -> int:
        return len(self._routes)

    def __repr__(self) -> str:
        rows = [_row(route, split) for route in self._routes for split in route.receivers]
        return write_table(_HEADINGS, rows) if rows else "no routes"

    def _repr_html_(self) -> str:
        return show_routes(self)


class Verdict(View, frozen=True):
    """What one route says to a request.

    Attributes:
        mappings: The route's mappings, as namespace/name.
        match: The route's conditions.
        reason: Why it does not match; "" when it does.
    """

    mappings: tuple[str, ...]
    match: Dict[str, JsonValue]
    reason: str


class Request(View, frozen=True):
    """A request as far as routing looks at it."""

    method: str
    host: str
    path: str


class Redirect(View, frozen=True):
    """Where a client is sent.

    Attributes:
        location: The address.
        code: The status.
        words: The status in words.
    """

    location: str
    code: int
    words: str


class EnvoyAnswer(View, frozen=True):
    """What Envoy itself says of a request.

    Attributes:
        route: The mapping it chose, as namespace/name; "" when no route takes the request.
        cluster: Where it would send it; "" for a redirect.
        path: The path and query as its routes saw them.
        refusal: Why it refuses the request before any route is asked; "" when it does not.
        agrees: Whether the gateway's table says the same. Of a canary, any split with a share is the same.
        difference: How they differ.
    """

    route: str = ""
    cluster: str = ""
    path: str = ""
    refusal: str = ""
    agrees: bool
    difference: str = ""


class Elsewhere(View, frozen=True):
    """A route that takes a request and is none of yours.

    Attributes:
        words: That it is so.
        match: By which path and host it takes the request; its other conditions are not told.
    """

    words: str
    match: Dict[str, JsonValue] = {}


class Explanation(View, frozen=True):
    """What becomes of a request.

    Attributes:
        request: The request asked about, its path as the routes see it.
        winner: The route that takes it; None when it is refused, or answered with 404.
        verdicts: What every route says, in evaluation order.
        upstream_paths: For each mapping of the winner, the path its service sees.
        redirect: Where the winner sends the client, when it is a redirect.
        refusal: Why it is refused before any route is asked, beginning with the status; "" when it is not.
        asks: Which authorization service is asked first whether it may pass; "" when nobody is.
        envoy: What Envoy itself says, when it was asked.
        elsewhere: What is told of the route that takes it when that is of a namespace you may not see; None otherwise.
        hidden: How many routes have nothing in them that you may see; what they say is left out.
    """

    request: Request
    winner: Route | None
    verdicts: tuple[Verdict, ...] = ()
    upstream_paths: Dict[str, str] = {}
    redirect: Redirect | None = None
    refusal: str = ""
    asks: str = ""
    envoy: EnvoyAnswer | None = None
    elsewhere: Elsewhere | None = None
    hidden: int = 0

    @property
    def mappings(self) -> tuple[str, ...]:
        """The winner's mappings, as namespace/name; none when nothing matches."""
        return tuple(split.mapping for split in self.winner.splits) if self.winner else ()

    def __repr__(self) -> str:
        asked = f"{self.request.method} {self.request.path}"
        if self.elsewhere is not None:
            return f"<Explanation {asked} → {self.elsewhere.words}>"
        if self.winner is None:
            return f"<Explanation {asked} → {self.refusal or 'no route (404)'}>"
        if self.redirect is not None:
            return f"<Explanation {asked} → {self.redirect.code} to {self.redirect.location} by {self.mappings[0]}>"
        goes = ", ".join(
            f"{split.service}{self.upstream_paths.get(split.mapping, '')} by {split.mapping}"
            for split in self.winner.splits
        )
        copies = "".join(f", {_tell_copy(shadow)} by {shadow.mapping}" for shadow in self.winner.shadows)
        return f"<Explanation {asked} → {goes}{copies}>"

    def _repr_html_(self) -> str:
        return show_explanation(self)


class Generation(View, frozen=True):
    """Which table a gateway has.

    Attributes:
        generation: The number of the newest table. It says whether something has changed, and nothing else.
        served: The number of the one that every Envoy has acknowledged; None before the first.
    """

    generation: int
    served: int | None = None


def _row(route: Route, split: Split) -> tuple[str, ...]:
    share = f"{split.share}%" if len(route.splits) > 1 else ""
    if split in route.shadows:
        share = f"copy of {split.share}%"
    return (route.method, route.path, route.conditions, split.place, split.path, share, split.mapping)


def _tell_copy(shadow: Split) -> str:
    return f"copies of {shadow.share}% to {shadow.service}"
