"""What Envoy counts of mappings, read over the controller's read API: counts are exact, times are sane."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest

from kfambassador.controller.sight import OWNER, Sight
from kfambassador.controller.traffic import describe_statistics, read_traffic, write_expressions
from kfambassador.errors import NoGateway
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.reaching.reading import ReadApi
from kfambassador.sdk.traffic.statistics import SplitStatistics, Statistics, StatisticsView
from tests.backends import Answer, EchoServer
from tests.builders import compiled, sourced
from tests.e2e.gateway import Parts, running_gateway, until
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("statistics")]

_NUMBERS = count()


class TimedServer(ThreadingHTTPServer):
    """Answers /MILLISECONDS/STATUS after so long with that status."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        milliseconds, status = self.path.rsplit("/", 2)[-2:]
        time.sleep(int(milliseconds) / 1000)
        try:
            self.send_response(int(status))
            self.send_header("Content-Length", "0")
            self.end_headers()
        except ConnectionError:
            pass  # Envoy gave up on it, as it was told to

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def timed_server() -> Iterator[int]:
    with TimedServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def gateway() -> Iterator[Parts]:
    with running_gateway() as parts:
        yield parts


@pytest.fixture(scope="module")
def api(gateway: Parts) -> Iterator[ReadApi]:
    with HttpClient() as http:
        yield ReadApi(gateway.controller.diagnostics_url, http)


@pytest.fixture
def port() -> Iterator[int]:
    """A server of this test's own, so that nothing else is in its counts."""
    with timed_server() as number:
        yield number


def publish(gateway: Parts, *mappings: str) -> str:
    """Publish mappings; give the name of the Service that carries them, which is theirs to begin with."""
    name = f"stats-{next(_NUMBERS)}"
    documents = (f"{{apiVersion: ambassador/v1, kind: Mapping, {text.replace('NAME', name)}}}" for text in mappings)
    version = gateway.apply_service(name, "\n---\n".join(documents))
    assert gateway.source(name, version=version)["state"] == "serving"
    return name


def read(api: ReadApi, *mappings: str, answers: int) -> SplitStatistics:
    """Read the one count of mappings, once all of its answers are among the times."""
    found: list[Statistics] = []

    def is_whole() -> bool:
        found.append(api.statistics(mappings))
        return found[-1].total.histogram.total >= answers

    until(is_whole)
    [row] = found[-1]
    return row


def ordered(statistics: Statistics) -> list[SplitStatistics]:
    """The rows by the names of their mappings; they come in the table's order."""
    return sorted(statistics, key=lambda row: row.mapping)


def test_requests_and_errors_are_counted_exactly(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    for status, times in ((200, 7), (404, 3), (503, 2), (500, 1)):
        for _ in range(times):
            assert gateway.request(f"/{name}/0/{status}").status == status
    row = read(api, f"default/{name}", answers=13)
    assert (row.mapping, row.service) == (f"default/{name}", f"127.0.0.1:{port}")
    assert (row.requests, row.client_errors, row.server_errors, row.timeouts) == (13, 3, 3, 0)
    assert row.error_rate == 3 / 13
    assert row.shared_with == ()
    assert row.seconds is None or row.seconds > 0


def test_nothing_was_asked_yet_and_nothing_is_known(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    [row] = api.statistics([f"default/{name}"])
    assert (row.requests, row.error_rate, row.p99_ms) == (0, 0.0, None)
    assert list(api.statistics(["default/not-there"])) == []


def test_what_cannot_be_reached_and_what_takes_too_long(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(
        gateway,
        f"name: NAME-dead, prefix: /NAME-dead/, service: '127.0.0.1:{free_port()}'",
        f"name: NAME-slow, prefix: /NAME-slow/, service: '127.0.0.1:{port}', timeout_ms: 50",
    )
    assert gateway.request(f"/{name}-dead/0/200").status == 503
    assert gateway.request(f"/{name}-slow/2000/200").status == 504
    dead, slow = ordered(api.statistics([f"default/{name}-dead", f"default/{name}-slow"]))
    assert (dead.requests, dead.server_errors, dead.timeouts) == (1, 1, 0)
    assert (slow.requests, slow.server_errors, slow.timeouts) == (1, 1, 1)
    # Envoy answered by itself.
    assert (dead.times, slow.times) == ((), ())


def test_percentiles_of_a_server_whose_times_are_known(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    for milliseconds, times in ((20, 8), (300, 2)):
        for _ in range(times):
            gateway.request(f"/{name}/{milliseconds}/200")
    row = read(api, f"default/{name}", answers=10)
    assert row.p50_ms is not None
    assert row.p95_ms is not None
    assert row.p99_ms is not None
    # A server never answers early; how late it may be on a busy machine nobody knows.
    assert row.p50_ms >= 19
    assert row.p95_ms >= 290
    assert row.p50_ms <= row.p95_ms <= row.p99_ms


def test_our_percentiles_are_envoys_own(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    for milliseconds in range(0, 60, 3):
        gateway.request(f"/{name}/{milliseconds}/200")
    row = read(api, f"default/{name}", answers=20)
    text = gateway.envoy.admin(f"/stats?usedonly&filter=^cluster.{row.cluster}.upstream_rq_time")
    # Each is written as P50(of the last interval,since the start).
    envoys = {
        int(percent[1:]): float(both.partition(",")[2].rstrip(")"))
        for percent, _, both in (each.partition("(") for each in text.partition(": ")[2].split())
        if percent in {"P50", "P95", "P99"}
    }
    assert set(envoys) == {50, 95, 99}
    for percent, value in envoys.items():
        ours = row.percentile(percent)
        assert ours is not None
        assert _are_neighbours(row, value, ours)


def _are_neighbours(row: SplitStatistics, one: float, other: float) -> bool:
    """Whether two times fall into the same bucket, or into two between which no answer was counted."""
    places = [
        next(index for index, bucket in enumerate(row.histogram.buckets) if value <= bucket.lower + bucket.width)
        for value in (one, other)
    ]
    return abs(places[0] - places[1]) <= 1


def test_a_window_is_the_difference_of_two_readings(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    for _ in range(5):
        gateway.request(f"/{name}/150/500")
    read(api, f"default/{name}", answers=5)
    start = api.statistics([f"default/{name}"])
    for _ in range(4):
        gateway.request(f"/{name}/0/200")
    read(api, f"default/{name}", answers=9)
    window = api.statistics([f"default/{name}"]).since(start)
    assert (window.total.requests, window.total.server_errors, window.total.histogram.total) == (4, 0, 4)
    assert window.total.p50_ms is not None
    assert window.total.seconds is not None
    assert window.total.requests_per_second == 4 / window.total.seconds
    assert name in repr(window)


def test_a_canary_is_counted_apart(gateway: Parts, api: ReadApi, port: int) -> None:
    with timed_server() as other:
        name = publish(
            gateway,
            f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'",
            f"name: NAME-canary, prefix: /NAME/, service: '127.0.0.1:{other}', weight: 50",
            f"name: NAME-pinned, prefix: /NAME-pinned/, service: '127.0.0.1:{other}'",
        )
        for _ in range(40):
            gateway.request(f"/{name}/0/200")
        gateway.request(f"/{name}-pinned/0/500")
        stable, canary = ordered(api.statistics([f"default/{name}", f"default/{name}-canary"]))
        assert stable.requests + canary.requests == 41
        assert (stable.server_errors, canary.server_errors) == (0, 1)
        assert canary.shared_with == (f"default/{name}-pinned",)
        [both] = api.statistics([f"default/{name}-canary", f"default/{name}-pinned"])
        assert (both.shared_with, len(both.mappings)) == ((), 2)
        assert both.requests == canary.requests


def test_who_is_counted_together_is_said(gateway: Parts, api: ReadApi, port: int) -> None:
    one = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}', stats_name: together.{port}")
    two = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.2:{port}', stats_name: together.{port}")
    gateway.request(f"/{one}/0/200")
    [row] = api.statistics([f"default/{one}"])
    assert (row.cluster, row.requests, row.shared_with) == (f"together.{port}", 1, (f"default/{two}",))
    assert [each.cluster for each in api.statistics()].count(row.cluster) == 1
    assert f"with default/{two}" in repr(api.statistics([f"default/{one}"]))


@pytest.mark.parametrize(
    "called", ["http://NAME", "NAME:/", "a:NAME:80", "NAME.", "NAME..", ".NAME", "NAME.ssl", "é NAME"]
)
def test_whatever_the_count_is_called_it_is_found(gateway: Parts, api: ReadApi, port: int, called: str) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}', stats_name: '{called}'")
    gateway.request(f"/{name}/0/500")
    assert read(api, f"default/{name}", answers=1).server_errors == 1
    overview: Any = gateway.ask("diag/?filter=route_info").json()["route_info"]
    [cluster] = [each for route in overview for each in route["clusters"] if each["mapping"] == f"default/{name}"]
    assert (cluster["requests"], cluster["health"]) == (1, "red")


def test_a_cluster_tag_keeps_counts_apart(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(
        gateway,
        f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'",
        f"name: NAME-canary, prefix: /NAME-canary/, service: '127.0.0.1:{port}', cluster_tag: canary",
    )
    gateway.request(f"/{name}-canary/0/500")
    stable, canary = ordered(api.statistics([f"default/{name}", f"default/{name}-canary"]))
    assert (stable.requests, canary.requests, canary.shared_with) == (0, 1, ())


def test_of_retries_the_last_answer_counts(gateway: Parts, api: ReadApi, port: int) -> None:
    retries = "retry_policy: {retry_on: 5xx, num_retries: 2}"
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}', {retries}")
    assert gateway.request(f"/{name}/0/503").status == 503
    row = read(api, f"default/{name}", answers=1)
    assert (row.requests, row.server_errors, row.histogram.total) == (1, 1, 1)


def test_what_a_client_gives_up_is_in_no_count(gateway: Parts, api: ReadApi) -> None:
    with EchoServer() as server, server.hold() as arrivals:
        name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{server.port}'")
        with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2]))) as client:
            client.sendall(f"GET /{name}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            arrivals.get(timeout=20)
        [row] = api.statistics([f"default/{name}"])
        counted = gateway.envoy.admin
        until(
            lambda: f"{row.cluster}.upstream_rq_active: 0" in counted(f"/stats?filter={row.cluster}.upstream_rq_active")
        )
        assert api.statistics([f"default/{name}"]).total.requests == 0


def test_of_grpc_calls_envoys_own_answers_are_errors(gateway: Parts, api: ReadApi) -> None:
    with EchoServer() as server:
        server.script.tell(Answer(headers={"content-type": "application/grpc", "grpc-status": "13"}))
        name = publish(
            gateway,
            f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{server.port}'",
            f"name: NAME-dead, prefix: /NAME-dead/, service: '127.0.0.1:{free_port()}'",
        )
        for path in (f"/{name}/", f"/{name}-dead/"):
            request = Request(
                gateway.url + path, data=b"", headers={"Content-Type": "application/grpc", "TE": "trailers"}
            )
            with urlopen(request, timeout=10) as response:
                assert (response.status, response.headers["grpc-status"]) != (200, None)
        said, dead = ordered(api.statistics([f"default/{name}", f"default/{name}-dead"]))
        assert (said.requests, said.server_errors) == (1, 0)
        assert (dead.requests, dead.server_errors) == (1, 1)


def test_redirects_reach_no_service_and_shadows_are_counted(gateway: Parts, api: ReadApi, port: int) -> None:
    with timed_server() as other:
        name = publish(
            gateway,
            "name: NAME-away, prefix: /NAME-away/, service: example.com, host_redirect: true",
            f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'",
            f"name: NAME-copy, prefix: /NAME/, service: '127.0.0.1:{other}', shadow: true",
        )
        gateway.request(f"/{name}/0/200")
        until(lambda: api.statistics([f"default/{name}-copy"]).total.requests == 1)
        read(api, f"default/{name}-copy", answers=1)
        assert list(api.statistics([f"default/{name}-away"])) == []
        assert api.statistics([f"default/{name}"]).total.requests == 1


def test_of_many_names_one_question_is_asked_and_of_long_ones_envoy_takes_as_many_as_we_ask(
    gateway: Parts, api: ReadApi, port: int
) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    gateway.request(f"/{name}/0/200")
    [row] = api.statistics([f"default/{name}"])
    admin = gateway.controller._settings.admin_socket
    fill = [f"cluster_{'x' * 40}_{number:016x}" for number in range(200)]
    for others in (fill[:63], fill, [each.replace("_", ".", 1) for each in fill[:90]]):
        reading = asyncio.run(read_traffic(admin, [row.cluster, *others]))
        assert list(reading.counted) == [row.cluster]
        assert reading.counted[row.cluster].counters["upstream_rq_completed"] == 1
    assert len(list(write_expressions([row.cluster, *fill]))) == 1


def test_a_count_with_others_requests_in_it_is_kept_back(gateway: Parts, api: ReadApi, port: int) -> None:
    name = publish(gateway, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
    gateway.request(f"/{name}/0/200")
    table = compiled(
        sourced(name, "default", service=f"127.0.0.1:{port}"), sourced("other", "two", service=f"127.0.0.1:{port}")
    ).table
    admin = gateway.controller._settings.admin_socket
    own, everybody = (
        StatisticsView.model_validate(asyncio.run(describe_statistics(table, admin, sight=sight))).statistics
        for sight in (Sight(frozenset({"default"})), OWNER)
    )
    assert [(row.mappings, row.hidden, row.requests) for row in own] == [((f"default/{name}",), True, 0)]
    assert [(row.hidden, row.requests) for row in everybody] == [(False, 1)]
    assert "two/other" not in str(own)


def test_an_envoy_that_is_gone_is_told(port: int) -> None:
    with running_gateway() as parts, HttpClient() as http:
        api = ReadApi(parts.controller.diagnostics_url, http)
        name = publish(parts, f"name: NAME, prefix: /NAME/, service: '127.0.0.1:{port}'")
        assert parts.request(f"/{name}/0/200").status == 200
        assert api.statistics().total.requests == 1
        parts.envoy.stop()
        with pytest.raises(NoGateway, match="does not answer"):
            api.statistics()
