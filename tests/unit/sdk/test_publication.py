"""What publishing a model comes to: exact objects, read back as they were, and refusals before anything is applied."""

import json
from typing import Any

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.resources.documents import read_documents
from kfambassador.sdk.publication import EXPOSURE_ANNOTATION, Plan, build_plan, read_publication
from kfambassador.sdk.servers import HTTPServer, ModelServer, TFServing


def plan(
    name: str = "mnist",
    *,
    service: str | int | None = 8501,
    server: ModelServer | None = None,
    reaches_here: bool = True,
    **attributes: object,
) -> Plan:
    return build_plan(
        name,
        service=service,
        server=server or TFServing(),
        namespace="team",
        attributes=attributes,
        labels={"tier": "test"},
        reaches_here=reaches_here,
    )


def plan_with(
    attributes: dict[str, object],
    *,
    service: str | int = 8501,
    server: ModelServer | None = None,
    reaches_here: bool = True,
) -> Plan:
    return build_plan(
        "m",
        service=service,
        server=server or TFServing(),
        namespace="team",
        attributes=attributes,
        labels={},
        reaches_here=reaches_here,
    )


def test_a_server_of_this_machine_gets_endpoints_and_an_annotated_service() -> None:
    ports = [{"name": "http-8501", "port": 8501, "protocol": "TCP"}]
    labels = {"tier": "test", "app.kubernetes.io/managed-by": "kfambassador", "app.kubernetes.io/name": "echo"}
    slice_, service = plan("echo", server=HTTPServer(), timeout_ms=60000).manifests
    assert slice_ == {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "echo",
            "namespace": "team",
            "labels": {**labels, "kubernetes.io/service-name": "echo"},
        },
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }
    metadata: dict[str, Any] = dict(service["metadata"])  # type: ignore[call-overload]  # JSON
    annotations = metadata.pop("annotations")
    assert metadata == {"name": "echo", "namespace": "team", "labels": labels}
    assert service["spec"] == {"type": "ClusterIP", "ports": ports}
    assert [document.value for document in read_documents(annotations[CONFIG_ANNOTATION])] == [
        {
            "apiVersion": "getambassador.io/v2",
            "kind": "Mapping",
            "name": "echo",
            "prefix": "/echo/",
            "service": "echo.team:8501",
            "timeout_ms": 60000,
        }
    ]
    assert json.loads(annotations[EXPOSURE_ANNOTATION]) == {"server": {"kind": "http"}, "base": "/echo/"}


@pytest.mark.parametrize(
    ("service", "attributes", "written"),
    [
        ("https://localhost:9143", {}, "https://localhost:9143"),
        ("localhost:9143", {"tls": "my-ca"}, "localhost:9143"),
        (9143, {"tls": True}, "localhost:9143"),
        ("https://127.0.0.1:9143", {"tls": "my-ca"}, "https://127.0.0.1:9143"),
        ("localhost:9143", {"host_redirect": True}, "localhost:9143"),
    ],
)
def test_what_goes_by_its_name_keeps_it_on_this_machine(
    service: str | int, attributes: dict[str, object], written: str
) -> None:
    planned = plan_with(attributes, service=service, server=HTTPServer())
    assert [manifest["kind"] for manifest in planned.manifests] == ["Service"]
    assert planned.publication.mappings[0].service == planned.publication.backend == written
    with pytest.raises(MappingRejected, match="is this machine"):
        plan_with(attributes, service=service, server=HTTPServer(), reaches_here=False)


def test_a_service_of_the_cluster_gets_a_carrier_only() -> None:
    (service,) = plan(service="serving.prod:9000", server=HTTPServer()).manifests
    assert service["metadata"]["name"] == "mnist"  # type: ignore[index]  # JSON
    assert plan(service="serving.prod:9000").publication.mappings[0].service == "serving.prod:9000"


@pytest.mark.parametrize("service", ["mnist:8501", "mnist.team", None])
def test_a_service_that_holds_the_models_name_is_left_alone(service: str | None) -> None:
    planned = plan(service=service)
    assert planned.publication.carrier.name == "mnist-route"
    assert {mapping.service for mapping in planned.publication.mappings} == {"mnist.team:8501"}


def test_a_service_of_that_name_elsewhere_takes_nothing() -> None:
    assert plan(service="mnist.prod:8501").publication.carrier.name == "mnist"


@pytest.mark.parametrize(
    "planned",
    [
        plan(),
        plan(service="serving.prod:9000", server=HTTPServer(), method="POST", rewrite="/model/test/:predict"),
        plan(server=TFServing(model="m", signature="s"), prefix="/own/place/", host="models.example", weight=10),
        plan(server=TFServing(legacy=True)),
    ],
    ids=["usual", "http", "own-place", "legacy"],
)
def test_a_publication_is_read_back_as_it_was_written(planned: Plan) -> None:
    assert read_publication(planned.manifests[-1]) == planned.publication


def test_without_our_note_a_service_behind_a_path_is_left() -> None:
    service = plan().manifests[-1]
    service["metadata"]["annotations"][EXPOSURE_ANNOTATION] = "{}"  # type: ignore[index]  # JSON
    read = read_publication(service)
    assert (read.name, read.server, read.base) == ("mnist", HTTPServer(), "/models/mnist/")


@pytest.mark.parametrize("name", ["", "Mnist", "mnist_v1", "-a", "a-", "1a", "a.b", "a" * 58])
def test_refuses_a_name_no_service_can_have(name: str) -> None:
    with pytest.raises(MappingRejected, match="cannot name a Service"):
        plan(name)


@pytest.mark.parametrize("field", sorted(TFServing.reserved))
def test_the_servers_own_attributes_are_not_the_callers(field: str) -> None:
    with pytest.raises(MappingRejected, match=rf"{field}: TFServing brings its own .* server=HTTPServer\(\)"):
        plan_with({field: "x"})


@pytest.mark.parametrize("prefix", ["/", "/models/mnist", "models/mnist/", "//", "/a b/", ""])
def test_refuses_a_public_path_that_is_no_place(prefix: object) -> None:
    with pytest.raises(MappingRejected, match="with a slash at both ends"):
        plan(prefix=prefix)


@pytest.mark.parametrize(
    ("prefix", "words"), [(7, "prefix: expected text, got 7"), ("m/", "write /m/"), ("", "write /")]
)
def test_refuses_a_prefix_that_never_matches(prefix: object, words: str) -> None:
    with pytest.raises(MappingRejected, match=words):
        plan(server=HTTPServer(), prefix=prefix)


def test_no_prefix_is_the_usual_one() -> None:
    assert plan(prefix=None).publication.base == "/models/mnist/"


def test_an_expression_needs_no_slash() -> None:
    assert plan(server=HTTPServer(), prefix="(/a|/b)/.*", prefix_regex=True).publication.mappings[0].prefix_regex


def test_a_cluster_cannot_reach_this_machine() -> None:
    with pytest.raises(MappingRejected, match=r"127\.0\.0\.1 is this machine.*connect\('local'\)"):
        plan(reaches_here=False)


def test_redirects_and_shadows_are_a_plain_servers() -> None:
    redirect: dict[str, object] = {"host_redirect": True, "path_redirect": "/n", "redirect_response_code": 308}
    assert plan_with(redirect, service="https://b.example", server=HTTPServer()).publication.mappings[0].host_redirect
    assert plan(server=HTTPServer(), shadow=True).publication.mappings[0].shadow


def test_a_mistake_is_told_with_its_value_and_place() -> None:
    with pytest.raises(MappingRejected) as caught:
        plan(timeout_ms=-1)
    assert [str(problem) for problem in caught.value.problems] == [
        "error: timeout_ms: expected at least 0, got -1 (Service team/mnist)"
    ]
