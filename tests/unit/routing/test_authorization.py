"""Who is asked whether a request may pass; whatever is wrong with it, nothing passes unasked."""

from collections.abc import Mapping as Dict
from typing import Any

import pytest

from kfambassador.problems import Severity
from kfambassador.resources.auth_service import AuthService
from kfambassador.resources.documents import write_documents
from kfambassador.resources.manifests import read_manifests
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine

STRICT = TenancyPolicy(gateway_namespace="kubeflow")


def auth(name: str = "auth", namespace: str = "kubeflow", **fields: object) -> dict[str, object]:
    return {
        "apiVersion": "getambassador.io/v2",
        "kind": "AuthService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": fields,
    }


def compiled(*documents: Dict[str, object], policy: TenancyPolicy = STRICT) -> Compiled:
    return compile_routes(read_manifests([("f.yaml", write_documents(*documents))]), policy)


def asked(result: Compiled) -> list[str]:
    """The addresses of the cluster that is asked."""
    assert result.table.authorization is not None
    named = result.table.authorization.cluster
    (cluster,) = [each for each in result.table.clusters if each.name == named]
    return [str(endpoint) for endpoint in cluster.endpoints]


NOBODY: list[str] = []


def test_without_one_nobody_is_asked() -> None:
    assert compiled().table.authorization is None


def test_a_name_without_a_dot_is_a_service_beside_it() -> None:
    result = compiled(auth(auth_service="dex:5556"))
    assert asked(result) == ["dex.kubeflow:5556"]
    assert result.problems == ()


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "auth_service"),
        ({"auth_service": "dex:port"}, "auth_service"),
        ({"auth_service": "ftp://dex"}, "auth_service"),
        ({"auth_service": 7}, "spec.auth_service"),
        ({"auth_service": "dex", "tls": "no-such-context"}, "tls"),
    ],
)
def test_one_at_fault_denies_everything(fields: dict[str, Any], path: str) -> None:
    result = compiled(auth(**fields))
    assert asked(result) == NOBODY
    errors = [problem for problem in result.problems if problem.severity is Severity.ERROR]
    assert path in {problem.path for problem in errors}
    assert any("every request is denied" in problem.message for problem in errors)


@pytest.mark.parametrize(
    "option",
    [{"timeout_ms": "long"}, {"path_prefix": "no slash"}, {"include_body": {"max_bytes": -1}}, {"proto": "pigeon"}],
)
def test_one_that_is_misread_is_not_asked_in_another_way_than_was_meant(option: dict[str, Any]) -> None:
    result = compiled(auth(auth_service="dex", **option))
    assert asked(result) == NOBODY
    assert any("until it is mended every request is denied" in problem.message for problem in result.problems)


def test_a_tenants_counts_for_nobody() -> None:
    result = compiled(auth(namespace="team", auth_service="mine"))
    assert result.table.authorization is None
    assert [problem.code for problem in result.problems] == ["not-the-gateways"]


def test_the_eldest_of_several_is_asked() -> None:
    result = compiled(auth("a", auth_service="a"), auth("b", auth_service="b"))
    assert asked(result) == ["a.kubeflow:80"]
    (problem,) = result.problems
    assert (problem.code, str(problem.origin.object)) == ("second-auth-service", "AuthService kubeflow/b")


def test_openings_are_told_of() -> None:
    result = compiled(auth(auth_service="a", failure_mode_allow=True))
    assert [(problem.code, problem.severity) for problem in result.problems] == [("fails-open", Severity.WARNING)]


def test_it_shares_no_cluster_with_a_mapping() -> None:
    mapping = {
        "apiVersion": "getambassador.io/v2",
        "kind": "Mapping",
        "metadata": {"name": "m", "namespace": "kubeflow"},
        "spec": {"prefix": "/dex/", "service": "dex:5556"},
    }
    result = compiled(auth(auth_service="dex:5556"), mapping)
    assert len(result.table.clusters) == 2


def test_a_nameless_one_still_closes_the_gateway() -> None:
    bare = {"apiVersion": "ambassador/v1", "kind": "AuthService", "auth_service": "dex"}
    result = compiled(bare, policy=TenancyPolicy.laptop())
    assert result.table.authorization is not None
    assert result.problems[0].message == "name is missing, and it is required"
    assert asked(result) == NOBODY


def test_its_defaults() -> None:
    service = AuthService(name="auth", auth_service="a")
    assert (service.proto, service.failure_mode_allow, service.timeout_ms) == ("http", False, None)


def test_explain_tells_who_has_a_word_first() -> None:
    shut = {"apiVersion": "ambassador/v1", "kind": "Mapping", "name": "shut", "prefix": "/shut/", "service": "a"}
    open_ = {**shut, "name": "open", "prefix": "/open/", "bypass_auth": True}
    sent = {**shut, "name": "sent", "prefix": "/sent/", "host_redirect": True}
    asking = {"apiVersion": "ambassador/v1", "kind": "AuthService", "name": "auth", "auth_service": "dex:5556"}
    table = compiled(asking, shut, open_, sent, policy=TenancyPolicy.laptop()).table
    asked = [explain(table, RequestLine.read("GET", f"/{name}/x")).asks for name in ("shut", "open", "sent", "none")]
    assert asked == ["dex:5556", "", "", ""]
