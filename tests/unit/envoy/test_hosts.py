"""Routes by host: what one host's requests find."""

import pytest

from kfambassador.envoy.hosts import HostShare, find_host, share_hosts
from kfambassador.routing.matches import HOST
from kfambassador.routing.model import Match, PathKind, PathMatch, ValueKind, ValueMatch

MANY = [f"h{number:02}.com" for number in range(40)]


@pytest.mark.parametrize(
    ("conditions", "host"),
    [
        ((), ""),
        ((ValueMatch(HOST, ValueKind.EXACT, "a.com"),), "a.com"),
        ((ValueMatch(HOST, ValueKind.EXACT, "a_b-1.com"),), "a_b-1.com"),
        ((ValueMatch(HOST, ValueKind.EXACT, ""),), ""),
        ((ValueMatch(HOST, ValueKind.EXACT, "a*b"),), ""),
        ((ValueMatch(HOST, ValueKind.EXACT, "é.com"),), ""),
        ((ValueMatch(HOST, ValueKind.EXACT, "[::1]"),), ""),
        ((ValueMatch(HOST, ValueKind.SUFFIX, "a.com"),), ""),
        ((ValueMatch(HOST, ValueKind.REGEX, "a.com"),), ""),
        ((ValueMatch("x-host", ValueKind.EXACT, "a.com"),), ""),
    ],
)
def test_a_host_is_what_can_be_no_other(conditions: tuple[ValueMatch, ...], host: str) -> None:
    assert find_host(Match(PathMatch(PathKind.PREFIX, "/"), headers=conditions)) == host


def test_each_share_holds_the_routes_of_its_hosts_and_those_for_any_in_order() -> None:
    first, second, third, others = share_hosts([*MANY, "", *MANY])
    assert first == HostShare(tuple(MANY[:16]), [*range(16), 40, *range(41, 57)])
    assert (len(second.domains), len(third.domains)) == (16, 8)
    assert others == HostShare((), [40])


def test_the_more_routes_are_for_any_host_the_more_hosts_share() -> None:
    assert [len(share.domains) for share in share_hosts([*MANY, *[""] * 13])] == [16, 16, 8, 0]
    assert [len(share.domains) for share in share_hosts([*MANY, *[""] * 14])] == [32, 8, 0]
    assert [len(share.domains) for share in share_hosts([*MANY, *[""] * 21])] == [0]


def test_few_hosts_need_no_shares() -> None:
    assert [len(share.domains) for share in share_hosts(MANY[:16])] == [0]
    assert [len(share.domains) for share in share_hosts(MANY[:17])] == [16, 1, 0]


def test_no_routes() -> None:
    assert share_hosts([]) == [HostShare((), range(0))]
