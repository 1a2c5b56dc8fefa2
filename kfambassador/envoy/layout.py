"""How the routes of a table stand to each other: which of them a request finds, by host, expression and prefix.

Indices only; :mod:`kfambassador.envoy.tables` writes what is decided here. Whatever the request, it finds every route
that could take it, in the one total order; all else is a question of size and speed.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kfambassador.envoy.expressions import find_crowd, find_met, join_all
from kfambassador.envoy.hosts import share_hosts
from kfambassador.envoy.nodes import Nodes, arrange, count_entries

#: How many entries a table may hold for each of its routes, and how many beyond that: enough for any small table.
COPIES_PER_ROUTE: Final = 4
FREE_COPIES: Final = 1000

#: How many entries a table may hold for each of the routes that are found once an expression takes the path. Each
#: expression is built anew for every node it stands in, and that costs Envoy more than several other routes.
ENTRIES_WHEN_ASKED: Final = 2


class Standing(NamedTuple):
    """What of a route decides where it stands.

    Attributes:
        anchor: A text that every path it takes begins with.
        host: The one host whose requests it takes; "" when it may be several.
        question: An expression that takes every path it takes, to be asked first; "" for none.
    """

    anchor: str
    host: str
    question: str


class HostLayout(NamedTuple):
    """What the requests for some hosts find.

    Attributes:
        domains: The hosts; none for all that no other layout names.
        routes: All routes for them, in evaluation order.
        nodes: Which of these by prefix.
        questions: Expressions to ask first; none when there is nothing to ask.
        asked: Which routes by prefix when one of the expressions takes the path.
    """

    domains: tuple[str, ...]
    routes: Sequence[int]
    nodes: Nodes
    questions: tuple[str, ...]
    asked: Nodes

    def count_entries(self) -> int:
        """Count the entries of all nodes together."""
        return count_entries(self.nodes) + count_entries(self.asked)


def find_limit(routes: int) -> int:
    """Say how many entries a table of so many routes may hold."""
    return COPIES_PER_ROUTE * routes + FREE_COPIES


def lay_out(standings: Sequence[Standing]) -> Iterator[HostLayout]:
    """Lay a table out.

    Args:
        standings: The routes, in evaluation order.

    Example:
        >>> [layout] = lay_out([Standing("/a/", "", ""), Standing("/b/", "", "")])
        >>> layout.domains, layout.nodes
        ((), {'/': [0, 1]})
    """
    # By columns, since all routes are gone through at every change.
    anchors, hosts, questions = zip(*standings, strict=True) if standings else ((), (), ())
    shares = share_hosts(hosts)
    limit, held = find_limit(len(standings)), sum(len(share.routes) for share in shares)
    for domains, routes in shares:
        # Shares hold twice the routes at most, so each is left twice its own, and that always does.
        fair = limit * len(routes) // max(held, 1)
        yield HostLayout(domains, routes, *_lay_out_share(_pick(anchors, routes), _pick(questions, routes), fair))


def _pick(column: Sequence[str], routes: Sequence[int]) -> Sequence[str]:
    return column if len(routes) == len(column) else [column[index] for index in routes]


def _lay_out_share(
    anchors: Sequence[str], questions: Sequence[str], limit: int
) -> tuple[Nodes, tuple[str, ...], Nodes]:
    crowd = find_crowd(anchors, questions)
    if not crowd:
        return arrange(range(len(anchors)), anchors, limit), (), {}
    met = find_met(anchors, crowd)
    left = sorted(set(range(len(anchors))).difference(crowd))
    nodes = arrange(left, anchors, limit - len(met))
    asked = arrange(met, anchors, min(limit - count_entries(nodes), ENTRIES_WHEN_ASKED * len(met)))
    return nodes, join_all(tuple(sorted({questions[index] for index in crowd}))), asked
