import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import Queue

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING, SERVICE, Kind
from kfambassador.kube.reflector import Changed, Listed, Lost, News, Reflector, ReflectorSettings
from tests.unit.kube.scripted_api import (
    TOKEN,
    Answer,
    ScriptedApi,
    answer,
    bookmark,
    event,
    gone,
    hang_up,
    listing,
    refusal,
    scripted_api,
    service,
    silence,
    stream,
)

QUICK = ReflectorSettings(read_timeout=0.5, shortest_pause=0.01, longest_pause=0.1, missing=0.02)
PATIENCE = 10.0  # seconds after which a test gives up; nothing takes so long
quiet = stream(stays=True)


class Followed:
    """A running reflector and what it told."""

    def __init__(self, reflector: Reflector, api: ScriptedApi, news: "Queue[News]") -> None:
        self.reflector = reflector
        self.api = api
        self._news = news

    def next(self) -> str:
        """Return the next news in short: ``listed a b``, ``added a``, ``lost``."""
        news = self._news.get(timeout=PATIENCE)
        if isinstance(news, Listed):
            return " ".join(["listed", *(item["metadata"]["name"] for item in news.items)])
        if isinstance(news, Changed):
            return f"{news.event.type.lower()} {news.event.manifest['metadata']['name']}"
        return "lost"

    def since(self) -> str | None:
        """Return where the next request watches from, or None for a listing."""
        return self.api.received.get(timeout=PATIENCE).query.get("resourceVersion")


Follow = Callable[..., Followed]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Return a started reflector on a server with the given script."""
    with ExitStack() as stack:

        def start(*script: Answer, kind: Kind = SERVICE, settings: ReflectorSettings = QUICK) -> Followed:
            api = stack.enter_context(scripted_api(*script))
            news: Queue[News] = Queue()
            client = KubeClient.connect(api.url, token=TOKEN)
            reflector = Reflector(client, kind, news.put, settings=settings, chance=lambda: 0.0)
            stack.callback(reflector.stop)
            reflector.start()
            return Followed(reflector, api, news)

        yield start


def test_a_listing_then_what_happens(follow: Follow) -> None:
    followed = follow(
        listing(service("a"), version=10),
        stream(event("ADDED", service("b", version=11)), bookmark(20)),
        stream(event("MODIFIED", service("b", version=21)), event("DELETED", service("a", version=22))),
        quiet,
    )
    assert [followed.next() for _ in range(4)] == ["listed a", "added b", "modified b", "deleted a"]
    assert [followed.since() for _ in range(4)] == [None, "10", "20", "22"]


@pytest.mark.parametrize("expired", [refusal(410, "Expired"), stream(gone())])
def test_a_watch_from_too_long_ago_is_followed_by_a_listing(follow: Follow, expired: Answer) -> None:
    followed = follow(listing(service("a")), expired, listing(service("b"), version=30), quiet)
    assert [followed.next(), followed.next()] == ["listed a", "listed b"]
    assert [followed.since() for _ in range(4)] == [None, "10", None, "30"]


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(500, "InternalError"),
        refusal(429, "TooManyRequests", Retry_After="0"),
        refusal(403, "Forbidden"),
        refusal(404, "NotFound"),
        hang_up,
        silence,
        answer("<html>"),
        answer("{"),
        answer({}),
    ],
)
def test_a_failed_listing_is_tried_again_and_never_empty(follow: Follow, trouble: Answer) -> None:
    followed = follow(trouble, trouble, listing(service("a")), quiet)
    assert [followed.next() for _ in range(3)] == ["lost", "lost", "listed a"]


def test_a_part_of_a_listing_is_not_told(follow: Follow) -> None:
    followed = follow(listing(service("a"), more="next"), hang_up, listing(service("a"), service("b")), quiet)
    assert [followed.next(), followed.next()] == ["lost", "listed a b"]


@pytest.mark.parametrize(
    "trouble",
    [
        refusal(500, "InternalError"),
        hang_up,
        silence,
        stream(stays=True),
        stream(ends=False),
        stream(b"not JSON\n"),
        stream(b'{"type": "ADDED", "object', chunked=False),
        stream(event("ERROR", {"code": 500, "message": "etcd is away"})),
    ],
)
def test_a_broken_watch_is_told_and_followed_by_a_listing(follow: Follow, trouble: Answer) -> None:
    followed = follow(listing(service("a")), trouble, listing(service("b")), quiet)
    assert [followed.next() for _ in range(3)] == ["listed a", "lost", "listed b"]


def test_what_came_before_a_cut_is_told(follow: Follow) -> None:
    cut = stream(event("ADDED", service("b", version=11)), b'{"type": "ADD', ends=False)
    followed = follow(listing(service("a")), cut, listing(service("a"), service("b"), service("c")), quiet)
    assert [followed.next() for _ in range(4)] == ["listed a", "added b", "lost", "listed a b c"]


def test_the_reason_of_a_loss_is_told_without_secrets() -> None:
    news: Queue[News] = Queue()
    with scripted_api(refusal(403, "Forbidden", "role missing")) as api:
        reflector = Reflector(KubeClient.connect(api.url, token=TOKEN), SERVICE, news.put, settings=QUICK)
        reflector.start()
        lost = news.get(timeout=PATIENCE)
        reflector.stop()
    assert isinstance(lost, Lost)
    assert "refused to list services (403): role missing" in lost.error
    assert TOKEN not in repr(lost)


def test_a_pause_the_server_asks_for_is_kept(follow: Follow) -> None:
    followed = follow(refusal(429, "TooManyRequests", Retry_After="1000"), listing())
    assert followed.next() == "lost"
    followed.reflector.stop()
    assert len(followed.api.requests()) == 1


def test_a_kind_that_the_cluster_does_not_have_is_empty_until_it_is_there(follow: Follow) -> None:
    missing = answer("404 page not found", status=404)
    followed = follow(missing, missing, listing({"metadata": {"name": "m"}}), quiet, kind=MAPPING)
    assert [followed.next() for _ in range(3)] == ["listed", "listed", "listed m"]


@pytest.mark.parametrize("stuck", [silence, stream(stays=True), listing(more="next"), refusal(500, "InternalError")])
@pytest.mark.parametrize("first", [(), (listing(),)])
def test_stopping_ends_the_thread_whatever_it_waits_for(
    follow: Follow, first: tuple[Answer, ...], stuck: Answer
) -> None:
    patient = ReflectorSettings(read_timeout=1000.0, shortest_pause=1000.0, longest_pause=1000.0)
    followed = follow(*first, stuck, settings=patient)
    for _ in (*first, stuck):
        followed.api.received.get(timeout=PATIENCE)
    followed.reflector.stop()
    followed.reflector.stop()
    assert not followed.reflector._thread.is_alive()


def test_nothing_is_told_after_stopping() -> None:
    told: list[News] = []
    telling, released = threading.Event(), threading.Event()

    def sink(news: News) -> None:
        told.append(news)
        if isinstance(news, Changed):
            telling.set()
            released.wait(timeout=PATIENCE)

    together = event("ADDED", service("a", version=11)) + event("ADDED", service("b", version=12))
    with scripted_api(listing(), stream(together, stays=True)) as api:
        reflector = Reflector(KubeClient.connect(api.url, token=TOKEN), SERVICE, sink, settings=QUICK)
        reflector.start()
        assert telling.wait(timeout=PATIENCE)
        reflector.stop()
        released.set()
        reflector._thread.join(timeout=PATIENCE)
    assert [type(news) for news in told] == [Listed, Changed]


def test_a_watch_that_brought_something_is_followed_by_the_next_at_once(follow: Follow) -> None:
    slow = ReflectorSettings(shortest_pause=1000.0, longest_pause=1000.0)
    streams = [stream(event("ADDED", service("a", version=version))) for version in (11, 12, 13)]
    followed = follow(listing(), *streams, quiet, settings=slow)
    assert [followed.since() for _ in range(5)] == [None, "10", "11", "12", "13"]


def test_a_reflector_never_started_can_be_stopped() -> None:
    Reflector(KubeClient.connect("http://127.0.0.1:1", token=TOKEN), SERVICE, lambda _: None).stop()


def test_a_quiet_watch_that_lasted_is_followed_by_the_next_at_once() -> None:
    news: Queue[News] = Queue()
    lasting = iter(range(0, 1_000_000, 1000))
    slow = ReflectorSettings(read_timeout=5.0, shortest_pause=1000.0, longest_pause=1000.0)
    with scripted_api(listing(), stream(), stream(), stream(), quiet) as api:
        client = KubeClient.connect(api.url, token=TOKEN)
        reflector = Reflector(client, SERVICE, news.put, settings=slow, clock=lambda: float(next(lasting)))
        reflector.start()
        for _ in range(5):
            api.received.get(timeout=PATIENCE)
        assert reflector.restarts == {"ended": 3}
        reflector.stop()
