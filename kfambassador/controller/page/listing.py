"""The page of all routes in the order they are evaluated: searched, narrowed down and cut into pages. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kfambassador.controller.overview import Seen, name_group
from kfambassador.controller.page.faring import COLOURS, Fare, Fares
from kfambassador.problems import ObjectKey
from kfambassador.routing.describe import describe_match, name_mapping
from kfambassador.routing.model import Route, Split
from kfambassador.routing.spelling import spell_conditions, spell_host, spell_method, spell_path, spell_place

#: So many are on a page.
PAGE: Final = 100

T = TypeVar("T")

#: Where something was written: the object, and which document of its annotation.
_Place = tuple[ObjectKey | None, int | None]


@dataclass(frozen=True, slots=True)
class Question:
    """Which routes somebody wants to see.

    Attributes:
        words: What they are looked for by: each word must be found, and none that begins with a minus.
        colour: How they fare, one of :data:`~kfambassador.controller.page.faring.COLOURS`; "" is all.
        namespace: Whose they are; "" is everybody's.
        troubled: Only those with problems.
        page: Which page, counted from 1.
    """

    words: str = ""
    colour: str = ""
    namespace: str = ""
    troubled: bool = False
    page: int = 1

    @classmethod
    def read(cls, query: Dict[str, str]) -> "Question":
        """Read an address's query; what makes no sense says nothing.

        Example:
            >>> Question.read({"q": "mnist", "health": "purple", "page": "x"})
            Question(words='mnist', colour='', namespace='', troubled=False, page=1)
        """
        colour = query.get("health", "")
        return cls(
            words=query.get("q", "").strip(),
            colour=colour if colour in COLOURS else "",
            namespace=query.get("ns", ""),
            troubled=query.get("problems", "") == "only",
            page=read_page(query),
        )

    @property
    def query(self) -> dict[str, str]:
        """The same as an address's query, without the page."""
        told = {"q": self.words, "health": self.colour, "ns": self.namespace}
        return {**told, "problems": "only" if self.troubled else ""}

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return any(self.query.values())


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """One page of many things.

    Attributes:
        shown: What is on it.
        found: How many there are in all.
        page: Which page it is, counted from 1.
        pages: How many there are.
    """

    shown: tuple[T, ...]
    found: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Part:
    """One service of a route.

    Attributes:
        mapping: Whose it is, as namespace/name.
        place: Where requests go.
        share: Its share of them in percent.
        is_copy: Whether it only gets copies.
        source: The object it was written in.
        line: Where, of its annotation.
        fare: How it fares.
    """

    mapping: str
    place: str
    share: int
    is_copy: bool
    source: ObjectKey | None
    line: int | None
    fare: Fare


@dataclass(frozen=True, slots=True)
class Row:
    """One route.

    Attributes:
        number: Its place in the order of evaluation, counted from 1.
        group: What its own page is called.
        method: The condition on the method.
        host: The condition on the host.
        path: The condition on the path.
        conditions: All others.
        precedence: What was said of its order.
        parts: Its services.
        fare: How the worst of them fares.
        requests: How many requests they had.
        is_shared: Whether requests of other routes are among those.
        problems: How many problems it has.
    """

    number: int
    group: str
    method: str
    host: str
    path: str
    conditions: str
    precedence: int
    parts: tuple[Part, ...]
    fare: Fare
    requests: int
    is_shared: bool
    problems: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Routes, and how many of all there are fare how.

    Attributes:
        cut: Those on this page.
        total: How many there are, whatever was asked for.
        fares: How many of those fare how, by colour.
        namespaces: Whose there are.
        has_hosts: Whether any on this page has a condition on its host.
    """

    cut: Cut[Row]
    total: int
    fares: Dict[str, int]
    namespaces: tuple[str, ...]

    @property
    def has_hosts(self) -> bool:
        """Whether any on this page has a condition on its host."""
        return any(row.host != "*" for row in self.cut.shown)


def list_routes(seen: Seen, question: Question) -> Listing:
    """List the routes that somebody wants to see."""
    fares, troubles = Fares(seen), count_problems(seen)
    tally: Counter[str] = Counter()
    namespaces: set[str] = set()
    found: list[tuple[int, Route, int]] = []
    words = question.words.lower().split()
    for number, route in enumerate(seen.routes, start=1):
        fare, problems = fares.of_route(route), sum(troubles[_place_of(split)] for split in route.receivers)
        tally[fare.colour] += 1
        namespaces.update(split.namespace for split in route.receivers)
        is_wanted = (
            (not question.colour or fare.colour == question.colour)
            and (not question.troubled or problems > 0)
            and (not question.namespace or any(each.namespace == question.namespace for each in route.receivers))
            and (not words or _holds(_write(route), words))
        )
        if is_wanted:
            found.append((number, route, problems))
    cut = cut_page(found, question.page)
    rows = tuple(_describe(number, route, problems, fares) for number, route, problems in cut.shown)
    shown = Cut(rows, cut.found, cut.page, cut.pages)
    return Listing(shown, len(seen.routes), {colour: tally[colour] for colour in COLOURS}, tuple(sorted(namespaces)))


def cut_page(found: Collection[T], page: int) -> Cut[T]:
    """Cut one page out of many things; beyond the last is the last.

    Example:
        >>> cut = cut_page(range(250), 9)
        >>> cut.page, cut.pages, cut.shown[0], len(cut.shown)
        (3, 3, 200, 50)
    """
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(page, 1), pages)
    return Cut(tuple(found)[(page - 1) * PAGE : page * PAGE], len(found), page, pages)


def read_page(query: Dict[str, str]) -> int:
    """Read which page is asked for; the first where none is said."""
    text = query.get("page", "")
    # Longer ones are no page of anything, and take long to be read.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004


def count_problems(seen: Seen) -> Counter[_Place]:
    """Count the problems of each place something was written in."""
    return Counter((problem.origin.object, problem.origin.document) for problem in seen.work.compiled.problems)


def list_parts(route: Route) -> list[tuple[Split, bool]]:
    """List who gets requests of a route, those last that only get copies; and whether they do."""
    return [*((split, False) for split in route.splits), *((shadow, True) for shadow in route.shadows)]


def spell_split(split: Split) -> str:
    """Spell where a split leads."""
    mapping = split.mapping
    said: dict[str, object] = {
        "host_redirect": mapping.host_redirect,
        "redirect_response_code": mapping.redirect_response_code,
    }
    return spell_place(mapping.service, said)


def _describe(number: int, route: Route, problems: int, fares: Fares) -> Row:
    match = describe_match(route.match)
    parts = tuple(
        _describe_part(split, fares.of(split.cluster), is_copy=is_copy) for split, is_copy in list_parts(route)
    )
    return Row(
        number=number,
        group=name_group(route),
        method=spell_method(match),
        host=spell_host(match),
        path=spell_path(match),
        conditions=spell_conditions(match, without=["host"]),
        precedence=route.precedence,
        parts=parts,
        fare=fares.of_route(route),
        requests=sum(part.fare.requests for part in parts if not part.is_copy),
        is_shared=any(fares.is_shared(split.cluster) for split in route.splits),
        problems=problems,
    )


def _describe_part(split: Split, fare: Fare, *, is_copy: bool) -> Part:
    origin = split.origin
    return Part(name_mapping(split), spell_split(split), split.share, is_copy, origin.object, origin.line, fare)


def _write(route: Route) -> str:
    """Write what a route is looked for by."""
    match = describe_match(route.match)
    return " ".join((spell_method(match), spell_path(match), spell_conditions(match), *_name(route))).lower()


def _name(route: Route) -> Iterator[str]:
    for split in route.receivers:
        yield name_mapping(split)
        yield split.mapping.service
        yield split.origin.object_name


def _holds(text: str, words: Collection[str]) -> bool:
    return all((word[1:] not in text) if word.startswith("-") and len(word) > 1 else word in text for word in words)


def _place_of(split: Split) -> _Place:
    return split.origin.object, split.origin.document
