"""Many hosts, many expressions, many prefixes: no table grows as their product, and few walks do."""

from collections.abc import Sequence

import pytest

from kfambassador.envoy.layout import Standing, find_limit, lay_out

PARTS = [f"/part-{number}/" for number in range(10)]
OWN = ["/", *(f"/{{host}}/part-{number}/" for number in range(9))]
ROOT_AND_PARTS = ["/", *PARTS[1:]]


def of_hosts(parts: Sequence[str]) -> list[Standing]:
    hosts = [f"h{number}.com" for number in range(1_000)]
    return [Standing(part.format(host=host), host, "") for part in reversed(parts) for host in hosts]


def of_any(count: int) -> list[Standing]:
    return [Standing(f"/models/team-{number % 100}/model-{number}/", "", "") for number in range(count)]


def expressions(count: int) -> list[Standing]:
    return [Standing("/", "", f"/.*/e{number}/.*") for number in range(count)]


def at_root(count: int) -> list[Standing]:
    """Such as are for hosts that are told by their end."""
    return [Standing("/", "", "")] * count


@pytest.mark.parametrize(
    ("standings", "walk"),
    [
        pytest.param(of_hosts(PARTS), 16, id="hosts"),
        pytest.param(of_hosts(OWN), 32, id="hosts with prefixes of their own"),
        pytest.param(of_hosts(PARTS) + of_any(100), 16, id="hosts, some for any"),
        pytest.param(of_hosts(ROOT_AND_PARTS) + of_any(100), 48, id="hosts with a root, some for any"),
        pytest.param(of_any(5_000), 16, id="prefixes"),
        pytest.param(expressions(200) + of_any(5_000), 16, id="expressions"),
        pytest.param(expressions(1_000) + of_any(1_000), 16, id="as many expressions"),
        pytest.param(expressions(200) + of_hosts(PARTS), 32, id="expressions and hosts"),
        # What can be told apart neither by host nor by prefix is walked.
        pytest.param(of_hosts(ROOT_AND_PARTS) + of_any(5_000), 10_000, id="hosts, many for any"),
        pytest.param(expressions(200) + of_hosts(PARTS) + of_any(5_000), 10_000, id="expressions, hosts, many for any"),
        pytest.param(at_root(1_000) + of_any(5_000), 10_000, id="globs"),
    ],
)
def test_a_table_stays_within_its_limit_and_its_walks_short(standings: list[Standing], walk: int) -> None:
    laid_out = list(lay_out(standings))
    entries = sum(each.count_entries() for each in laid_out)
    assert len(standings) <= entries <= find_limit(len(standings))
    walks = [
        len(found)
        for each in laid_out
        for found in each.nodes.values()
        if not all(standings[each.routes[index]].question for index in found)
    ]
    assert max(walks) <= walk


def test_every_route_is_laid_out() -> None:
    standings = expressions(200) + of_hosts(PARTS) + of_any(100)
    laid_out = list(lay_out(standings))
    assert {index for each in laid_out for index in each.routes} == set(range(len(standings)))
    for each in laid_out:
        found = {index for nodes in (each.nodes, each.asked) for node in nodes.values() for index in node}
        assert found == set(range(len(each.routes)))


def test_no_routes() -> None:
    [layout] = lay_out([])
    assert (len(layout.routes), layout.nodes, layout.count_entries()) == (0, {}, 0)
