"""What is live of a gateway, told to whoever watches it: a real gateway, real requests."""

import gc
import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Condition
from typing import Any
from weakref import ref

import pytest

import kfambassador as kfa
from kfambassador.controller.runtime import ControllerThread
from kfambassador.controller.settings import ControllerSettings
from kfambassador.kube.client import KubeClient
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.local.kube.server import KubeServer
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.notebook.feed import Feed, feed_of, pack
from kfambassador.notebook.rows import Event
from kfambassador.resources.documents import write_documents
from kfambassador.routing.describe import Json
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.reaching.own_reading import OwnReading
from tests.e2e.gateway import until
from tests.e2e.publishing import publish_mappings
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("notebook-kernel-side")]

_PATIENCE = 20.0


class Listener:
    """Keeps what it is told, and waits for what it is to be told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._changed = Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.told.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: str, **said: object) -> Any:
        """The newest event of a kind that says so, once there is one."""
        found: list[Any] = []

        def is_told() -> bool:
            found[:] = [event for event in self.told if event["kind"] == kind and said.items() <= event.items()]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(is_told, _PATIENCE), (kind, said, self.told)
        return found[-1]

    def wait_for_row(self, path: str) -> Any:
        """The row of a path, once it is told."""
        with self._changed:
            assert self._changed.wait_for(lambda: path in self._rows, _PATIENCE), (path, self.told)
        return self._rows[path]

    @property
    def _rows(self) -> dict[str, Any]:
        tables = [event for event in self.told if event["kind"] == "table"]
        return {row["path"] or row["splits"][0]["object"]: row for row in tables[-1]["routes"]} if tables else {}


def write_mappings(gateway: kfa.Gateway, *mappings: dict[str, object], carrier: str) -> None:
    """Write mappings, whatever becomes of them."""
    documents = [{"apiVersion": "ambassador/v1", "kind": "Mapping", **mapping} for mapping in mappings]
    metadata = {"name": carrier, "annotations": {CONFIG_ANNOTATION: write_documents(*documents)}}
    ports = {"ports": [{"port": 80}]}
    gateway.client.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": ports})


def feed_threads() -> int:
    return sum(thread.name == "kfa-feed" for thread in threading.enumerate())


@pytest.fixture
def own_model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def gateway(stack: LocalStack) -> Iterator[kfa.Gateway]:
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        yield gateway
    until(lambda: feed_threads() == 0)


@pytest.fixture
def feed(gateway: kfa.Gateway) -> Feed:
    return Feed(gateway, interval=0.2)


def test_a_change_is_told_with_what_is_wrong_and_where(feed: Feed, model: ModelServer) -> None:
    listener = Listener()
    feed.subscribe(listener)
    listener.wait_for("connection", state="live")
    listener.wait_for("table")
    target = f"127.0.0.1:{model.port}"
    write_mappings(
        feed.gateway,
        {"name": "half", "prefix": "/half/", "service": target},
        {"name": "left", "prefix": "/left/", "service": target, "cors": {"origins": 7}},
        {"name": "half", "prefix": "/twin/", "service": target},
        carrier="told",
    )
    # The gateway has read it before Envoy serves it.
    until(lambda: listener.wait_for_row("/half/*")["state"] == "serving")
    row = listener.wait_for_row("/half/*")
    assert row["splits"][0]["mapping"] == "default/half"
    assert (row["splits"][0]["object"], row["splits"][0]["document"]) == ("Service default/told", 1)
    table = listener.wait_for("table")
    rows = [row for row in table["routes"] if row["splits"][0]["object"] == "Service default/told"]
    assert [(row["state"], row["splits"][0]["document"]) for row in rows] == [
        ("serving", 1),
        ("rejected", 2),
        ("rejected", 3),
    ]
    problems = [table["problems"][number] for row in rows for number in row["problems"]]
    assert [(each["object"], each["document"], each["path"], each["conflict"]) for each in problems] == [
        ("Service default/told", 2, "cors.origins", False),
        ("Service default/told", 3, "name", True),
    ]


def test_whoever_comes_later_is_told_what_is_known_at_once(feed: Feed) -> None:
    first, second = Listener(), Listener()
    feed.subscribe(first)
    first.wait_for("connection")
    known = first.wait_for("table")
    feed.subscribe(second)
    assert [event for event in second.told if event["kind"] == "table"] == [known]
    assert [event["state"] for event in second.told if event["kind"] == "connection"] == ["live"]


def test_a_listener_that_fails_keeps_nothing_from_the_others(feed: Feed, stack: LocalStack, model: ModelServer) -> None:
    def fail(_event: Event) -> None:
        raise RuntimeError("a page has gone")

    listener = Listener()
    feed.subscribe(fail)
    feed.subscribe(listener)
    publish_mappings(stack, {"name": "still", "prefix": "/still/", "service": f"127.0.0.1:{model.port}"}, carrier="s")
    listener.wait_for_row("/still/*")


def test_requests_are_told_as_rates_of_a_window(
    feed: Feed, gateway: kfa.Gateway, stack: LocalStack, own_model: ModelServer
) -> None:
    target = f"127.0.0.1:{own_model.port}"
    mapping = {"name": "asked", "prefix": "/asked/", "rewrite": "/v1/models/half_plus_two/", "service": target}
    publish_mappings(stack, mapping, carrier="asked")
    listener = Listener()
    feed.subscribe(listener)
    listener.wait_for("figures", figures={})

    def is_told() -> bool:
        gateway.test("GET", "/asked/metadata")
        return any("default/asked" in event["figures"] for event in listener.told if event["kind"] == "figures")

    until(is_told)
    [rate, errors, p99, shared], *_ = [
        event["figures"]["default/asked"]
        for event in listener.told
        if event["kind"] == "figures" and "default/asked" in event["figures"]
    ]
    assert rate > 0
    assert errors == 0
    assert p99 is None or p99 >= 0
    assert shared == 0, "it has a server of its own"
    # When nobody asks any more nothing is told of it.
    newest = len(listener.told)
    until(lambda: any(event["kind"] == "figures" and not event["figures"] for event in listener.told[newest:]))


def test_publishing_is_told_as_it_comes_about_and_when_it_is_over(
    feed: Feed, gateway: kfa.Gateway, model: ModelServer
) -> None:
    listener = Listener()
    feed.subscribe(listener)
    listener.wait_for("connection")
    exposure = gateway.expose("mnist", service=model.port, server=kfa.TFServing(model="half_plus_two"))
    listener.wait_for("progress", exposures=[])
    told = [status for event in listener.told if event["kind"] == "progress" for status in event["exposures"]]
    assert {(status["namespace"], status["name"]) for status in told} == {("default", "mnist")}
    assert told[-1]["phase"] == "Answering"
    assert [step["name"] for step in told[-1]["steps"]] == ["accepted", "programmed", "endpoints", "answering"]
    exposure.delete()


def test_nobody_is_followed_for_nobody(feed: Feed) -> None:
    first, second = Listener(), Listener()
    end_first, end_second = feed.subscribe(first), feed.subscribe(second)
    first.wait_for("connection")
    assert feed_threads() == 1
    end_first()
    assert feed.is_running
    end_second()
    end_second()  # once more is no fault
    until(lambda: feed_threads() == 0)
    feed.subscribe(first)
    assert feed.is_running
    feed.close()


def test_a_closed_gateway_is_said_to_be_and_never_followed_again(stack: LocalStack) -> None:
    listener, late = Listener(), Listener()
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        feed = feed_of(gateway)
        assert feed_of(gateway) is feed
        feed.subscribe(listener)
        listener.wait_for("table")
    assert "connect() again" in listener.wait_for("connection", state="lost")["words"]
    until(lambda: feed_threads() == 0)
    feed.subscribe(late)
    assert late.wait_for("connection")["state"] == "lost"
    assert late.wait_for("table") == listener.wait_for("table")
    assert not feed.is_running


def test_gateways_that_nobody_uses_any_more_are_let_go(stack: LocalStack) -> None:
    gateway = kfa.Gateway.at(stack.endpoint, quiet=True)
    gone = ref(feed_of(gateway))
    gateway.close()
    del gateway
    gc.collect()
    assert gone() is None


def test_a_program_ends_although_somebody_listens(stack: LocalStack) -> None:
    program = f"""
import kfambassador as kfa
from kfambassador.local.endpoint import GatewayEndpoint
from kfambassador.notebook.feed import feed_of
endpoint = GatewayEndpoint(**{{**{asdict(stack.endpoint)!r}, "state": None}})
gateway = kfa.Gateway.at(endpoint, quiet=True)
feed_of(gateway).subscribe(lambda event: None)
print("listening")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "listening\n", "")


def test_a_controller_that_goes_and_comes_back_is_told_in_words_without_a_secret(tmp_path: Path) -> None:
    secret = "a-token-nobody-may-see"
    with KubeServer() as api, KubeClient.connect(api.url, token=api.token, authority=api.authority) as client:
        port = free_port()
        settings = ControllerSettings(
            xds_socket=tmp_path / "xds.sock",
            policy=TenancyPolicy.laptop(),
            diagnostics_token=secret,
            diagnostics_port=port,
        )
        nowhere = f"http://127.0.0.1:{free_port()}"
        endpoint = GatewayEndpoint(
            url=nowhere,
            api_url=api.url,
            api_token=api.token,
            api_authority=api.authority,
            diagnostics_url=f"http://127.0.0.1:{port}",
            diagnostics_token=secret,
            pid=1,
            started=0.0,
        )
        listener = Listener()
        with kfa.Gateway.at(endpoint, quiet=True) as gateway:
            feed = Feed(gateway, interval=0.2)
            with ControllerThread(client, settings):
                feed.subscribe(listener)
                listener.wait_for("connection", state="live")
            lost = listener.wait_for("connection", state="lost")
            assert f"127.0.0.1:{port}" in lost["words"]
            listener.told.clear()
            with ControllerThread(client, settings):
                listener.wait_for("connection", state="live")
            told = json.dumps(listener.told)
        assert secret not in told
        assert api.token not in told


def test_without_a_read_api_the_table_is_told_and_nothing_is_pending(stack: LocalStack, model: ModelServer) -> None:
    publish_mappings(stack, {"name": "read", "prefix": "/read/", "service": f"127.0.0.1:{model.port}"}, carrier="read")
    with kfa.Gateway.at(stack.endpoint, quiet=True) as near:
        own = OwnReading(near.client, TenancyPolicy.laptop(), reason="nobody answers there")
        access = near._access
        with kfa.Gateway(type(access)(client=near.client, reader=own, http=access.http, url=near.url)) as gateway:
            listener = Listener()
            Feed(gateway, interval=0.2).subscribe(listener)
            assert listener.wait_for_row("/read/*")["state"] == "serving"
            listener.wait_for("connection", state="live")


def test_what_is_kept_with_a_widget_is_small_and_can_be_read_back() -> None:
    routes: list[Json] = [{"path": f"/models/model-{number}/", "state": "serving"} for number in range(1000)]
    packed = pack({"kind": "table", "routes": routes})
    assert len(packed) < len(json.dumps(routes)) / 5
    assert json.loads(zlib.decompress(packed)) == {"kind": "table", "routes": routes}
