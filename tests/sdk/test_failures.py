"""What goes wrong in the middle: deleted under it, cut off, interrupted. Nothing is lost silently, all is told."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import kfambassador as kfa
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import NAMESPACE, SERVICE
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.reaching.reading import ReadApi
from tests.e2e.gateway import until
from tests.sdk.front import Front, standing_before
from tests.sdk.process import Process
from tests.sdk.team import PORT, Place, Team

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sdk-failures")]

# Gone under it


def test_a_carrier_that_somebody_deletes_is_told_and_comes_back(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("half")
    mnist = team.expose("mnist", service=f"half:{PORT}")
    gateway.client.delete(SERVICE, "mnist", namespace=team.namespace)
    mnist.wait_for_status(kfa.Phase.GONE, timeout=20)
    gone = f"Service {team.namespace}/mnist was deleted"
    assert (mnist.status.phase, mnist.status.message) == (kfa.Phase.GONE, gone)
    with pytest.raises(kfa.NotServed, match=gone):
        mnist.wait(20)
    for change in (partial(mnist.canary, f"half:{PORT}"), mnist.promote, mnist.rollback):
        with pytest.raises(kfa.NotFound, match=r"Nothing is published as 'mnist'.* any more; publish it again"):
            change()
    with pytest.raises(kfa.RouteFailed, match="404") as caught:
        mnist.predict([1.0])
    assert caught.value.status == 404
    mnist.delete()
    assert team.expose("mnist", service=f"half:{PORT}").predict([1.0]).values == [2.5]
    assert mnist.predict([1.0]).values == [2.5]


def test_an_annotation_that_somebody_takes_off_is_told_and_comes_back(team: Team, gateway: kfa.Gateway) -> None:
    team.deploy("mnist")
    mnist = team.expose("mnist", service="service/mnist")
    off = {"metadata": {"annotations": {CONFIG_ANNOTATION: None}}}
    gateway.client.patch(SERVICE, "mnist", off, namespace=team.namespace)
    mnist.wait_for_status(kfa.Phase.GONE, timeout=20)
    assert "somebody took the annotation" in mnist.status.message
    assert team.expose("mnist", service="service/mnist").predict([1.0]).values == [2.5]


def test_a_namespace_that_is_deleted_is_told(place: Place, tmp_path: Path) -> None:
    with Team.move_in(place, tmp_path) as team:
        team.deploy("half")
        mnist = team.expose("mnist", service=f"half:{PORT}")
        team.gateway.client.delete(NAMESPACE, team.namespace)
        mnist.wait_for_status(kfa.Phase.GONE, timeout=20)
        until(lambda: "with its namespace" in mnist.status.message)
        with pytest.raises(kfa.NotFound, match="Nothing is published as 'mnist'"):
            mnist.canary(f"half:{PORT}")
        with pytest.raises(kfa.NotFound, match=team.namespace):
            team.expose("mnist", service=f"half:{PORT}", wait=False)
        mnist.delete()
        assert list(team.gateway.leftovers()) == []


# Cut off


@pytest.fixture
def through(team: Team, front: Front) -> Iterator[kfa.Gateway]:
    """A gateway whose Kubernetes API is behind the front."""
    path = team.write_kubeconfig("through", team.gateway.client.bearer_token() or "", server=front.url)
    with team.place.connect(team.namespace, kubeconfig=path) as gateway:
        yield gateway


@pytest.mark.parametrize("write", [1, 2, 3])
def test_an_api_that_goes_in_the_middle_of_publishing_is_told(
    team: Team, front: Front, through: kfa.Gateway, write: int
) -> None:
    team.deploy("half", service=False)
    said: dict[str, Any] = {"service": "deployment/half", "prefix": team.path("mnist"), "timeout": team.place.patience}
    with front.hold(front.count_writes(write)) as held, ThreadPoolExecutor(1) as pool:
        future = pool.submit(through.expose, "mnist", **said)
        request = held.arrived.get(timeout=30)
        front.cut()
        held.drop()
        with pytest.raises(kfa.ApiError, match=r"cut the connection|No Kubernetes API answers") as caught:
            future.result(timeout=30)
    assert caught.value.status is None
    assert f"(while trying to {'create' if request.method == 'POST' else 'patch'} services" in str(caught.value)
    with pytest.raises(kfa.ApiError):
        through.list_exposures()
    front.mend()
    assert through.expose("mnist", **said).predict([1.0]).values == [2.5]
    assert list(through.leftovers()) == []


def test_an_api_that_goes_in_the_middle_of_a_canary_changes_nothing(
    team: Team, front: Front, through: kfa.Gateway
) -> None:
    team.deploy("half")
    team.deploy("more", bias=3.0)
    mnist = through.expose("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))
    front.cut()
    with pytest.raises(kfa.ApiError, match=r"cut the connection|No Kubernetes API answers"):
        mnist.canary(f"more:{PORT}", weight=100)
    assert mnist.predict([1.0]).values == [2.5]
    assert len(mnist.split()) == 1
    front.mend()
    assert mnist.canary(f"more:{PORT}", weight=100)["canary"] == 100
    assert mnist.predict([1.0]).values == [3.5]


def test_waiting_outlasts_an_api_that_is_away(team: Team, front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    team.make_service("mnist", app="half")
    path = team.write_kubeconfig("own", team.gateway.client.bearer_token() or "", server=front.url)
    told: SimpleQueue[kfa.ExposureStatus] = SimpleQueue()
    # Nobody is asked but the Kubernetes API.
    with kfa.connect(kfa.Kubeconfig(path=path), url=team.place.url) as gateway, ThreadPoolExecutor(1) as pool:
        assert "routes are compiled here" in capsys.readouterr().err
        mnist = gateway.expose("mnist", prefix=team.path("mnist"), wait=False)
        waiting = pool.submit(mnist.wait_for_status, timeout=60, polling_interval=0.1, callbacks=[told.put])
        while told.get(timeout=30).phase is not kfa.Phase.PROGRAMMED:
            continue
        front.cut()
        while told.get(timeout=30).code != "unreachable":
            continue
        with pytest.raises(kfa.ApiError):
            gateway.list_exposures()
        team.deploy("half", service=False)
        front.mend()
        assert waiting.result(timeout=60)
        assert mnist.predict([1.0]).values == [2.5]


def test_an_api_that_says_nothing_is_told(team: Team, front: Front) -> None:
    team.deploy("half")
    endpoint = team.place
    client = KubeClient.connect(front.url, token=team.gateway.client.bearer_token() or "", read_timeout=0.5)
    client.default_namespace = team.namespace
    credentials = kfa.BearerToken(endpoint.diagnostics_token)
    reader = ReadApi(endpoint.diagnostics_url, HttpClient(credentials=credentials))
    access = Access(client, reader, HttpClient(), endpoint.url, quiet=True)
    with kfa.Gateway(access) as gateway, front.hold(lambda request: request.writes):
        with pytest.raises(kfa.ApiError, match=r"said nothing for 0\.5 s: is it stopped or overloaded\?") as caught:
            gateway.expose("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))
        assert caught.value.status is None
    assert team.expose("mnist", service=f"half:{PORT}").predict([1.0]).values == [2.5]


def test_a_read_api_that_goes_is_told_and_waited_for(team: Team) -> None:
    team.deploy("half")
    with standing_before(team.place.diagnostics_url) as front, ThreadPoolExecutor(1) as pool:
        place = Place(team.place.kubeconfig, team.place.url, front.url, team.place.diagnostics_token)
        with place.connect(team.namespace) as gateway:
            mnist = gateway.expose("mnist", service=f"half:{PORT}", prefix=team.path("mnist"))
            front.cut()
            for ask in (gateway.routes, gateway.problems, mnist.problems, mnist.split, mnist.statistics):
                with pytest.raises(kfa.NoGateway, match=r"read API does not answer.*Then connect"):
                    ask()
            # Models answer, and changes are made; only nobody can tell.
            assert mnist.predict([1.0]).values == [2.5]
            told: SimpleQueue[kfa.ExposureStatus] = SimpleQueue()
            waiting = pool.submit(mnist.wait_for_status, timeout=60, polling_interval=0.1, callbacks=[told.put])
            while told.get(timeout=30).code != "unreachable":
                continue
            front.mend()
            assert waiting.result(timeout=60)
            front.cut()
            mnist.delete(wait=0.1)
            assert set(team.services()) == {"half"}


def test_a_gateway_whose_read_api_is_unknown_is_read_otherwise(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    team.deploy("half")
    with kfa.connect(kfa.Kubeconfig(path=team.place.kubeconfig), url=team.place.url) as gateway:
        assert "routes are compiled here from what you may read, since" in capsys.readouterr().err
        said: dict[str, Any] = {"namespace": team.namespace, "prefix": team.path("mnist"), "timeout": 20.0}
        mnist = gateway.expose("mnist", service=f"half:{PORT}", **said)
        assert mnist.predict([1.0]).values == [2.5]
        assert next(step for step in mnist.status.steps if step.name == "programmed").message.startswith(
            "compiled here"
        )
        with pytest.raises(kfa.NoGateway, match="the read API cannot be asked"):
            mnist.statistics()
        mnist.canary(f"half:{PORT}", weight=10)
        assert mnist.split()["canary"] == 10


# Ctrl-C


WAITING = """
def tell(status):
    say(str(status.phase))
exposure = gateway.expose("mnist", prefix={prefix!r}, wait=False)
exposure.wait_for_status(timeout=600, callbacks=[tell])
"""
ROLLING = """
def look(seen):
    say("looked")
    return True
exposure = gateway.get_exposure("mnist")
exposure.rollout(steps=(50, 100), every=60, while_=look)
"""


def test_ctrl_c_ends_a_wait_and_leaves_what_was_applied(team: Team, front: Front) -> None:
    team.make_service("mnist", app="half")
    with Process(team, front, WAITING.format(prefix=team.path("mnist"))) as process:
        process.hear_until(kfa.Phase.PROGRAMMED)
        process.send(signal.SIGINT)
        status, words = process.end()
    assert (status, words.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")
    team.deploy("half", service=False)
    assert team.gateway.get_exposure("mnist").wait(team.place.patience).predict([1.0]).values == [2.5]


def test_ctrl_c_takes_a_rollout_back(team: Team, front: Front) -> None:
    team.deploy("half")
    team.deploy("more", bias=3.0)
    mnist = team.expose("mnist", service=f"half:{PORT}")
    mnist.canary(f"more:{PORT}", weight=5)
    with Process(team, front, ROLLING) as process:
        until(lambda: mnist.split().get("canary") == 50)
        process.send(signal.SIGINT)
        status, words = process.end()
    assert (status, words.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")
    assert [(share.variant, share.percent) for share in mnist.split()] == [("stable", 100)]
    assert team.gateway.get_exposure("mnist").predict([1.0]).values == [2.5]
