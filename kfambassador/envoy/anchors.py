"""Where in the tree of path prefixes a route stands."""

from kfambassador.routing.model import PathKind, PathMatch

_REGEX_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_MAKES_OPTIONAL = frozenset("?*{")


def find_anchor(path: PathMatch) -> str:
    """Give the longest text that every path this condition takes begins with, as far as can be told for sure.

    A route may stand at any beginning of its anchor and still be found; "" is the root, which every path reaches.

    Example:
        >>> find_anchor(PathMatch(PathKind.PREFIX, "/models/")), find_anchor(PathMatch(PathKind.REGEX, "/m/[a-z]+"))
        ('/models/', '/m/')
        >>> find_anchor(PathMatch(PathKind.PREFIX, "/1/Models", case_sensitive=False))
        '/1/'
    """
    if path.kind is PathKind.REGEX:
        return _find_literal(path.text)
    if path.case_sensitive:
        return path.text
    letter = next((index for index, char in enumerate(path.text) if char.lower() != char.upper()), len(path.text))
    return path.text[:letter]


def _find_literal(expression: str) -> str:
    end = next((index for index, char in enumerate(expression) if char in _REGEX_SPECIAL), len(expression))
    if end == len(expression):
        return expression
    if _may_alternate(expression):
        return ""
    return expression[: end - 1] if expression[end] in _MAKES_OPTIONAL else expression[:end]


def _may_alternate(expression: str) -> bool:
    """Tell whether the whole expression might be one of several alternatives; when in doubt, yes."""
    if "|" not in expression:
        return False
    if "\\" in expression or "[" in expression:
        return True
    depth = 0
    for char in expression:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False
