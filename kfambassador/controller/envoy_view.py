"""What Envoy says of itself and counts, asked over its admin socket: little at a time, never everything it knows."""

import json
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from kfambassador.controller.asking import ask_admin
from kfambassador.errors import NoGateway
from kfambassador.routing.describe import Json
from kfambassador.routing.model import Cluster

#: Success rates in percent below which a service is red, and yellow (Ambassador, "Diagnostics").
RED_BELOW: Final = 70
YELLOW_BELOW: Final = 90

# What is counted of requests exists only for clusters that had any, so of thousands of clusters this asks for few.
_TRAFFIC: Final = r"^cluster\..*\.(upstream_rq_(completed|4xx|5xx)|ssl\.fail_verify_(error|san))$"
# Why a service's certificate was not believed, by what Envoy counts.
_DISTRUST: Final = {
    "fail_verify_error": "signed by no authority that is trusted; name its authority in a TLSContext's ca_secret",
    "fail_verify_san": "for another name than the service goes by; name it in a TLSContext's sni or in host_rewrite",
}
# Envoy writes each of ://, :/ and : as one underscore (Utility::sanitizeStatsName), and drops dots at the end.
_COLON: Final = re.compile(r":/{0,2}")
_LEVEL: Final = re.compile(r"^\s*(\S+): (\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EnvoyView:
    """What one Envoy said.

    Attributes:
        error: Why it could not be asked; "" when it answered.
        version: Its version.
        state: LIVE, DRAINING, PRE_INITIALIZING or INITIALIZING.
        uptime: How long it runs, such as ``42s``.
        levels: What its loggers log at, by logger.
        counters: For each cluster, by its name in statistics, what is counted.
    """

    error: str = ""
    version: str = ""
    state: str = ""
    uptime: str = ""
    levels: Dict[str, str] = field(default_factory=dict)
    counters: Dict[str, Dict[str, int]] = field(default_factory=dict)


async def read_envoy(socket: Path | None) -> EnvoyView:
    """Ask Envoy how it is and what its clusters did; what keeps it from answering is part of the answer."""
    if socket is None:
        return EnvoyView(error="the controller does not know Envoy's admin socket")
    try:
        info = json.loads(await ask_admin(socket, "/server_info"))
        levels = await ask_admin(socket, "/logging", method="POST")
        counters = await read_counters(socket, _TRAFFIC)
    except (NoGateway, ValueError) as error:
        return EnvoyView(error=str(error))
    return EnvoyView(
        version=str(info.get("version", "")),
        state=str(info.get("state", "")),
        uptime=str(info.get("uptime_current_epoch", "")),
        levels=dict(_LEVEL.findall(levels)),
        counters=counters,
    )


async def read_counters(socket: Path, expression: str) -> dict[str, dict[str, int]]:
    """Ask for the counters and gauges of clusters whose names match an expression, by cluster.

    Raises:
        NoGateway: Envoy does not answer.
    """
    text = await ask_admin(socket, f"/stats?format=json&usedonly&filter={quote(expression, safe='')}")
    found: dict[str, dict[str, int]] = {}
    for each in json.loads(text).get("stats", []):
        if "value" in each:
            cluster, _, counter = each["name"].removeprefix("cluster.").rpartition(".")
            # A cluster may be called so that its name ends like that as well.
            owner = cluster.removesuffix(".ssl") if counter in _DISTRUST else cluster
            found.setdefault(owner, {})[counter] = each["value"]
    return found


async def read_cluster(socket: Path | None, cluster: Cluster) -> dict[str, int]:
    """Ask for what one cluster's endpoints and requests are counted as.

    Raises:
        NoGateway: Envoy does not answer.
    """
    if socket is None:
        raise NoGateway("the controller does not know Envoy's admin socket")
    name = name_in_statistics(cluster)
    counters = "membership_healthy|membership_total|upstream_cx_active|upstream_cx_connect_fail|upstream_rq_active"
    counters += "|upstream_rq_completed|upstream_rq_4xx|upstream_rq_5xx|upstream_rq_timeout|upstream_rq_retry"
    counters += r"|ssl\.fail_verify_error|ssl\.fail_verify_san"
    found = await read_counters(socket, rf"^cluster\.{re.escape(name)}\.({counters})$")
    return found.get(name, {})


async def set_log_level(socket: Path | None, level: str) -> None:
    """Make all of Envoy's loggers log at a level.

    Raises:
        NoGateway: Envoy does not answer.
    """
    if socket is None:
        raise NoGateway("the controller does not know Envoy's admin socket")
    await ask_admin(socket, f"/logging?level={quote(level)}", method="POST")


def name_in_statistics(cluster: Cluster) -> str:
    """The name Envoy counts a cluster by; names that differ may be one to it, and then their counts are."""
    return _COLON.sub("_", cluster.settings.stats_name or cluster.name).rstrip(".")


def describe_traffic(counters: Dict[str, int]) -> dict[str, Json]:
    """Describe what became of a cluster's requests.

    Example:
        >>> describe_traffic({"upstream_rq_completed": 4, "upstream_rq_5xx": 1})
        {'requests': 4, 'client_errors': 0, 'server_errors': 1, 'success_rate': 75.0, 'health': 'yellow'}
        >>> describe_traffic({"fail_verify_san": 2})["tls"][:51]
        '2 connections ended: the certificate is for another'
    """
    requests, failed = counters.get("upstream_rq_completed", 0), counters.get("upstream_rq_5xx", 0)
    rate = round(100 * (requests - failed) / requests, 1) if requests else None
    described: dict[str, Json] = {
        "requests": requests,
        "client_errors": counters.get("upstream_rq_4xx", 0),
        "server_errors": failed,
        "success_rate": rate,
        "health": _colour(rate),
    }
    distrust = "; ".join(
        f"{counters[counter]} connections ended: the certificate is {reason}"
        for counter, reason in _DISTRUST.items()
        if counters.get(counter)
    )
    return {**described, "tls": distrust} if distrust else described


def describe_levels(levels: Dict[str, str]) -> dict[str, Json]:
    """Describe loggers: one word where all log alike.

    Example:
        >>> describe_levels({"http": "warning", "router": "warning"})
        {'all': 'warning'}
    """
    return {"all": next(iter(levels.values()))} if len(set(levels.values())) == 1 else {**levels}


def _colour(rate: float | None) -> str:
    if rate is None:
        return "unknown"
    return "red" if rate < RED_BELOW else "yellow" if rate < YELLOW_BELOW else "green"
