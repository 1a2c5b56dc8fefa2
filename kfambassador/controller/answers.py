"""The answers of the read API, each made from what the one who asks may see."""

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from kfambassador.controller.asking import ask_route
from kfambassador.controller.drilldown import describe_one, describe_one_cluster, find_cluster
from kfambassador.controller.envoy_view import read_cluster, set_log_level
from kfambassador.controller.inquiries import Inquiry
from kfambassador.controller.overview import OWNERS_PARTS, PARTS, describe_overview, describe_source
from kfambassador.controller.state import SourceState, SourceStatus
from kfambassador.controller.telling import tell_answer, tell_explanation
from kfambassador.kube.objects import is_as_new
from kfambassador.problems import ObjectKey
from kfambassador.proxy.command import LogLevel
from kfambassador.routing.describe import Json, describe_problem
from kfambassador.routing.explain import explain, find_winner
from kfambassador.routing.requests import RequestLine

_LONGEST_WAIT: Final = 30.0
# What a browser says of a request that a page of ours sent, or a person by hand.
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def refuse(words: str, *, status: int) -> web.Response:
    """Say in words why there is no answer."""
    return web.json_response({"error": words}, status=status)


async def write(describe: Callable[[], Json]) -> web.Response:
    """Answer with what a function describes; it runs in a thread, and what it needs must not change meanwhile."""
    text = await asyncio.to_thread(lambda: json.dumps(describe()))
    return web.Response(text=text, content_type="application/json")


async def tell_routes(inquiry: Inquiry) -> web.Response:
    """Tell the routes in the order they are evaluated."""
    texts, table = inquiry.desk.texts, (await inquiry.work()).compiled.table
    put = texts.write_all if inquiry.sight.sees_all else texts.write_some
    return web.Response(body=await asyncio.to_thread(put, table), content_type="application/json", charset="utf-8")


async def tell_problems(inquiry: Inquiry) -> web.Response:
    """Tell what is wrong."""
    work = await inquiry.work()
    return await write(lambda: {"problems": [describe_problem(problem) for problem in work.compiled.problems]})


async def tell_overview(inquiry: Inquiry) -> web.Response:
    """Tell everything, or with ``filter`` one part; with ``loglevel`` make Envoy log at that level first."""
    query = inquiry.request.query
    key, level = query.get("filter", ""), query.get("loglevel", "")
    if key and key not in PARTS:
        return refuse(f"there is no part {key}; there are {', '.join(PARTS)}", status=404)
    if key in OWNERS_PARTS:
        inquiry.require_owner(f"the part {key}")
    if level:
        inquiry.require_owner("to change what Envoy logs")
        if inquiry.request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
            return refuse("another site may not change what Envoy logs", status=403)
        if level not in tuple(LogLevel):
            return refuse(f"{level} is no level of Envoy's; those are {', '.join(LogLevel)}", status=400)
        await set_log_level(inquiry.desk.settings.admin_socket, level)
    seen = await inquiry.seen()
    kept = () if inquiry.sight.is_owner else OWNERS_PARTS
    return await write(lambda: describe_overview(seen, key, without=kept))


async def tell_one(inquiry: Inquiry) -> web.Response:
    """Tell of one source, group or cluster."""
    name = inquiry.request.match_info["name"]
    seen = await inquiry.seen()
    cluster = find_cluster(seen, name)
    if cluster is not None:
        counters = await read_cluster(inquiry.desk.settings.admin_socket, cluster)
        described: dict[str, Json] | None = describe_one_cluster(seen, cluster, counters)
    else:
        described = await asyncio.to_thread(describe_one, seen, name)
    if described is None:
        return refuse(f"there is no source, group or cluster {name}", status=404)
    return web.json_response(described)


async def tell_fate(inquiry: Inquiry) -> web.Response:
    """Tell which route takes a request; with ``ask=envoy``, what Envoy itself says as well.

    With ``verdicts=none`` what all other routes say is left out: among thousands that is nearly all of the answer.
    """
    query, controller = inquiry.request.query, inquiry.desk.controller
    headers = dict(_split_header(header) for header in query.getall("header", []))
    line = RequestLine.read(query.get("method", "GET"), query.get("url", "/"), headers)
    work = controller.work
    # The whole table decides, whatever of it may be told.
    ask = find_winner if query.get("verdicts") == "none" else explain
    explanation = await asyncio.to_thread(ask, work.compiled.table, line)
    more: dict[str, Json] = {}
    if query.get("ask") == "envoy":
        socket = inquiry.desk.settings.listener.asking_socket
        if socket is None:
            return refuse("the Envoy of this gateway has no socket to be asked by", status=501)
        try:
            answer = await ask_route(Path(socket), line)
        except ValueError as error:
            return refuse(f"Envoy cannot be asked about what is no request: {error}", status=400)
        more["envoy"] = tell_answer(explanation, answer, inquiry.sight)
        more |= {"generation": work.generation, "served": controller.served}
    return await write(lambda: tell_explanation(explanation, inquiry.sight) | more)


async def tell_generation(inquiry: Inquiry) -> web.Response:
    """Tell the number of the newest table and of the one that every Envoy has.

    With ``after`` and ``served``, what the caller knows, and ``wait`` the answer comes as soon as either is another.
    """
    query, controller = inquiry.request.query, inquiry.desk.controller
    wait = _read_seconds(query.get("wait", "0"))
    if wait is None:
        return refuse("wait is a number of seconds", status=400)
    known = (query.get("after", ""), query.get("served", ""))
    if not all(number == "" or (number.isascii() and number.isdecimal()) for number in known):
        return refuse("after and served are the numbers that were told the last time", status=400)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while True:
        generation, served = controller.work.generation, controller.served
        left = deadline - loop.time()
        if left <= 0 or known != (str(generation), "" if served is None else str(served)):
            return web.json_response({"generation": generation, "served": served})
        await controller.news(timeout=left)


async def tell_source(inquiry: Inquiry) -> web.Response:
    """Tell how far an object has come; with ``wait``, as soon as what is asked for is decided.

    That is a version of the object, or with ``absent=true`` that the object configures nothing any more.
    """
    request, controller = inquiry.request, inquiry.desk.controller
    key = ObjectKey(request.match_info["kind"], request.match_info["namespace"], request.match_info["name"])
    version = None if request.query.get("absent") == "true" else request.query.get("resource_version", "")
    wait = _read_seconds(request.query.get("wait", "0"))
    if wait is None:
        return refuse("wait is a number of seconds", status=400)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while True:
        status = controller.work.source(key, served=controller.served)
        left = deadline - loop.time()
        if left <= 0 or _is_decided(status, version):
            return await _tell_status(inquiry, status)
        await controller.news(timeout=left)


async def _tell_status(inquiry: Inquiry, status: SourceStatus) -> web.Response:
    told_of = {problem.veil.namespace for problem in status.problems if problem.veil is not None}
    inquiry = await inquiry.widened(told_of, needed=[status.key.namespace])
    return web.json_response(describe_source(status.told_to(inquiry.sight.sees)))


def _is_decided(status: SourceStatus, version: str | None) -> bool:
    """Tell whether a version is decided; None asks for the object's absence."""
    is_absent = status.state is SourceState.UNKNOWN
    if version is None or is_absent:
        return version is None and is_absent and status.is_decided
    return status.is_decided and (not version or is_as_new(status.resource_version, version))


def _read_seconds(text: str) -> float | None:
    """Read how long somebody waits; None when it is no number. A wait of NaN would never be over."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return None if math.isnan(seconds) else min(seconds, _LONGEST_WAIT)


def _split_header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()
