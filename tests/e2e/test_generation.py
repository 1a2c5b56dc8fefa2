"""Waiting for a change of what a gateway serves: the read API's long poll, and the SDK's word for it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

import kfambassador as kfa
from kfambassador.errors import NoGateway
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.reaching.reading import ReadApi
from kfambassador.sdk.views import Generation
from tests.e2e.gateway import Answer, Parts, running_gateway, until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("generation")]

#: Longer than anybody here waits for an answer: what is answered at all was not answered because the wait was over.
LONG = 30
#: Long enough for an answer that is given at once to be there; one that comes later fails no test.
MOMENT = 0.3
MANY = 200
MAPPING = "{{apiVersion: ambassador/v1, kind: Mapping, name: {name}, prefix: /{name}/, service: '127.0.0.1:1'}}"


@pytest.fixture(scope="module")
def parts() -> Iterator[Parts]:
    with running_gateway() as parts:
        yield parts


@pytest.fixture
def gateway(parts: Parts) -> Iterator[kfa.Gateway]:
    with connected(parts) as gateway:
        yield gateway


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Threads for those who wait."""
    with ThreadPoolExecutor() as threads:
        yield threads


@contextmanager
def connected(parts: Parts) -> Iterator[kfa.Gateway]:
    reader = ReadApi(parts.controller.diagnostics_url, HttpClient(direct=True))
    with kfa.Gateway(Access(parts.client, reader, HttpClient(direct=True), parts.url, quiet=True)) as gateway:
        yield gateway
    reader.close()


def ask(parts: Parts, query: str = "") -> dict[str, int | None]:
    """What is told of the table; the answer must be one."""
    answer = parts.ask(f"generation?{query}")
    assert answer.status == 200, answer.body
    return told(answer)


def told(answer: Answer) -> dict[str, int | None]:
    read = answer.json()
    return {name: value for name, value in read.items() if value is None or isinstance(value, int)}


def settled(parts: Parts) -> dict[str, int | None]:
    """What is told once every Envoy has the newest table."""
    until(lambda: (now := ask(parts))["served"] == now["generation"])
    return ask(parts)


def write_wait(known: dict[str, int | None], wait: float = LONG) -> str:
    served = "" if known["served"] is None else known["served"]
    return f"after={known['generation']}&served={served}&wait={wait}"


def publish(parts: Parts, name: str) -> None:
    parts.apply_service(name, MAPPING.format(name=name))


def assert_waiting(*waiting: Future[Any]) -> None:
    done, _ = wait_for(waiting, timeout=MOMENT)
    assert not done, [each.result() for each in done]


def test_without_a_question_the_newest_table_is_told(parts: Parts) -> None:
    now = settled(parts)
    assert set(now) == {"generation", "served"}
    assert now["generation"] == now["served"]
    assert isinstance(now["generation"], int)
    assert now["generation"] > 0


def test_who_knows_another_table_is_told_at_once(parts: Parts) -> None:
    now = settled(parts)
    number = now["generation"] or 0
    for query in (
        f"after={number - 1}&served={number}&wait={LONG}",
        # A gateway that was started anew counts from the beginning.
        f"after={number + 1000}&served={number}&wait={LONG}",
        f"after={number}&served={number - 1}&wait={LONG}",
        f"after={number}&served=&wait={LONG}",
        f"after=&served=&wait={LONG}",
        f"wait={LONG}",
        f"wait=inf&after={number - 1}",
    ):
        assert ask(parts, query) == now, query


def test_who_does_not_wait_is_told_at_once(parts: Parts) -> None:
    now = settled(parts)
    for wait in ("0", "-5", "-inf"):
        assert ask(parts, f"after={now['generation']}&served={now['served']}&wait={wait}") == now
    assert ask(parts, f"after={now['generation']}&served={now['served']}") == now


def test_when_the_wait_is_over_the_same_is_told_again(parts: Parts) -> None:
    now = settled(parts)
    assert ask(parts, write_wait(now, 0.2)) == now


def test_who_waits_is_told_of_the_change(parts: Parts, elsewhere: ThreadPoolExecutor) -> None:
    now = settled(parts)
    waiting = elsewhere.submit(ask, parts, write_wait(now))
    assert_waiting(waiting)
    publish(parts, "awaited")
    after = waiting.result()
    assert (after["generation"] or 0) > (now["generation"] or 0)


def test_who_has_heard_of_the_change_is_told_when_envoy_has_it(parts: Parts) -> None:
    known = now = settled(parts)
    publish(parts, "followed")
    heard: list[dict[str, int | None]] = []
    while not heard or known["served"] != known["generation"]:
        known = ask(parts, write_wait(known))
        heard.append(known)
    assert all(each["generation"] != now["generation"] for each in heard)
    assert "followed" in parts.ask("routes").body
    assert ask(parts, write_wait(known, 0.1)) == known


def test_what_changes_no_table_wakes_nobody(parts: Parts, elsewhere: ThreadPoolExecutor) -> None:
    publish(parts, "same")
    parts.source("same")
    now = settled(parts)
    waiting = elsewhere.submit(ask, parts, write_wait(now))
    annotated = {"name": "same", "labels": {"a": "b"}, "annotations": {CONFIG_ANNOTATION: MAPPING.format(name="same")}}
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": annotated, "spec": {"ports": [{"port": 80}]}}
    version = parts.client.apply(manifest)["metadata"]["resourceVersion"]
    assert parts.source("same", version=version)["resource_version"] == version
    assert_waiting(waiting)
    publish(parts, "other")
    assert (waiting.result()["generation"] or 0) > (now["generation"] or 0)


@pytest.mark.parametrize("wait", ["soon", "nan", "", "1s", "0x10"])
def test_a_wait_that_is_no_number_is_refused(parts: Parts, wait: str) -> None:
    answer = parts.ask(f"generation?after=1&served=1&wait={wait}")
    assert (answer.status, answer.json()) == (400, {"error": "wait is a number of seconds"})


@pytest.mark.parametrize("query", ["after=newest", "after=1.5", "after=-1", "after=1&served=none", "after=%D9%A1"])
def test_a_table_that_has_no_number_is_refused(parts: Parts, query: str) -> None:
    answer = parts.ask(f"generation?{query}&wait={LONG}")
    words = "after and served are the numbers that were told the last time"
    assert (answer.status, answer.json()) == (400, {"error": words})


def test_many_wait_at_once_and_all_are_told(parts: Parts) -> None:
    now = settled(parts)
    url = f"{parts.controller.diagnostics_url}/ambassador/v0/generation?{write_wait(now)}"

    async def ask_one(session: ClientSession) -> tuple[int, int]:
        async with session.get(url) as response:
            return response.status, (await response.json())["generation"]

    async def ask_many() -> list[tuple[int, int]]:
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            waiting = [asyncio.create_task(ask_one(session)) for _ in range(MANY)]
            done, _ = await asyncio.wait(waiting, timeout=MOMENT)
            assert not done
            await asyncio.to_thread(publish, parts, "many")
            return await asyncio.gather(*waiting)

    answers = asyncio.run(ask_many())
    assert len(answers) == MANY
    assert {status for status, _ in answers} == {200}
    assert min(number for _, number in answers) > (now["generation"] or 0)


def test_who_gives_up_waiting_costs_the_others_nothing(parts: Parts, elsewhere: ThreadPoolExecutor) -> None:
    now = settled(parts)
    url = f"{parts.controller.diagnostics_url}/ambassador/v0/generation?{write_wait(now)}"

    async def give_up() -> None:
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            waiting = [asyncio.create_task(session.get(url)) for _ in range(20)]
            await asyncio.wait(waiting, timeout=MOMENT)
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    staying = elsewhere.submit(ask, parts, write_wait(now))
    asyncio.run(give_up())
    assert_waiting(staying)
    publish(parts, "staying")
    assert (staying.result()["generation"] or 0) > (now["generation"] or 0)


def test_the_sdk_tells_the_newest_and_waits_for_another(
    parts: Parts, gateway: kfa.Gateway, elsewhere: ThreadPoolExecutor
) -> None:
    settled(parts)
    now = gateway.await_change()
    assert now == Generation(**ask(parts))
    assert gateway.await_change(now, wait=0.1) == now
    waiting = elsewhere.submit(gateway.await_change, now)
    assert_waiting(waiting)
    publish(parts, "by-sdk")
    assert waiting.result().generation > now.generation


def test_who_knows_of_nothing_served_is_told_what_is(parts: Parts, gateway: kfa.Gateway) -> None:
    now = settled(parts)
    known = Generation(generation=now["generation"] or 0, served=None)
    assert gateway.await_change(known).served == now["served"]


def test_a_gateway_that_is_away_is_told_in_words() -> None:
    away = ReadApi(f"http://127.0.0.1:{free_port()}", HttpClient(direct=True))
    with pytest.raises(NoGateway, match="read API does not answer"):
        away.await_change(Generation(generation=1), wait=LONG)


def test_who_waits_hears_that_envoy_is_gone_and_then_the_gateway(elsewhere: ThreadPoolExecutor) -> None:
    with running_gateway() as parts, connected(parts) as gateway:
        settled(parts)
        now = gateway.await_change()
        waiting = elsewhere.submit(gateway.await_change, now)
        assert_waiting(waiting)
        parts.envoy.stop()
        without = waiting.result()
        assert (without.generation, without.served) == (now.generation, None)
        left = [elsewhere.submit(gateway.await_change, without) for _ in range(3)]
        assert_waiting(*left)
        ended = elsewhere.submit(parts.controller.close)
        # It ends while they wait, and not when their patience does.
        ended.result(timeout=LONG / 2)
        for each in left:
            with pytest.raises(NoGateway, match="does not answer"):
                each.result(timeout=LONG / 2)
