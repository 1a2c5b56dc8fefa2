"""Counts, windows between two readings, and the table."""

import re

import pytest

from kfambassador.sdk.traffic.statistics import SplitStatistics, Statistics, StatisticsView


def row(
    requests: int = 0, errors: int = 0, *, cluster: str = "c", name: str = "team/m", **others: object
) -> SplitStatistics:
    return SplitStatistics.model_validate(
        {
            "mappings": (name,),
            "service": "m:80",
            "cluster": cluster,
            "requests": requests,
            "server_errors": errors,
            "times": ((10, 1, requests),),
            **others,
        }
    )


def test_rates() -> None:
    counted = row(8, 2, seconds=4.0)
    assert (counted.error_rate, counted.errors, counted.requests_per_second) == (0.25, 2, 2.0)
    assert (counted.p50_ms, counted.p95_ms, counted.p99_ms) == (10.5, 10.95, 10.99)
    assert (row().error_rate, row().requests_per_second, row().p50_ms) == (0.0, None, None)


def test_a_window() -> None:
    earlier = Statistics([row(10, 5, client_errors=3, timeouts=2)], at=100.0, uptime=50)
    later = Statistics([row(16, 7, client_errors=4, timeouts=3)], at=103.0, uptime=53)
    [window] = later.since(earlier)
    assert (window.requests, window.server_errors, window.client_errors, window.timeouts) == (6, 2, 1, 1)
    assert (window.seconds, window.requests_per_second, window.histogram.total) == (3.0, 2.0, 6)
    # Of a window one can ask for a window too, and the first reading is what it was.
    assert later.since(later).total.requests == 0
    assert earlier.total.requests == 10


@pytest.mark.parametrize(
    ("later", "at", "uptime", "requests"),
    [
        (row(16), 110.0, 60, 6),
        (row(4), 110.0, 60, 4),  # what was counted is less: its cluster was gone meanwhile
        (row(16), 110.0, 5, 16),  # Envoy runs only since then
        (row(16), 110.0, None, 6),
        (row(16, cluster="new"), 110.0, 60, 16),
        (row(16), 100.0, 50, 6),
    ],
    ids=["as usual", "began anew", "Envoy began anew", "no uptime", "another cluster", "no time between"],
)
def test_what_began_anew_counts_from_its_beginning(
    later: SplitStatistics, at: float, uptime: float | None, requests: int
) -> None:
    earlier = Statistics([row(10)], at=100.0, uptime=50)
    window = Statistics([later], at=at, uptime=uptime).since(earlier)
    assert window.total.requests == window.total.histogram.total == requests
    assert window.total.seconds == (at - 100.0 or None)


def test_the_total_has_each_count_once() -> None:
    counts = Statistics(
        [
            row(3, 1, cluster="a", name="team/a", shared_with=("team/b", "other/x")),
            row(5, cluster="b", name="team/b"),
        ]
    )
    total = counts.total
    assert (total.requests, total.server_errors, total.mappings) == (8, 1, ("team/a", "team/b"))
    assert total.shared_with == ("other/x",)
    assert total.histogram.total == 8
    assert Statistics([]).total.requests == 0


def test_it_is_a_sequence_and_a_table() -> None:
    counts = Statistics(
        [
            row(1500, 30, seconds=10.0, timeouts=1),
            row(0, cluster="b", name="team/quiet"),
            row(2, cluster="d", mappings=("team/a", "team/b", "team/c"), shared_with=("other/x",)),
            SplitStatistics(mappings=("team/secret",), service="s", cluster="e", hidden=True),
        ]
    )
    assert len(counts) == 4
    assert counts[1].mapping == "team/quiet"
    assert isinstance(counts[:2], Statistics)
    assert [line.split("  ") for line in _squeeze(repr(counts))] == [
        ["MAPPING", "SERVICE", "REQUESTS", "PER S", "4XX", "5XX", "TIMEOUTS", "ERRORS", "P50", "P95", "P99", "NOTE"],
        ["team/m", "m:80", "1500", "150.00", "0", "30", "1", "2.0%", "10.5 ms", "10.9 ms", "11 ms"],
        ["team/quiet", "m:80", "0", "0", "0", "0"],
        ["team/a and 2 more", "m:80", "2", "0", "0", "0", "0.0%", "10.5 ms", "10.9 ms", "11 ms", "with other/x"],
        ["team/secret", "s", "kept back: others' requests are in it"],
    ]
    assert repr(Statistics([])) == "nothing is counted"


def _squeeze(table: str) -> list[str]:
    """The lines of a table with two spaces between its cells; empty ones are gone."""
    return [re.sub(" {2,}", "  ", line) for line in table.splitlines()]


def test_one_line_each() -> None:
    assert repr(row(8, 2)) == "<SplitStatistics team/m: 8 requests, 25.0% errors, p50 10.5 ms, p99 11 ms>"
    assert repr(SplitStatistics(mappings=("team/m",))) == "<SplitStatistics team/m: 0 requests, 0.0% errors>"
    assert repr(SplitStatistics(mappings=("team/m",), hidden=True)) == "<SplitStatistics team/m: kept back>"


def test_what_a_newer_gateway_adds_is_passed_over_and_what_an_older_lacks_is_nothing() -> None:
    view = StatisticsView.model_validate_json(
        b'{"at": 7.5, "uptime": 60, "new": 1, "statistics": ['
        b'{"mappings": ["team/m"], "service": "m", "cluster": "c", "requests": 2, "times": [[10, 1, 2]], "new": {}},'
        b'{"mappings": ["team/n"], "hidden": true}]}'
    )
    counts = view.as_statistics()
    assert (counts.at, counts.uptime, counts[0].seconds, counts[0].p50_ms) == (7.5, 60.0, 60.0, 10.5)
    assert (counts[1].hidden, counts[1].requests) == (True, 0)
    assert list(StatisticsView.model_validate_json(b"{}").as_statistics()) == []
