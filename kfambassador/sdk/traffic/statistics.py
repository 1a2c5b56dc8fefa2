"""What Envoy counted of mappings' requests: how many, how many failed, how long they took; at once or in a window."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Final, Self, overload

from kfambassador.sdk.faces.figures import show_statistics
from kfambassador.sdk.traffic.histograms import Histogram
from kfambassador.sdk.views import View
from kfambassador.tables import write_table

#: The columns of the table.
HEADINGS: Final = (
    "MAPPING",
    "SERVICE",
    "REQUESTS",
    "PER S",
    "4XX",
    "5XX",
    "TIMEOUTS",
    "ERRORS",
    "P50",
    "P95",
    "P99",
    "NOTE",
)
# Readings are taken by one clock and Envoy's uptime is told in whole seconds by another.
_UNSURE: Final = 2.0


class SplitStatistics(View, frozen=True):
    """What was counted of one mapping's requests, or of several that Envoy counts together.

    Envoy counts by service and settings: the mappings of one model that lead to the same server are one count, which is
    what is wanted of a model. A mapping of somebody else's with the same service and settings is in it too; then
    ``shared_with`` says so.

    A request is counted once, when it was answered: by the service, or by Envoy in its place (503 where it cannot be
    reached, 504 when its time was up). Retries in between are not counted, and neither is what a client gave up. What
    is refused before it is sent to any service (401, 403 and 429 of the gateway's own, redirects, 404 of no route) is
    nobody's. An error of a gRPC call is one where Envoy answers in the service's place; a service that answers with a
    grpc-status says 200 to Envoy, and is counted as that.

    Attributes:
        mappings: The mappings, as namespace/name.
        service: Where the first of them points, as it was written.
        cluster: The name Envoy counts under (a mapping's ``stats_name``, or its cluster's); several with commas.
        shared_with: Other mappings that were not asked about and are in the count.
        hidden: Whether the count is kept back, since requests of others you may not see are in it.
        requests: How many were answered.
        client_errors: How many of them with 400 to 499.
        server_errors: How many of them with 500 to 599.
        timeouts: How many of those because their time was up.
        times: How long answers of the service took, in milliseconds, up to their last byte and with their retries; what
            Envoy answered by itself is not among them.
        seconds: How long the window was; None when that is not known.

    Example:
        >>> seen = SplitStatistics(mappings=("team/m",), requests=200, server_errors=3, seconds=60)
        >>> seen.error_rate, round(seen.requests_per_second, 1), seen.p99_ms
        (0.015, 3.3, None)
    """

    mappings: tuple[str, ...]
    service: str = ""
    cluster: str = ""
    shared_with: tuple[str, ...] = ()
    hidden: bool = False
    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    timeouts: int = 0
    times: tuple[tuple[float, float, int], ...] = ()
    seconds: float | None = None

    @property
    def mapping(self) -> str:
        """The first of its mappings, as namespace/name; "" when it is of none."""
        return self.mappings[0] if self.mappings else ""

    @property
    def errors(self) -> int:
        """How many requests ended in a server error; timeouts are among them."""
        return self.server_errors

    @property
    def error_rate(self) -> float:
        """The share of requests that ended in a server error, from 0.0 to 1.0; 0.0 where there were none."""
        return self.server_errors / self.requests if self.requests else 0.0

    @property
    def requests_per_second(self) -> float | None:
        """Requests a second in the window; None when its length is not known."""
        return self.requests / self.seconds if self.seconds else None

    @property
    def p50_ms(self) -> float | None:
        """The time within which half of the answers came, in milliseconds; None where none was measured."""
        return self.percentile(50)

    @property
    def p95_ms(self) -> float | None:
        """The same for 95 percent."""
        return self.percentile(95)

    @property
    def p99_ms(self) -> float | None:
        """The same for 99 percent."""
        return self.percentile(99)

    def percentile(self, percent: float) -> float | None:
        """The same for any share; see :meth:`~kfambassador.sdk.traffic.histograms.Histogram.percentile`."""
        return self.histogram.percentile(percent)

    @cached_property
    def histogram(self) -> Histogram:
        """How long answers took."""
        return Histogram.of(self.times)

    def since(self, earlier: "SplitStatistics", *, seconds: float | None) -> "SplitStatistics":
        """What was counted since an earlier reading; all of it, where Envoy began to count anew in between."""
        if self.requests < earlier.requests:
            return self.changed(seconds=seconds)
        return self.changed(
            requests=self.requests - earlier.requests,
            client_errors=max(0, self.client_errors - earlier.client_errors),
            server_errors=max(0, self.server_errors - earlier.server_errors),
            timeouts=max(0, self.timeouts - earlier.timeouts),
            times=self.histogram.minus(earlier.histogram).buckets,
            seconds=seconds,
        )

    def changed(self, **changes: object) -> Self:
        """The same with other fields."""
        # A copy of pydantic's would keep what is remembered of the times before.
        return type(self).model_validate({**self.model_dump(), **changes})

    def __repr__(self) -> str:
        if self.hidden:
            return f"<SplitStatistics {self.mapping}: kept back>"
        times = f", p50 {_write_time(self.p50_ms)}, p99 {_write_time(self.p99_ms)}" if self.times else ""
        return f"<SplitStatistics {self.mapping}: {self.requests} requests, {self.error_rate:.1%} errors{times}>"


class Statistics(Sequence[SplitStatistics]):
    """What was counted, a row for each count; printed, it is a table.

    Example:
        >>> before = SplitStatistics(mappings=("default/m",), service="m:80", requests=4, times=((12, 1, 4),))
        >>> after = SplitStatistics(mappings=("default/m",), service="m:80", requests=8, times=((12, 1, 8),))
        >>> print(Statistics([after], at=110.0).since(Statistics([before], at=100.0)))
        MAPPING    SERVICE  REQUESTS  PER S  4XX  5XX  TIMEOUTS  ERRORS  P50      P95      P99
        default/m  m:80     4         0.40   0    0    0         0.0%    12.5 ms  12.9 ms  13 ms

    Args:
        rows: The counts.
        at: When they were read, in seconds since 1970.
        uptime: Seconds since Envoy began to count; None when that is not known.
    """

    def __init__(self, rows: Iterable[SplitStatistics], *, at: float = 0.0, uptime: float | None = None) -> None:
        self._rows = tuple(rows)
        self.at = at
        self.uptime = uptime

    @overload
    def __getitem__(self, index: int) -> SplitStatistics: ...
    @overload
    def __getitem__(self, index: slice) -> "Statistics": ...
    def __getitem__(self, index: int | slice) -> "SplitStatistics | Statistics":
        return self._same(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def total(self) -> SplitStatistics:
        """All of it together; each count is in it once."""
        rows = self._rows
        mappings = tuple(chain.from_iterable(row.mappings for row in rows))
        shared = set(chain.from_iterable(row.shared_with for row in rows)).difference(mappings)
        return SplitStatistics(
            mappings=mappings,
            service=next((row.service for row in rows), ""),
            cluster=", ".join(sorted(row.cluster for row in rows)),
            shared_with=tuple(sorted(shared)),
            hidden=any(row.hidden for row in rows),
            requests=sum(row.requests for row in rows),
            client_errors=sum(row.client_errors for row in rows),
            server_errors=sum(row.server_errors for row in rows),
            timeouts=sum(row.timeouts for row in rows),
            times=Histogram.of(chain.from_iterable(row.times for row in rows)).buckets,
            seconds=next((row.seconds for row in rows), None),
        )

    def since(self, earlier: "Statistics") -> "Statistics":
        """What was counted since an earlier reading: the window between both.

        What the earlier one does not hold began in between. Where Envoy itself did, all that it counted is since then.
        """
        seconds = self.at - earlier.at if self.at > earlier.at else None
        began_anew = self.uptime is not None and self.at - self.uptime > earlier.at + _UNSURE
        before = {} if began_anew else {row.cluster: row for row in earlier}
        nothing = SplitStatistics(mappings=())
        rows = [row.since(before.get(row.cluster, nothing), seconds=seconds) for row in self._rows]
        return self._same(rows)

    def _same(self, rows: Iterable[SplitStatistics]) -> "Statistics":
        return Statistics(rows, at=self.at, uptime=self.uptime)

    def __repr__(self) -> str:
        return write_table(HEADINGS, list(map(write_row, self._rows))) if self._rows else "nothing is counted"

    def _repr_html_(self) -> str:
        return show_statistics(HEADINGS, list(map(write_row, self._rows)))


class StatisticsView(View, frozen=True):
    """The read API's answer."""

    at: float = 0.0
    uptime: float | None = None
    statistics: tuple[SplitStatistics, ...] = ()

    def as_statistics(self) -> Statistics:
        """The same, to work with; the window of what was not compared with anything is Envoy's life."""
        rows = (row.model_copy(update={"seconds": self.uptime or None}) for row in self.statistics)
        return Statistics(rows, at=self.at, uptime=self.uptime)


def write_row(row: SplitStatistics) -> tuple[str, ...]:
    """Write a count as the cells of a table, under the headings of :class:`Statistics`."""
    names = row.mapping if len(row.mappings) == 1 else f"{row.mapping} and {len(row.mappings) - 1} more"
    shared = f"with {', '.join(row.shared_with)}" if row.shared_with else ""
    if row.hidden:
        return (names, row.service, *[""] * 9, "kept back: others' requests are in it")
    rate = "" if row.requests_per_second is None else f"{row.requests_per_second:.2f}"
    counts = map(str, (row.client_errors, row.server_errors, row.timeouts))
    errors = f"{row.error_rate:.1%}" if row.requests else ""
    times = map(_write_time, (row.p50_ms, row.p95_ms, row.p99_ms))
    return (names, row.service, str(row.requests), rate, *counts, errors, *times, shared)


def _write_time(milliseconds: float | None) -> str:
    """Write a time with three digits, which is more than Envoy knows.

    Example:
        >>> _write_time(0.0), _write_time(12.53), _write_time(1234.5)
        ('0 ms', '12.5 ms', '1230 ms')
    """
    if milliseconds is None:
        return ""
    return f"{float(f'{milliseconds:.3g}'):.10g} ms"
