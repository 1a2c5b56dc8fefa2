"""The controller with a real API, a real Envoy and a real model server."""

from collections.abc import Iterator

import pytest

from kfambassador.kube.kinds import INGRESS, SERVICE
from kfambassador.local.models import ModelServer
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.routing import compile as compiling
from tests.e2e.gateway import Parts, running_gateway, until

pytestmark = pytest.mark.e2e

MAPPING = """
---
apiVersion: ambassador/v0
kind: Mapping
name: {name}
prefix: /{name}/
rewrite: {rewrite}
service: {service}
"""


@pytest.fixture
def gateway() -> Iterator[Parts]:
    with running_gateway() as parts:
        yield parts


def mapping(name: str, model: ModelServer, *, rewrite: str = "/v1/models/half_plus_two") -> str:
    return MAPPING.format(name=name, rewrite=rewrite, service=f"127.0.0.1:{model.port}")


def test_a_route_comes_changes_and_goes_with_its_service(gateway: Parts, model: ModelServer) -> None:
    assert gateway.request("/a/").status == 404
    version = gateway.apply_service("a", mapping("a", model))
    assert gateway.source("a", version=version)["state"] == "serving"
    assert gateway.request("/a/").status == 200

    version = gateway.apply_service("a", mapping("b", model))
    assert gateway.source("a", version=version)["mappings"] == ["default/b"]
    assert (gateway.request("/a/").status, gateway.request("/b/").status) == (404, 200)

    gateway.client.delete(SERVICE, "a")
    assert gateway.is_gone("a")
    assert gateway.request("/b/").status == 404


def test_an_ingress_carries_mappings_as_a_service_does(gateway: Parts, model: ModelServer) -> None:
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "front", "annotations": {CONFIG_ANNOTATION: mapping("a", model)}},
        "spec": {"defaultBackend": {"service": {"name": "front", "port": {"number": 80}}}},
    }
    gateway.client.apply(ingress)
    until(lambda: gateway.request("/a/").status == 200)
    gateway.client.delete(INGRESS, "front")
    until(lambda: gateway.request("/a/").status == 404)


def test_a_mapping_at_fault_is_told_and_costs_nobody_else_a_route(gateway: Parts, model: ModelServer) -> None:
    text = mapping("good", model) + "---\n{not yaml" + mapping("bad", model).replace("prefix: /bad/", "prefix: 7")
    version = gateway.apply_service("mixed", text)
    source = gateway.source("mixed", version=version)
    assert source["state"] == "rejected"
    assert source["mappings"] == ["default/good"]
    problems = source["problems"]
    assert isinstance(problems, list)
    errors = [problem for problem in problems if problem["severity"] == "error"]
    assert [(problem["document"], problem["path"]) for problem in errors] == [(2, ""), (3, "prefix")]
    assert gateway.request("/good/").status == 200


def test_a_mapping_that_only_envoy_refuses_is_held_back_alone(
    gateway: Parts, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Everything Envoy is known to refuse is found beforehand; blind our own checks to meet its refusal.
    monkeypatch.setattr(compiling, "check_mapping", lambda *_: ())
    for name in ("a", "b", "c"):
        gateway.apply_service(name, mapping(name, model))
    poison = mapping("poison", model).replace("/poison/", '"/poison/["') + "prefix_regex: true\n"
    version = gateway.apply_service("poison", poison)
    later = gateway.apply_service("later", mapping("later", model))

    source = gateway.source("poison", version=version)
    assert source["state"] == "rejected"
    assert "Envoy refuses it: missing ]: [" in str(source["problems"])
    assert gateway.source("later", version=later)["state"] == "serving"
    assert [gateway.request(f"/{name}/").status for name in ("a", "b", "c", "later", "poison")] == [200] * 4 + [404]

    mended = gateway.apply_service("poison", mapping("poison", model))
    assert gateway.source("poison", version=mended)["state"] == "serving"
    assert gateway.request("/poison/").status == 200


def test_the_overview_tells_routes_in_order_sources_and_problems(gateway: Parts, model: ModelServer) -> None:
    version = gateway.apply_service("one", mapping("shallow", model) + mapping("deep/er/er", model) + "colour: red\n")
    gateway.source("one", version=version)
    overview = gateway.ask("diag/?json=true").json()
    routes = overview["route_info"]
    assert isinstance(routes, list)
    assert [route["match"]["prefix"] for route in routes] == ["/deep/er/er/", "/shallow/"]
    assert "unknown-attribute" in [problem["code"] for problem in overview["problems"]]  # type: ignore[attr-defined]
    assert overview["served"] == overview["generation"]
    assert overview["sources"] == [gateway.source("one", wait=0)]


def test_the_probes_are_open_and_everything_else_asks_for_the_token() -> None:
    with running_gateway(token="secret") as gateway:
        assert gateway.ask("check_alive").status == 200
        assert gateway.ask("check_ready").body == "ready\n"
        for path in ("routes", "problems", "diag/?json=true", "explain?url=/", "sources/Service/a/b"):
            assert gateway.ask(path).status == 401, path
            assert gateway.ask(path, token="wrong").status == 401, path
            assert gateway.ask(path, token="secret").status == 200, path


def test_readiness_says_what_is_missing_when_envoy_is_gone(gateway: Parts) -> None:
    assert gateway.ask("check_ready").status == 200
    gateway.envoy.stop()
    missing = gateway.ask("check_ready")
    assert (missing.status, missing.body) == (503, "no Envoy is connected\n")


def test_explain_is_asked_of_the_table_that_is_served(gateway: Parts, model: ModelServer) -> None:
    version = gateway.apply_service("a", mapping("a", model) + "method: POST\n")
    gateway.source("a", version=version)
    explanation = gateway.ask("explain?method=GET&url=/a/x").json()
    assert explanation["winner"] is None
    assert "method 'GET', not 'POST'" in str(explanation["verdicts"])
    assert gateway.ask("explain?method=POST&url=/a/x").json()["upstream_paths"] == {
        "default/a": "/v1/models/half_plus_twox"
    }
    told = gateway.ask("explain?method=POST&url=/a/x&verdicts=none").json()
    assert told["verdicts"] == []
    assert "'default/a'" in str(told["winner"])


def test_each_problem_is_logged_once_and_endpoints_that_come_and_go_are_no_warning(
    gateway: Parts, model: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.apply_service(
        "a", mapping("a", model) + "colour: red\n" + MAPPING.format(name="b", rewrite="/", service="a:80")
    )
    gateway.apply_service("c", mapping("c", model))
    # An edit elsewhere in the annotation makes old problems no news.
    version = gateway.apply_service("c", mapping("c", model) + mapping("d", model, rewrite="/"))
    gateway.source("c", version=version)
    codes = [problem["code"] for problem in gateway.ask("problems").json()["problems"]]  # type: ignore[attr-defined]
    assert sorted(set(codes)) == ["glued-rewrite", "no-endpoints", "unknown-attribute"]
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len([each for each in warnings if "colour is not an attribute of a Mapping" in each]) == 1
    assert len(set(warnings)) == len(warnings)
    assert not [each for each in warnings if "endpoint" in each]
