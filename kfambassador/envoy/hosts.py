"""Which routes a request finds by its host.

Envoy finds a virtual host by the request's host in one step, in any case, and looks no further. So each virtual host
holds the routes of its hosts and all routes that are for no single host. Hosts share one as neighbours share a node.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from kfambassador.routing.matches import HOST
from kfambassador.routing.model import Match, ValueKind

#: How many hosts share a virtual host rather than each having their own.
HOSTS_PER_SHARE: Final = 16

# Whatever else somebody may call a host is compared as a header, which refuses nothing.
_NAME = re.compile(r"[a-z0-9._-]+")


class HostShare(NamedTuple):
    """What some hosts find.

    Attributes:
        domains: The hosts; none for all that no other share names.
        routes: Which routes, in evaluation order.
    """

    domains: tuple[str, ...]
    routes: Sequence[int]


def find_host(match: Match) -> str:
    """Give the one host whose requests this condition takes; "" when that is not sure.

    Example:
        >>> from kfambassador.routing.model import PathKind, PathMatch, ValueMatch
        >>> path = PathMatch(PathKind.PREFIX, "/")
        >>> find_host(Match(path, headers=(ValueMatch(HOST, ValueKind.EXACT, "a.com"),)))
        'a.com'
        >>> find_host(Match(path, headers=(ValueMatch(HOST, ValueKind.SUFFIX, ".com"),)))
        ''
    """
    exact = (each.value for each in match.headers if each.name == HOST and each.kind is ValueKind.EXACT)
    return next((value for value in exact if _NAME.fullmatch(value)), "")


def share_hosts(hosts: Sequence[str]) -> list[HostShare]:
    """Divide routes by host.

    Routes for no single host are repeated in every share, and together these copies are no more than the routes that
    are for one: beside many such routes more hosts share, and few hosts need no shares at all.

    Args:
        hosts: The host of each route, in evaluation order; "" for one that may take several.

    Returns:
        The shares; the last is that of all other hosts.

    Example:
        >>> shares = share_hosts([*(f"{number:02}.com" for number in range(32)), ""])
        >>> [(len(share.domains), len(share.routes)) for share in shares]
        [(16, 17), (16, 17), (0, 1)]
        >>> share_hosts(["a.com", ""])
        [HostShare(domains=(), routes=range(0, 2))]
    """
    if not any(hosts):
        return [HostShare((), range(len(hosts)))]
    common = [index for index, host in enumerate(hosts) if not host]
    own: dict[str, list[int]] = defaultdict(list)
    for index, host in enumerate(hosts):
        if host:
            own[host].append(index)
    size = _find_size(len(own), copied=len(common), most=len(hosts) - len(common))
    if size >= len(own):
        return [HostShare((), range(len(hosts)))]
    names = sorted(own)
    parts = [tuple(names[begin : begin + size]) for begin in range(0, len(names), size)]
    shares = [HostShare(part, sorted([*common, *(index for name in part for index in own[name])])) for part in parts]
    return [*shares, HostShare((), common)]


def _find_size(hosts: int, *, copied: int, most: int) -> int:
    """Find how many hosts share; doubling, so that one route more seldom moves them all."""
    size = HOSTS_PER_SHARE
    while size < hosts and -(-hosts // size) * copied > most:
        size *= 2
    return size
