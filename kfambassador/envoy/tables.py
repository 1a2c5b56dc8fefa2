"""Ordered routes as one table whose lookup costs the same with ten routes and with fifty thousand.

Envoy tries the routes of a plain list one after another. Here they stand in a tree of path prefixes: a request goes to
the node with the longest prefix of its path and finds there, in the one total order, its node's routes and all those of
the nodes above: every route that could take it. A list that does not match answers 404 and does not look further up,
which is why each node repeats what stands above it. Of many hosts and of many expressions a request finds only what
could take it as well; :mod:`kfambassador.envoy.layout` decides which routes stand together.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from typing import NamedTuple

from kfambassador.envoy.anchors import find_anchor
from kfambassador.envoy.expressions import find_question
from kfambassador.envoy.hosts import find_host
from kfambassador.envoy.layout import HostLayout, Standing, lay_out
from kfambassador.envoy.listeners import ROUTES
from kfambassador.envoy.nodes import Nodes
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
from kfambassador.envoy.wire import field_tag, write_field, write_fields
from kfambassador.routing.memo import Memo
from kfambassador.routing.model import Route, RoutingTable
from kfambassador.routing.model import VirtualHost as Host

_Tree = Matcher.MatcherTree
_Entry = Matcher.MatcherList.FieldMatcher
_VIRTUAL_HOSTS = field_tag(RouteConfiguration, "virtual_hosts")
_MATCHER = field_tag(VirtualHost, "matcher")
_MATCHER_TREE = field_tag(Matcher, "matcher_tree")
_MATCHER_LIST = field_tag(Matcher, "matcher_list")
_MATCHERS = field_tag(Matcher.MatcherList, "matchers")
_ON_MATCH = field_tag(_Entry, "on_match")
_NESTED = field_tag(Matcher.OnMatch, "matcher")
_ON_NO_MATCH = field_tag(Matcher, "on_no_match")
_PREFIX_MAP = field_tag(_Tree, "prefix_match_map")
_ENTRIES = field_tag(_Tree.MatchMap, "map")
_KEY = field_tag(_Tree.MatchMap.MapEntry, "key")
_VALUE = field_tag(_Tree.MatchMap.MapEntry, "value")
_ROUTE_LIST = f"type.googleapis.com/{RouteList.DESCRIPTOR.full_name}"
_PATH = {"name": "path", "typed_config": pack(HttpRequestHeaderMatchInput(header_name=":path"))}
_PATH_INPUT: bytes = _Tree(input=_PATH).SerializeToString(deterministic=True)

ROOT = ""


class PlacedRoute(NamedTuple):
    """A route in Envoy's words, and what decides where it stands."""

    standing: Standing
    body: bytes


class TableBuilder:
    """Builds tables, doing again only what a change reaches; the answers do not depend on what was built before."""

    def __init__(self) -> None:
        self._place = Memo(place_route)
        self._build_list = Memo(build_list)

    def build(self, table: RoutingTable) -> XdsResource:
        """Build the one RouteConfiguration that holds every route of the table."""
        hosts = [body for host in table.virtual_hosts for body in self._build_hosts(host)]
        self._place.end_round()
        self._build_list.end_round()
        name: bytes = RouteConfiguration(name=ROUTES).SerializeToString(deterministic=True)
        return XdsResource.of(ROUTES, name + write_fields(_VIRTUAL_HOSTS, hosts))

    def _build_hosts(self, host: Host) -> Iterator[bytes]:
        """Build one virtual host, or several where there are routes for many single hosts."""
        placed = self._place.each(host.routes)
        for layout in lay_out([route.standing for route in placed]):
            name = "/".join([host.name, *layout.domains[:1]])
            message = VirtualHost(name=name, domains=layout.domains or host.domains)
            matcher = self._build_layout(layout, [placed[index].body for index in layout.routes])
            head: bytes = message.SerializeToString(deterministic=True)
            yield head + write_field(_MATCHER, matcher) if matcher else head

    def _build_layout(self, layout: HostLayout, bodies: Sequence[bytes]) -> bytes:
        nodes = self._build_nodes(layout.nodes, bodies)
        if not layout.questions:
            return nodes
        return _ask_first(layout.questions, yes=self._build_nodes(layout.asked, bodies), no=nodes)

    def _build_nodes(self, nodes: Nodes, bodies: Sequence[bytes]) -> bytes:
        """Build the matcher of a tree; nothing for no nodes."""
        lists = {prefix: self._build_list(*(bodies[index] for index in found)) for prefix, found in nodes.items()}
        root = lists.pop(ROOT, None)
        tree = write_field(_MATCHER_TREE, _build_tree(lists)) if lists else b""
        return tree if root is None else tree + write_field(_ON_NO_MATCH, root)


def place_route(route: Route) -> PlacedRoute:
    """Say a route in Envoy's words, and what decides where it stands."""
    path = route.match.path
    return PlacedRoute(Standing(find_anchor(path), find_host(route.match), find_question(path)), build_routes(route))


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


def _ask_first(questions: Sequence[str], *, yes: bytes, no: bytes) -> bytes:
    """Build a matcher that goes one way when any of the expressions takes the path, and else the other."""
    predicates = [_ask(question) for question in questions]
    # Envoy takes no list of one.
    predicate = predicates[0] if len(predicates) == 1 else {"or_matcher": {"predicate": predicates}}
    asking: bytes = _Entry(predicate=predicate).SerializeToString(deterministic=True)
    entry = asking + write_field(_ON_MATCH, write_field(_NESTED, yes))
    matcher = write_field(_MATCHER_LIST, write_field(_MATCHERS, entry))
    return matcher + write_field(_ON_NO_MATCH, write_field(_NESTED, no)) if no else matcher


def _ask(question: str) -> Dict[str, object]:
    value = {"safe_regex": {"google_re2": {}, "regex": question}}
    return {"single_predicate": {"input": _PATH, "value_match": value}}
