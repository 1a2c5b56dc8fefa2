"""Ordered routes as one table whose lookup costs the same with ten routes and with fifty thousand.

Envoy tries the routes of a plain list one after another. Here they stand in a tree of path prefixes: a request goes to
the node with the longest prefix of its path and finds there, in the one total order, its node's routes and all those of
the nodes above: every route that could take it. A list that does not match answers 404 and does not look further up,
which is why each node repeats what stands above it. Neighbours share a node as long as they are few: trying a handful
costs nothing beside a request, and a node costs Envoy as much as a route whenever the table changes.
"""

from bisect import bisect
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from kfambassador.envoy.anchors import find_anchor
from kfambassador.envoy.listeners import ROUTES
from kfambassador.envoy.protos import (
    AnyMessage,
    HttpRequestHeaderMatchInput,
    Matcher,
    RouteConfiguration,
    RouteList,
    VirtualHost,
    pack,
)
from kfambassador.envoy.routes import build_routes
from kfambassador.envoy.snapshot import XdsResource
from kfambassador.envoy.wire import field_tag, write_field
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Route, RoutingTable
from kfambassador.routing.model import VirtualHost as Host

#: How many entries a table may hold for each of its routes before anchors are cut shorter, so that many expressions
#: beside many prefixes cost a longer walk instead of a table of their product.
COPIES_PER_ROUTE: Final = 4
_FREE_COPIES = 1000

#: How many routes share a node rather than being told apart by further nodes.
ROUTES_PER_NODE: Final = 16
_LENGTHS = (None, 64, 48, 32, 24, 16, 12, 8, 6, 4, 2, 0)

_Tree = Matcher.MatcherTree
_VIRTUAL_HOSTS = field_tag(RouteConfiguration, "virtual_hosts")
_MATCHER = field_tag(VirtualHost, "matcher")
_MATCHER_TREE = field_tag(Matcher, "matcher_tree")
_ON_NO_MATCH = field_tag(Matcher, "on_no_match")
_PREFIX_MAP = field_tag(_Tree, "prefix_match_map")
_ENTRIES = field_tag(_Tree.MatchMap, "map")
_KEY = field_tag(_Tree.MatchMap.MapEntry, "key")
_VALUE = field_tag(_Tree.MatchMap.MapEntry, "value")
_ROUTE_LIST = f"type.googleapis.com/{RouteList.DESCRIPTOR.full_name}"
_PATH_INPUT: bytes = _Tree(
    input={"name": "path", "typed_config": pack(HttpRequestHeaderMatchInput(header_name=":path"))}
).SerializeToString(deterministic=True)

ROOT = ""


class PlacedRoute(NamedTuple):
    """A route in Envoy's words, and where it stands in the tree."""

    anchor: str
    body: bytes


class TableBuilder:
    """Builds tables, doing again only what a change reaches; the answers do not depend on what was built before."""

    def __init__(self) -> None:
        self._place = Memo(_place)
        self._build_list = Memo(build_list)

    def build(self, table: RoutingTable) -> XdsResource:
        """Build the one RouteConfiguration that holds every route of the table."""
        hosts = [write_field(_VIRTUAL_HOSTS, self._build_host(host)) for host in table.virtual_hosts]
        self._place.end_round()
        self._build_list.end_round()
        name = RouteConfiguration(name=ROUTES).SerializeToString(deterministic=True)
        return XdsResource.of(ROUTES, b"".join((name, *hosts)))

    def _build_host(self, host: Host) -> bytes:
        placed = self._place.each(host.routes)
        lists = {
            prefix: self._build_list(*(placed[index].body for index in reached))
            for prefix, reached in arrange([route.anchor for route in placed]).items()
        }
        root = lists.pop(ROOT, None)
        domains: bytes = VirtualHost(name=host.name, domains=host.domains).SerializeToString(deterministic=True)
        matcher = b"" if root is None else write_field(_ON_NO_MATCH, root)
        if lists:
            matcher = write_field(_MATCHER_TREE, _build_tree(lists)) + matcher
        return domains + write_field(_MATCHER, matcher) if matcher else domains


def _place(route: Route) -> PlacedRoute:
    return PlacedRoute(find_anchor(route.match.path), build_routes(route))


def build_list(*routes: bytes) -> bytes:
    """Build what a node of the tree does with a request: try these routes, in order."""
    any_list = AnyMessage(type_url=_ROUTE_LIST, value=b"".join(routes))
    action = Matcher.OnMatch(action={"name": "routes", "typed_config": any_list})
    body: bytes = action.SerializeToString(deterministic=True)
    return body


def _build_tree(lists: Dict[str, bytes]) -> bytes:
    entries = (
        write_field(_ENTRIES, write_field(_KEY, prefix.encode()) + write_field(_VALUE, body))
        for prefix, body in lists.items()
    )
    return _PATH_INPUT + write_field(_PREFIX_MAP, b"".join(entries))


def arrange(anchors: Sequence[str]) -> dict[str, list[int]]:
    """Arrange routes in a tree of prefixes.

    Args:
        anchors: Where each route stands, in evaluation order.

    Returns:
        For every node, which routes a request that reaches it finds, in evaluation order. Nodes are sorted by prefix.

    Example:
        >>> nodes = arrange(["/a/b/", "/a/c/"] + ["/d/"] * 20)
        >>> nodes["/a/"], len(nodes["/d/"])
        ([0, 1], 20)
    """
    limit = COPIES_PER_ROUTE * len(anchors) + _FREE_COPIES
    for length in _LENGTHS:
        # A shorter anchor is still a beginning of every path the route takes, so the tree stays right.
        nodes = _arrange([anchor[:length] for anchor in anchors])
        if sum(map(len, nodes.values())) <= limit:
            break
    return nodes


def _arrange(anchors: Sequence[str]) -> dict[str, list[int]]:
    """Cut the sorted anchors into stretches with a common beginning, until each fits into a node."""
    order = sorted(range(len(anchors)), key=anchors.__getitem__)
    texts = [anchors[index] for index in order]
    nodes: dict[str, list[int]] = {}
    stretches: list[tuple[int, int, list[int]]] = [(0, len(order), [])] if order else []
    while stretches:
        begin, end, above = stretches.pop()
        prefix = _shared_beginning(texts[begin], texts[end - 1])
        # What stands at the prefix itself comes first of those that begin with it.
        stay = end if end - begin <= ROUTES_PER_NODE else bisect(texts, prefix, begin, end)
        if stay > begin:
            above = nodes[prefix] = sorted(above + order[begin:stay])
        first = itemgetter(slice(len(prefix) + 1))
        while stay < end:
            cut = bisect(texts, first(texts[stay]), stay, end, key=first)
            stretches.append((stay, cut, above))
            stay = cut
    return dict(sorted(nodes.items()))


def _shared_beginning(one: str, other: str) -> str:
    differing = (index for index, (here, there) in enumerate(zip(one, other, strict=False)) if here != there)
    return one[: next(differing, min(len(one), len(other)))]
