"""Routes that no request can ever reach, because an earlier one takes all of theirs.

What is told is certain: nothing is said where it depends on what an expression might mean. The order of routes makes
the search short. Of routes with one precedence a longer text comes first, so what covers a route has its very text,
unless it was raised by precedence or is an expression that says less than its length.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Final, NamedTuple

from kfambassador.problems import Fault, Problem, Severity, Veil
from kfambassador.resources.validation import show
from kfambassador.routing.anchors import find_beginning
from kfambassador.routing.matches import HOST, METHOD, write_expression
from kfambassador.routing.model import Match, PathKind, PathMatch, Route, ValueKind, ValueMatch
from kfambassador.routing.regex import matches_whole

# An expression that is literal text, perhaps followed by anything: the same as an exact path or a prefix.
_PLAIN_EXPRESSION: Final = re.compile(r"\^?((?:[^\\^$.|?*+()\[\]{}]|\\[!-/:-@\[-^`{-~])*)(\.\*)?\$?")
_ESCAPE: Final = re.compile(r"\\(.)")

# Sets of conditions are looked up; past this many there are too many sets to look for.
_MOST_CONDITIONS: Final = 5
# Expressions, and routes whose conditions are not plain values, are tried one by one: so many a path and in all.
_MOST_TRIED: Final = 32
_MOST_TRIES: Final = 5_000

_REGEX: Final = PathKind.REGEX
_PLAIN_KINDS: Final = (PathKind.PREFIX, PathKind.EXACT)

_Conditions = frozenset[ValueMatch]


class Shadowed(NamedTuple):
    """A route no request reaches, and the one that takes all of its requests."""

    route: Route
    by: Route


def find_unreachable(routes: Sequence[Route]) -> tuple[Problem, ...]:
    """Tell of each mapping that can never have a request.

    Args:
        routes: All routes, in evaluation order.

    Returns:
        A WARNING for each of their mappings, shadows included.
    """
    return tuple(problem for shadowed in find_shadowed(routes) for problem in _tell(shadowed))


def find_shadowed(routes: Sequence[Route]) -> Iterator[Shadowed]:
    """Find the routes that can never win, each with the first of those that cover it."""
    ground = _Ground()
    for route in routes:
        by = ground.find_cover(route)
        if by is not None:
            # It is not remembered: what covers it covers all that it would cover.
            yield Shadowed(route, by)


def covers(wide: Match, narrow: Match) -> bool:
    """Tell whether every request that meets the one match is sure to meet the other.

    Example:
        >>> post = (ValueMatch(METHOD, ValueKind.EXACT, "POST"),)
        >>> all_below, one = (Match(PathMatch(PathKind.PREFIX, text), post) for text in ("/a/", "/a/b"))
        >>> covers(all_below, one), covers(one, all_below)
        (True, False)
    """
    return (
        _covers_path(_simplify(wide.path), _simplify(narrow.path))
        and _are_implied(wide.headers, narrow.headers)
        and _are_implied(wide.query_parameters, narrow.query_parameters)
    )


def implies(narrow: ValueMatch, wide: ValueMatch) -> bool:
    """Tell whether every value that meets the one condition is sure to meet the other.

    Example:
        >>> implies(ValueMatch("x", ValueKind.EXACT, "ab"), ValueMatch("x", ValueKind.REGEX, "a."))
        True
    """
    if narrow.name != wide.name:
        return False
    if narrow == wide or wide.kind is ValueKind.PRESENT:
        return True
    if narrow.kind is ValueKind.EXACT and wide.kind is ValueKind.REGEX:
        return matches_whole(write_expression(wide), narrow.value)
    starts, ends = narrow.value.startswith(wide.value), narrow.value.endswith(wide.value)
    return (narrow.kind in {ValueKind.EXACT, wide.kind}) and (
        (wide.kind is ValueKind.PREFIX and starts) or (wide.kind is ValueKind.SUFFIX and ends)
    )


def _are_implied(wide: Sequence[ValueMatch], narrow: Sequence[ValueMatch]) -> bool:
    return all(any(implies(each, condition) for each in narrow) for condition in wide)


def _simplify(path: PathMatch) -> PathMatch:
    """Give an expression that is no more than a path or a prefix as what it is."""
    if path.kind is not PathKind.REGEX:
        return path
    plain = _PLAIN_EXPRESSION.fullmatch(path.text)
    if plain is None:
        return path
    return PathMatch(PathKind.PREFIX if plain[2] else PathKind.EXACT, _ESCAPE.sub(r"\1", plain[1]))


def _covers_path(wide: PathMatch, narrow: PathMatch) -> bool:
    if wide == narrow:
        return True
    if wide.kind is PathKind.REGEX:
        return narrow.kind is PathKind.EXACT and narrow.case_sensitive and matches_whole(wide.text, narrow.text)
    if wide.case_sensitive and not narrow.case_sensitive:
        return False
    one, other = wide.text, find_beginning(narrow)
    if not wide.case_sensitive:
        one, other = one.lower(), other.lower()
    if wide.kind is PathKind.EXACT:
        return narrow.kind is PathKind.EXACT and one == other
    return other.startswith(one)


@dataclass(slots=True)
class _Place:
    """The routes whose paths begin with one text. They are sorted by their conditions once somebody asks."""

    new: list[Route] = field(default_factory=list)
    plain: dict[tuple[PathKind, _Conditions], Route] = field(default_factory=dict)
    wide: list[Route] = field(default_factory=list)

    def sort(self) -> None:
        """Put each route where it is found: by its set of conditions, or among those that imply others."""
        for route in self.new:
            match = route.match
            kind = _simplify(match.path).kind
            plain = all(each.kind is ValueKind.EXACT for each in (*match.headers, *match.query_parameters))
            if plain and kind is not _REGEX:
                self.plain.setdefault((kind, _name_all(match)), route)
            elif len(self.wide) < _MOST_TRIED:
                self.wide.append(route)
        self.new.clear()


class _Ground:
    """The routes seen so far that can still cover others."""

    def __init__(self) -> None:
        self._precedence: int | None = None
        # Those with one precedence and one text, a lone one by itself; and those that cover longer texts than theirs.
        self._level: dict[str, _Place | Route] = {}
        self._early: dict[str, _Place] = {}
        self._lengths: tuple[int, ...] = ()
        self._tries = _MOST_TRIES

    def find_cover(self, route: Route) -> Route | None:
        """Find the first route that takes all requests of this one; else remember this one."""
        if route.precedence != self._precedence:
            self._lower(route.precedence)
        match = route.match
        beginning = match.path.text if match.path.kind is not _REGEX else find_beginning(_simplify(match.path))
        key = beginning.lower()
        beside = self._level.get(key)
        if beside is None and not self._lengths and beginning is match.path.text:
            # So it is with nearly all routes of nearly all tables.
            self._level[key] = route
            return None
        return self._search(route, key, own_length=len(beginning) == len(match.path.text))

    def _search(self, route: Route, key: str, *, own_length: bool) -> Route | None:
        match = route.match
        conditions = _name_all(match)
        # Of routes with one precedence and one text, those with fewer conditions come later.
        tried = list(self._list_candidates(self._place_at(key), (conditions,))) if key in self._level else []
        if self._lengths:
            subsets = _list_subsets(conditions)
            for place in (self._early.get(key[:length]) for length in self._lengths if length <= len(key)):
                tried += self._list_candidates(place, subsets) if place is not None else ()
        for candidate in tried:
            if covers(candidate.match, match):
                return candidate
        if own_length:
            self._place_at(key).new.append(route)
        else:
            # An expression says less than its length: it comes before longer texts than it begins with.
            self._put_early(key, [route])
        return None

    def _place_at(self, key: str) -> _Place:
        held = self._level.get(key)
        if not isinstance(held, _Place):
            held = self._level[key] = _Place(new=[] if held is None else [held])
        return held

    def _put_early(self, key: str, routes: list[Route]) -> None:
        if key in self._early:
            self._early[key].new.extend(routes)
        else:
            self._early[key] = _Place(new=routes)
            if len(key) not in self._lengths:
                self._lengths = tuple(sorted((*self._lengths, len(key))))

    def _list_candidates(self, place: _Place, subsets: Sequence[_Conditions]) -> Iterator[Route]:
        """List the routes of a place that have one of the sets of conditions, and those to be tried one by one."""
        place.sort()
        if place.plain:
            for named in product(_PLAIN_KINDS, subsets):
                if named in place.plain:
                    yield place.plain[named]
        for route in place.wide if self._tries > 0 else ():
            self._tries -= 1
            yield route

    def _lower(self, precedence: int) -> None:
        """Go on to lower precedence: whatever was seen until now covers longer texts as well."""
        self._precedence = precedence
        level, self._level = self._level, {}
        for key, held in level.items():
            routes = [held] if isinstance(held, Route) else [*held.plain.values(), *held.wide, *held.new]
            self._put_early(key, routes)


def _name_all(match: Match) -> _Conditions:
    """Give the conditions of a match as one set; parameters are told from headers by a mark no name has."""
    if not match.query_parameters:
        return frozenset(match.headers)
    return frozenset((*match.headers, *(each._replace(name=f"?{each.name}") for each in match.query_parameters)))


def _list_subsets(conditions: _Conditions) -> Sequence[_Conditions]:
    if not conditions:
        return (conditions,)
    if len(conditions) > _MOST_CONDITIONS:
        return (frozenset(), conditions)
    sizes = range(len(conditions) + 1)
    return tuple(frozenset(some) for size in sizes for some in combinations(conditions, size))


def _tell(shadowed: Shadowed) -> Iterator[Problem]:
    winner, route = shadowed.by.splits[0], shadowed.route
    example = _show_example(route.match)
    reason = (
        f"has precedence {shadowed.by.precedence}"
        if shadowed.by.precedence > route.precedence
        else "is evaluated before this one"
    )
    message = (
        f"it never has a request: {example} goes to mapping {winner.mapping.name} of {winner.origin}, which {reason} "
        f"and takes {_show_path(shadowed.by.match.path)}; give this one another match or a higher precedence, or take "
        "one of them out"
    )
    veil = Veil(
        winner.namespace,
        f"it never has a request: {example} goes to a mapping of another namespace, which is evaluated before this "
        "one; give this one another match or a higher precedence",
    )
    for split in route.receivers:
        hides = veil if split.namespace != winner.namespace else None
        yield Fault("unreachable", message, path="prefix", severity=Severity.WARNING, veil=hides).at(split.origin)


def _show_example(match: Match) -> str:
    """Show a request that meets a match, as closely as can be told."""
    method = next((each.value for each in match.headers if each.name == METHOD and each.kind is ValueKind.EXACT), "GET")
    host = next((each.value for each in match.headers if each.name == HOST and each.kind is ValueKind.EXACT), "")
    like = "a request like " if match.path.kind is PathKind.REGEX else ""
    return f"{like}{method} {f'http://{host}' if host else ''}{match.path.text}"


def _show_path(path: PathMatch) -> str:
    words = {PathKind.PREFIX: "everything below", PathKind.EXACT: "exactly", PathKind.REGEX: "everything like"}
    return f"{words[path.kind]} {show(path.text)}"
