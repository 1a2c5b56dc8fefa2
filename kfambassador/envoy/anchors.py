"""Where in the tree of path prefixes a route stands."""

from kfambassador.routing.anchors import find_beginning
from kfambassador.routing.model import PathKind, PathMatch


def find_anchor(path: PathMatch) -> str:
    """Give the longest text that every path this condition takes begins with, as far as can be told for sure.

    A route may stand at any beginning of its anchor and still be found; "" is the root, which every path reaches. The
    tree tells upper from lower case, so a condition that does not stands before its first letter.

    Example:
        >>> find_anchor(PathMatch(PathKind.PREFIX, "/models/")), find_anchor(PathMatch(PathKind.REGEX, "/m/[a-z]+"))
        ('/models/', '/m/')
        >>> find_anchor(PathMatch(PathKind.PREFIX, "/1/Models", case_sensitive=False))
        '/1/'
    """
    beginning = find_beginning(path)
    if path.case_sensitive or path.kind is PathKind.REGEX:
        return beginning
    letter = next((place for place, char in enumerate(beginning) if char.lower() != char.upper()), len(beginning))
    return beginning[:letter]
