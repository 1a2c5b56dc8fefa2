"""A tree of path prefixes over routes whose order is settled."""

from bisect import bisect
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from operator import itemgetter
from typing import Final

#: How many routes share a node rather than being told apart by further nodes: trying a handful costs nothing beside a
#: request, and a node costs Envoy as much as a route whenever the table changes.
ROUTES_PER_NODE: Final = 16

Nodes = Dict[str, Sequence[int]]

#: Neighbours not yet in a node: minus how many, where the first is in the sorted texts, and which routes stand above.
_Stretch = tuple[int, int, list[int]]


def arrange(routes: Sequence[int], anchors: Sequence[str], limit: int) -> Nodes:
    """Arrange routes in a tree of prefixes, in which each node repeats the routes of the nodes above it.

    Where that would come to more entries than the limit, more neighbours share a node: a longer walk instead of a
    larger table.

    Args:
        routes: Which routes, in evaluation order.
        anchors: Where every route stands: a text that each path it takes begins with.
        limit: How many entries all nodes may hold together. As many as there are routes can always be held to.

    Returns:
        For every node, which routes a request that reaches it finds, in evaluation order. Nodes are sorted by prefix.

    Example:
        >>> anchors = ["/a/b/", "/a/c/"] + ["/d/"] * 20
        >>> nodes = arrange(range(22), anchors, 100)
        >>> nodes["/a/"], len(nodes["/d/"])
        ([0, 1], 20)
        >>> {prefix: len(routes) for prefix, routes in arrange(range(22), anchors, 21).items()}
        {'/': 22}
    """
    order = sorted(routes, key=anchors.__getitem__)
    texts = [anchors[index] for index in order]
    left = limit - len(order)
    nodes: dict[str, Sequence[int]] = {}
    # The largest first, so that what the limit leaves is spent on the longest walks.
    waiting: list[_Stretch] = [(-len(order), 0, [])] if order else []
    while waiting:
        negative_size, begin, above = heappop(waiting)
        end = begin - negative_size
        prefix = _shared_beginning(texts[begin], texts[end - 1])
        cuts = [end] if end - begin <= ROUTES_PER_NODE else _cut(texts, begin, end, prefix)
        added = (len(above) + cuts[0] - begin) * (len(cuts) - 1 - (cuts[0] == begin))
        if added > left:
            cuts, added = [end], 0
        left -= added
        if cuts[0] > begin:
            above = nodes[prefix] = sorted([*above, *order[begin : cuts[0]]])
        for start, stop in pairwise(cuts):
            heappush(waiting, (start - stop, start, above))
    return dict(sorted(nodes.items()))


def count_entries(nodes: Nodes) -> int:
    """Count the entries of all nodes together."""
    return sum(map(len, nodes.values()))


def _cut(texts: Sequence[str], begin: int, end: int, prefix: str) -> list[int]:
    """Cut a stretch where the character after the prefix changes; give all borders.

    What stands at the prefix itself is before the first: it comes first of those that begin with it.
    """
    first = itemgetter(slice(len(prefix) + 1))
    cuts = [bisect(texts, prefix, begin, end)]
    while cuts[-1] < end:
        cuts.append(bisect(texts, first(texts[cuts[-1]]), cuts[-1], end, key=first))
    return cuts


def _shared_beginning(one: str, other: str) -> str:
    differing = (index for index, (here, there) in enumerate(zip(one, other, strict=False)) if here != there)
    return one[: next(differing, min(len(one), len(other)))]
