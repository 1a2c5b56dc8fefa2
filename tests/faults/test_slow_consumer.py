"""Somebody who asks for everything by xDS and takes no answer, or answers none (fault 12)."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from kfambassador.envoy.listeners import ROUTES
from kfambassador.envoy.snapshot import TypeUrl
from kfambassador.names import XDS_SOCKET
from tests.faults.api import carrier, mapping
from tests.faults.scene import Scene
from tests.xds_client import XdsClient, xds_client

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-slow-consumer")]

#: So many mappings with so many bytes each make a table of over a megabyte: more than a stream takes that nobody reads.
MAPPINGS, BYTES = 400, 3_000

CHANGES = 80

#: MB by which the controller may grow meanwhile: a tenth of what it would if it kept what it has to say.
ROOM = 40


@contextmanager
def somebody_slow(scene: Scene) -> Iterator[Callable[[Callable[[XdsClient], Awaitable[int]]], int]]:
    """Have somebody ask for clusters, listeners and routes; gives a way to let them do more, from then on."""
    loop = asyncio.new_event_loop()
    connected: Future[XdsClient] = Future()
    done = asyncio.Event()

    async def connect() -> None:
        async with xds_client(scene.gateway.sockets / XDS_SOCKET) as client:
            await client.ask(TypeUrl.CLUSTER, node="slow")
            await client.ask(TypeUrl.LISTENER)
            await client.ask(TypeUrl.ROUTE_CONFIGURATION, ROUTES)
            connected.set_result(client)
            await done.wait()

    def act(what: Callable[[XdsClient], Awaitable[int]]) -> int:
        async def run() -> int:
            return await what(connected.result())

        return asyncio.run_coroutine_threadsafe(run(), loop).result(120)

    thread = threading.Thread(target=loop.run_until_complete, args=(connect(),))
    thread.start()
    try:
        connected.result(60)
        yield act
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def test_who_reads_nothing_holds_up_nobody_and_is_told_the_newest_only(scene: Scene) -> None:
    gateway = scene.gateway
    header = "add_request_headers: {x-padding: " + "x" * BYTES + "}"
    large = [mapping(f"large-{number}", "one", header) for number in range(MAPPINGS)]
    for number in range(0, MAPPINGS, 40):
        scene.api.apply(carrier(f"large-{number}", *large[number : number + 40]))
    scene.publish("stays", "changes")
    for number in range(0, MAPPINGS, 40):
        scene.wait_served(f"large-{number}", "one")
    with somebody_slow(scene) as slow, scene.load("stays") as load:
        _change(scene, 10)
        before = gateway.controller.resident()
        _change(scene, CHANGES)
        grown = gateway.controller.resident() - before
        heard = slow(_count_until_silent)
    assert load.failed == {}
    assert grown < ROOM
    # What was on its way when they stopped reading, and then what holds now: an answer or two of each type.
    assert heard < CHANGES / 4


def _change(scene: Scene, times: int) -> None:
    """Have a path lead elsewhere, again and again; Envoy serves each before the next comes."""
    for number in range(times):
        model = ("two", "one")[number % 2]
        scene.lead("changes", model)
        scene.wait_served("changes", model)


async def _count_until_silent(client: XdsClient) -> int:
    """Read and accept everything there is to be told; give how many answers that were."""
    for heard in range(10_000):
        try:
            response = await asyncio.wait_for(client.receive(), 6)
        except TimeoutError:
            return heard
        await client.accept(response)
    raise AssertionError("it never ends")
