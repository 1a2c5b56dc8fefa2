"""What Envoy counted of each mapping's requests, asked by name over its admin socket: requests, errors and times.

Envoy counts by cluster. Mappings that lead to one service with the same settings share a cluster and so are counted
together: an answer has one row for each count, and says whom else it counts.
"""

import asyncio
import re
import time
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ValidationError

from kfambassador.controller.asking import ask_admin
from kfambassador.controller.envoy_view import name_in_statistics
from kfambassador.controller.inquiries import Inquiry
from kfambassador.controller.sight import OWNER, Sight, find_shared_clusters
from kfambassador.errors import NoGateway
from kfambassador.routing.describe import Json, name_mapping
from kfambassador.routing.model import RoutingTable, Split

# Envoy's histograms are what its workers had handed over before it was last asked anything: so it is asked twice.
_HAND_OVER: Final = "/stats?usedonly&filter=" + quote("^$", safe="")
_COUNTED: Final = r"upstream_rq_(completed|4xx|5xx|timeout|time)"
_ASK: Final = "/stats?format=json&usedonly&histogram_buckets=detailed&filter="
# So many names at a time; beyond that it costs Envoy less to be asked for all.
_NAMES: Final = 64


class _Bucket(BaseModel, frozen=True):
    lower_bound: float
    width: float
    count: int


class _Histogram(BaseModel, frozen=True):
    name: str
    totals: tuple[_Bucket, ...] = ()


class _Histograms(BaseModel, frozen=True):
    details: tuple[_Histogram, ...] = ()


class _Statistic(BaseModel, frozen=True):
    name: str = ""
    value: int | str = 0
    histograms: _Histograms = _Histograms()


class _Told(BaseModel, frozen=True):
    stats: tuple[_Statistic, ...] = ()


class _Info(BaseModel, frozen=True):
    uptime_current_epoch: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What Envoy counted of one cluster's requests since it began.

    Attributes:
        counters: By their names in Envoy, without the cluster's.
        times: How long answers took: for each bucket its lower bound and its width in milliseconds, and how many.
    """

    counters: Dict[str, int] = field(default_factory=dict)
    times: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What Envoy counted, at one moment.

    Attributes:
        at: The moment, in seconds since 1970.
        uptime: Seconds since Envoy began to count.
        counted: By the cluster's name in statistics; of what had no requests nothing is there.
    """

    at: float = 0.0
    uptime: int = 0
    counted: Dict[str, Counted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Mappings that are counted as one.

    Attributes:
        splits: Those that are asked about.
        others: The rest of them.
    """

    splits: tuple[Split, ...]
    others: tuple[Split, ...]


async def read_traffic(socket: Path | None, names: Collection[str]) -> Reading:
    """Ask Envoy what it counted.

    Args:
        socket: Its admin socket.
        names: The clusters, by their names in statistics.

    Raises:
        NoGateway: Envoy does not answer.
    """
    if socket is None:
        raise NoGateway("the controller does not know Envoy's admin socket")
    uptime = _read_uptime(await ask_admin(socket, "/server_info"))
    await ask_admin(socket, _HAND_OVER)
    counters: dict[str, dict[str, int]] = {}
    times: dict[str, tuple[tuple[float, float, int], ...]] = {}
    for expression in write_expressions(names):
        for each in await _ask(socket, _ASK + quote(expression, safe="")):
            cluster, counter = _split_name(each.name)
            counters.setdefault(cluster, {})[counter] = int(each.value)
            for histogram in each.histograms.details:
                buckets = tuple((each.lower_bound, each.width, each.count) for each in histogram.totals)
                times[_split_name(histogram.name)[0]] = buckets
    counted = {name: Counted(counters.get(name, {}), times.get(name, ())) for name in names if name in counters}
    return Reading(time.time(), uptime, counted)


def write_expressions(names: Collection[str]) -> Iterator[str]:
    r"""Write what to ask Envoy for so that these clusters' counters are among its answers, in few questions.

    Example:
        >>> list(write_expressions(["a", "b"]))
        ['^cluster\\.(a|b)\\.upstream_rq_(completed|4xx|5xx|timeout|time)$']
    """
    # A name of ours has no dot; what a mapping's stats_name says may have.
    plain = sorted(name for name in names if "." not in name)
    if len(plain) > _NAMES:
        yield rf"^cluster\.[^.]+\.{_COUNTED}$"
        plain = []
    chosen = sorted({*plain, *(name for name in names if "." in name)})
    for start in range(0, len(chosen), _NAMES):
        alternatives = "|".join(map(re.escape, chosen[start : start + _NAMES]))
        yield rf"^cluster\.({alternatives})\.{_COUNTED}$"


async def tell_statistics(inquiry: Inquiry) -> web.Response:
    """Tell what Envoy counted of all mappings, or of those named by ``mapping=NAMESPACE/NAME``.

    With ``used=true`` those that had no requests are left out.
    """
    desk, mappings = inquiry.desk, inquiry.request.query.getall("mapping", [])
    table = desk.controller.work.compiled.table
    socket = desk.settings.admin_socket
    used_only = inquiry.request.query.get("used") == "true"
    told = await describe_statistics(table, socket, mappings=mappings, sight=inquiry.sight, used_only=used_only)
    return web.json_response(told)


async def describe_statistics(
    table: RoutingTable,
    socket: Path | None,
    *,
    mappings: Collection[str] = (),
    sight: Sight = OWNER,
    used_only: bool = False,
) -> dict[str, Json]:
    """Describe what Envoy counted of mappings.

    Args:
        table: The whole table, also of what is not to be told: who is counted together must be known.
        socket: Envoy's admin socket.
        mappings: Of which, as namespace/name; none is all. Those not in the table are passed over.
        sight: What whoever asks may see.
        used_only: Leave out what had no requests.

    Raises:
        NoGateway: Envoy does not answer.
    """
    # Both look at every route; the loop has other things to do meanwhile.
    rows = await asyncio.to_thread(gather_rows, table, mappings, sight)
    hidden = await asyncio.to_thread(find_shared_clusters, table, sight)
    reading = await read_traffic(socket, [name for name, row in rows.items() if row.splits[0].cluster not in hidden])
    statistics: list[Json] = [
        _describe(name, row, reading.counted.get(name), hidden=hidden, sight=sight)
        for name, row in rows.items()
        if not used_only or name in reading.counted
    ]
    return {"at": reading.at, "uptime": reading.uptime, "statistics": statistics}


def gather_rows(table: RoutingTable, mappings: Collection[str] = (), sight: Sight = OWNER) -> dict[str, Row]:
    """Gather which mappings are counted together, by the names they are counted under, in the table's order.

    Redirects reach no service, so Envoy counts nothing of theirs.
    """
    names = {cluster.name: name_in_statistics(cluster) for cluster in table.clusters}
    asked: dict[str, list[Split]] = {}
    others: dict[str, list[Split]] = {}
    wanted = frozenset(mappings)
    for split in _list_splits(table):
        is_asked = sight.sees(split.namespace) and (not wanted or name_mapping(split) in wanted)
        (asked if is_asked else others).setdefault(names[split.cluster], []).append(split)
    # By name, so that a model's own name comes before those of its further mappings.
    return {
        name: Row(tuple(sorted(splits, key=name_mapping)), tuple(sorted(others.get(name, ()), key=name_mapping)))
        for name, splits in asked.items()
    }


def _list_splits(table: RoutingTable) -> Iterator[Split]:
    for route in table.routes():
        for split in route.receivers:
            if split.cluster:
                yield split


def _describe(
    name: str, row: Row, counted: Counted | None, *, hidden: Collection[str], sight: Sight
) -> dict[str, Json]:
    first = row.splits[0]
    shared = [name_mapping(each) for each in row.others if sight.sees(each.namespace)]
    described: dict[str, Json] = {
        "mappings": _as_json(map(name_mapping, row.splits)),
        "service": first.mapping.service,
        "cluster": name,
        "shared_with": _as_json(shared),
    }
    if first.cluster in hidden:
        # The count would tell of other people's requests.
        return described | {"hidden": True}
    counters = counted.counters if counted else {}
    times: list[Json] = [[*bucket] for bucket in counted.times] if counted else []
    return described | {
        "requests": counters.get("upstream_rq_completed", 0),
        "client_errors": counters.get("upstream_rq_4xx", 0),
        "server_errors": counters.get("upstream_rq_5xx", 0),
        "timeouts": counters.get("upstream_rq_timeout", 0),
        "times": times,
    }


def _as_json(texts: Iterable[str]) -> list[Json]:
    return [*texts]


async def _ask(socket: Path, path: str) -> tuple[_Statistic, ...]:
    text = await ask_admin(socket, path)
    try:
        return _Told.model_validate_json(text).stats
    except ValidationError as error:
        raise NoGateway(f"Envoy's admin answers with something else than statistics: {text[:200]!r}") from error


def _read_uptime(text: str) -> int:
    # The statistic of that name is as old as the last hand-over.
    try:
        return int(_Info.model_validate_json(text).uptime_current_epoch.removesuffix("s"))
    except ValueError as error:
        raise NoGateway(f"Envoy's admin does not say how long it runs: {text[:200]!r}") from error


def _split_name(name: str) -> tuple[str, str]:
    cluster, _, counter = name.removeprefix("cluster.").rpartition(".")
    return cluster, counter
