"""The overview and what lies below it, of a real controller with a real Envoy and a real model server."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

import kfambassador as kfa
from kfambassador.controller.overview import PARTS
from kfambassador.local.envoy_process import private_directory
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from tests.behaviour.servers import Authorities, TlsEchoServer
from tests.e2e.gateway import Parts, running_gateway, until
from tests.e2e.local_gateway import find_envoys, is_ready, kill_envoy, linux_only

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("diagnostics")]

DOCUMENTS = """
---
{{apiVersion: ambassador/v1, kind: Mapping, name: good, prefix: /good/, rewrite: /v1/models/,
  service: "127.0.0.1:{port}", weight: 100}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name: canary, prefix: /good/, rewrite: /v1/models/,
  service: "127.0.0.2:{port}", weight: 0}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name: good, prefix: /again/, service: "127.0.0.1:{port}"}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name: gone, prefix: /gone/, service: "example.com", host_redirect: true}}
---
{{apiVersion: ambassador/v1, kind: RateLimitService, name: limits, service: limits}}
---
{{apiVersion: getambassador.io/v2, kind: TLSContext, name: upstream, secret: not-to-be-shown}}
---
{{apiVersion: ambassador/v1, kind: AuthService, name: guard, auth_service: "127.0.0.1:1", ambassador_id: [other]}}
---
{{apiVersion: ambassador/v1, kind: Mapping, name
"""


@pytest.fixture(scope="module")
def gateway(model: ModelServer) -> Iterator[Parts]:
    with running_gateway() as parts:
        version = parts.apply_service("models", DOCUMENTS.format(port=model.port))
        parts.source("models", version=version)
        yield parts


def look(gateway: Parts, key: str) -> Any:
    """One part of the overview."""
    answer = gateway.ask(f"diag/?json=true&filter={key}")
    assert answer.status == 200, answer.body
    described = answer.json()
    assert list(described) == [key]
    return described[key]


def test_everything_at_once_has_every_part(gateway: Parts) -> None:
    assert list(gateway.ask("diag/").json()) == list(PARTS)


def test_a_part_that_is_not_there_names_those_that_are(gateway: Parts) -> None:
    answer = gateway.ask("diag/?filter=nonsense")
    assert answer.status == 404
    assert "route_info" in answer.body


def test_the_system_and_its_envoy(gateway: Parts) -> None:
    system, envoy = look(gateway, "system"), look(gateway, "envoy_status")
    assert system["ambassador_id"] == ["default"]
    assert system["generation"] == system["served"] > 0
    assert 0 <= system["configuration_age"] <= system["uptime"]
    assert (envoy["alive"], envoy["ready"], envoy["state"], envoy["error"]) == (True, True, "LIVE", "")
    assert envoy["connected"] == 1


def test_the_effective_weight_and_how_the_service_fares(gateway: Parts) -> None:
    before = look(gateway, "route_info")[0]["clusters"][0]["requests"]
    assert gateway.request("/good/half_plus_two").status == 200
    assert gateway.request("/good/nothing").status == 404
    routes = look(gateway, "route_info")
    assert [route["key"] for route in routes] == ["* * /good/", "* * /gone/"]
    good, canary = routes[0]["clusters"]
    assert (good["weight"], good["effective_weight"]) == (100, 100)
    assert (canary["weight"], canary["effective_weight"]) == (0, 0)
    assert good["requests"] == before + 2
    assert (good["success_rate"], good["health"]) == (100.0, "green")
    assert (canary["success_rate"], canary["health"]) == (None, "unknown")
    assert look(gateway, "cluster_stats")[good["name"]]["requests"] == before + 2


def test_who_lost_what_could_not_be_read_and_what_is_not_served(gateway: Parts) -> None:
    assert [problem["code"] for problem in look(gateway, "conflicts")] == ["duplicate-name"]
    assert [problem["document"] for problem in look(gateway, "unread")][-1:] == [8]
    others, unserved = look(gateway, "ambassador_services")
    assert (others["served"], others["kind"], others["name"]) == (False, "AuthService", "guard")
    assert unserved["served"] is False
    assert "RateLimitService" in unserved["message"]
    assert {problem["severity"] for problem in look(gateway, "errors")} == {"error"}
    assert {problem["severity"] for problem in look(gateway, "notices")} == {"notice"}


def test_elements_and_resolvers_and_no_secret(gateway: Parts) -> None:
    assert look(gateway, "tlscontexts") == [
        {
            "kind": "TLSContext",
            "name": "upstream",
            "namespace": "default",
            "source": "Service default/models, annotation document 6",
        }
    ]
    assert "endpoint" in [each["name"] for each in look(gateway, "ambassador_resolvers")]
    assert "not-to-be-shown" not in str(look(gateway, "ambassador_elements"))


def test_a_source_closely(gateway: Parts) -> None:
    for name in ("Service default/models", "Service/default/models", "default/models", "models.default"):
        source = gateway.ask(f"diag/{quote(name)}").json()
        assert source["object"] == "Service default/models"
    assert [each["prefix"] for each in source["written"]] == ["/good/", "/good/", "/again/", "/gone/"]  # type: ignore[attr-defined]
    assert [route["group"] for route in source["routes"]] == list(look(gateway, "groups"))  # type: ignore[attr-defined]
    assert look(gateway, "source_map")["Service default/models"]["mappings"] == source["mappings"]


def test_a_group_and_a_cluster_closely(gateway: Parts) -> None:
    gateway.request("/good/")
    group, *_ = look(gateway, "groups")
    route: Any = gateway.ask(f"diag/{group}").json()
    assert (route["group"], route["match"]) == (group, {"prefix": "/good/"})
    name = route["clusters"][0]["name"]
    cluster: Any = gateway.ask(f"diag/{name}").json()
    assert cluster["statistics"]["membership_healthy"] == 1
    assert cluster["statistics"]["upstream_rq_completed"] == cluster["requests"] > 0
    assert cluster["groups"] == [group]
    assert gateway.ask(f"diag/{cluster['cluster']['target']}").json()["cluster"] == cluster["cluster"]
    assert gateway.ask("diag/no/such/thing").status == 404


def test_the_log_level_is_changed(gateway: Parts) -> None:
    assert look(gateway, "loginfo") == {"all": "warning"}
    assert gateway.ask("diag/?loglevel=error&filter=loginfo").json() == {"loginfo": {"all": "error"}}
    assert gateway.ask("diag/?loglevel=warning&filter=loginfo").json() == {"loginfo": {"all": "warning"}}
    assert gateway.ask("diag/?loglevel=loud").status == 400


@pytest.mark.parametrize(
    ("method", "url", "route"),
    [
        ("GET", "/good//x/../y", "default/good"),
        ("GET", "/gone/?a=1", "default/gone"),
        ("GET", "/none", ""),
    ],
)
def test_envoy_is_asked_as_well_and_agrees(gateway: Parts, method: str, url: str, route: str) -> None:
    before = look(gateway, "cluster_stats")
    described: Any = gateway.ask("explain?" + urlencode({"method": method, "url": url, "ask": "envoy"})).json()
    assert described["envoy"]["route"] == route
    assert described["envoy"]["agrees"] is True
    assert described["generation"] == described["served"]
    assert look(gateway, "cluster_stats") == before


def test_what_envoy_refused_is_told_in_its_words() -> None:
    with running_gateway() as gateway, pytest.MonkeyPatch.context() as patch:
        # A check of ours that is missing, as long as we know of none.
        patch.setattr("kfambassador.routing.compile.check_mapping", lambda *_: ())
        text = (
            "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: '/[', prefix_regex: true, service: 127.0.0.1}"
        )
        version = gateway.apply_service("bad", text)
        assert gateway.source("bad", version=version)["state"] == "rejected"
        refusals: Any = gateway.ask("diag/?filter=refusals").json()["refusals"]
        assert "missing ]" in refusals[0]["words"]


def test_an_envoy_that_is_gone_is_told(model: ModelServer) -> None:
    with running_gateway() as gateway:
        gateway.envoy.stop()
        status: Any = gateway.ask("diag/?filter=envoy_status").json()["envoy_status"]
        assert status["alive"] is False
        assert "does not answer" in status["error"]
        answer = gateway.ask("explain?url=/&ask=envoy")
        assert answer.status == 503


@linux_only
def test_an_envoy_started_anew_is_asked_at_the_same_place() -> None:
    with (
        private_directory() as directory,
        LocalStack(directory=directory) as stack,
        kfa.Gateway.at(stack.endpoint) as gateway,
    ):
        [before] = find_envoys(directory)
        kill_envoy(directory)
        until(lambda: find_envoys(directory) not in ([], [before]) and is_ready(stack.endpoint))
        asked = gateway.explain("GET", "/nothing//here", ask_envoy=True)
        assert asked.envoy is not None
        assert (asked.envoy.path, asked.envoy.agrees) == ("/nothing/here", True)


def test_a_certificate_that_is_not_believed_is_told_of(gateway: Parts) -> None:
    context = Authorities().server_context("localhost")
    with TlsEchoServer("secure", context) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        text = f"{{apiVersion: ambassador/v1, kind: Mapping, name: s, prefix: /s/, service: 'https://localhost:{server.port}'}}"
        version = gateway.apply_service("secure", text)
        assert gateway.source("secure", version=version)["state"] == "serving"
        assert gateway.request("/s/").status == 503
        server.shutdown()
    (fares,) = [each for name, each in look(gateway, "cluster_stats").items() if f"localhost_{server.port}" in name]
    assert "signed by no authority that is trusted" in fares["tls"]
