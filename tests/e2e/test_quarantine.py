"""What only Envoy refuses, by the real loop and a real Envoy: it alone is held back, and nobody else notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from kfambassador.local.models import ModelServer
from kfambassador.routing import compile as compiling
from kfambassador.routing import origination
from tests.e2e.gateway import Parts, running_gateway, until

pytestmark = pytest.mark.e2e

LONG_NAME = "x" * 300


@pytest.fixture(autouse=True)
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    # Everything Envoy is known to refuse is found beforehand; blind our own checks to meet its refusal.
    monkeypatch.setattr(compiling, "check_mapping", lambda *_: ())
    monkeypatch.setattr(origination, "_LONGEST_NAME", 10**6)


@pytest.fixture
def gateway() -> Iterator[Parts]:
    with running_gateway() as parts:
        yield parts


def mapping(name: str, model: ModelServer, **more: str) -> str:
    written = {
        "apiVersion": "ambassador/v1",
        "kind": "Mapping",
        "name": name,
        "prefix": f"/{name}/",
        "rewrite": "/v1/models/half_plus_two",
        "service": f"127.0.0.1:{model.port}",
        **more,
    }
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in written.items())


def context(sni: str) -> str:
    return f"{{apiVersion: ambassador/v1, kind: TLSContext, name: inner, sni: {sni}}}"


@contextmanager
def unbroken(gateway: Parts, path: str) -> Iterator[None]:
    """Ask for a path all the time; every answer must be good."""
    over, answers = Event(), []

    def ask() -> None:
        while not over.is_set():
            answers.append(gateway.request(path).status)

    asking = Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert set(answers) == {200}


def refusals(gateway: Parts) -> list[tuple[str, str]]:
    """Which objects are held back, and why."""
    problems = gateway.ask("problems").json()["problems"]
    assert isinstance(problems, list)
    return [(str(each["object"]), each["message"]) for each in problems if each["code"] == "envoy-rejected"]


def test_several_culprits_are_each_held_back_and_nobody_else(gateway: Parts, model: ModelServer) -> None:
    version = gateway.apply_service("a", mapping("a", model))
    assert gateway.source("a", version=version)["state"] == "serving"
    bad = {
        "expression": {"prefix": '"/["', "prefix_regex": "true"},
        "header": {"add_request_headers": '{"x\\ny": "1"}'},
        "cluster": {"tls": "true", "host_rewrite": LONG_NAME},
    }
    with unbroken(gateway, "/a/"):
        text = "".join(mapping(name, model, **more) for name, more in bad.items())
        many = gateway.apply_service("many", mapping("b", model) + text + mapping("c", model))
        later = gateway.apply_service("later", mapping("d", model))
        assert gateway.source("later", version=later)["state"] == "serving"
        source = gateway.source("many", version=many)
    assert (source["state"], sorted(source["mappings"])) == ("rejected", ["default/b", "default/c"])  # type: ignore[call-overload]
    assert len(refusals(gateway)) == len(bad)
    assert [gateway.request(f"/{name}/").status for name in "abcd"] == [200] * 4

    with unbroken(gateway, "/a/"):
        mended = gateway.apply_service("many", "".join(mapping(name, model) for name in ("b", *bad)))
        assert gateway.source("many", version=mended)["state"] == "serving"
    assert [gateway.request(f"/{name}/").status for name in bad] == [200] * len(bad)
    assert refusals(gateway) == []


def test_of_what_speaks_for_everybody_the_last_good_one_stays(gateway: Parts, model: ModelServer) -> None:
    gateway.apply_service("a", mapping("a", model))
    gateway.apply_service("shared", context("inner.example"))
    version = gateway.apply_service("user", mapping("user", model, tls="inner"))
    assert gateway.source("user", version=version)["state"] == "serving"
    with unbroken(gateway, "/a/"):
        gateway.apply_service("shared", context(LONG_NAME))
        until(lambda: bool(refusals(gateway)))
        # It stands in nobody's way: who comes later is served.
        later = gateway.apply_service("later", mapping("later", model))
        assert gateway.source("later", version=later)["state"] == "serving"
    [(place, message)] = refusals(gateway)
    assert "shared" in place
    assert "What it accepted before stays served" in message
    assert gateway.request("/later/").status == 200

    gateway.apply_service("shared", context("outer.example"))
    until(lambda: not refusals(gateway))
    until(lambda: "outer.example" in gateway.envoy.admin("/config_dump?resource=dynamic_active_clusters"))
    assert gateway.request("/a/").status == 200
