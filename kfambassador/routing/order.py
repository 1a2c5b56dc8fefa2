"""The order routes are evaluated in: Ambassador's, to the letter.

Routes are sorted descending by a list compared element by element: precedence; length of the prefix text; weight of
the header conditions (host and method are headers); weight of the query parameters; the prefix text; the method; the
names of the conditions. What Ambassador leaves to the order of arrival, the rest of the match decides here, so the
order is total and never depends on who came first.
"""

from kfambassador.routing.matches import METHOD
from kfambassador.routing.model import Match, ValueKind, ValueMatch

OrderKey = tuple[int, int, int, int, str, str, tuple[object, ...]]


def build_order_key(match: Match, precedence: int) -> OrderKey:
    """Give the key by which routes are sorted, descending.

    Example:
        >>> from kfambassador.routing.model import PathKind, PathMatch
        >>> deep, shallow = (Match(PathMatch(PathKind.PREFIX, text)) for text in ("/api/v1/", "/api/"))
        >>> build_order_key(deep, 0) > build_order_key(shallow, 0) < build_order_key(shallow, 1)
        True
    """
    return (
        precedence,
        len(match.path.text),
        sum(map(_weigh, match.headers)),
        sum(map(_weigh, match.query_parameters)),
        match.path.text,
        next((each.value for each in match.headers if each.name == METHOD), "GET"),
        (
            tuple(each.name for each in match.headers),
            tuple(each.name for each in match.query_parameters),
            match.headers,
            match.query_parameters,
            match.path.kind,
            match.path.case_sensitive,
        ),
    )


def _weigh(condition: ValueMatch) -> int:
    """Length of name and value; mere presence counts 1, an expression 1 more, and so does the * of a glob."""
    if condition.kind is ValueKind.PRESENT:
        return len(condition.name) + 1
    plain = condition.kind is ValueKind.EXACT
    return len(condition.name) + len(condition.value) + (0 if plain else 1)
