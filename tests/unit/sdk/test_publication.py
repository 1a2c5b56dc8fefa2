"""What publishing a model comes to: exact objects, read back as they were, and refusals before anything is applied."""

import json
from typing import Any

import pytest

from kfambassador.errors import MappingRejected
from kfambassador.names import CONFIG_ANNOTATION, EXPOSURE_ANNOTATION
from kfambassador.resources.documents import read_documents
from kfambassador.sdk.publishing.planning import Wish, build_plan
from kfambassador.sdk.publishing.publication import Publication, read_publication, write_carrier
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.traffic.splitting import promote, put_variant


def publish(
    name: str = "mnist",
    *,
    service: str | int | None = 8501,
    server: ModelServer | None = None,
    reaches_here: bool = True,
    **attributes: object,
) -> Publication:
    return publish_with(attributes, name=name, service=service, server=server, reaches_here=reaches_here)


def publish_with(
    attributes: dict[str, object],
    *,
    name: str = "mnist",
    service: str | int | None = 8501,
    server: ModelServer | None = None,
    reaches_here: bool = True,
) -> Publication:
    wish = Wish(
        name=name,
        service=service,
        server=server or TFServing(),
        namespace="team",
        attributes=attributes,
        labels={"tier": "test"},
        reaches_here=reaches_here,
        owner="ada",
    )
    return build_plan(wish).publication


def test_what_is_published_is_an_annotated_service() -> None:
    service: Any = write_carrier(publish("echo", server=HTTPServer(), timeout_ms=60000))
    metadata: dict[str, Any] = service["metadata"]
    annotations = metadata.pop("annotations")
    labels = {
        "tier": "test",
        "app.kubernetes.io/managed-by": "kfambassador",
        "app.kubernetes.io/name": "echo",
        "kfambassador/exposure": "echo",
    }
    assert metadata == {"name": "echo", "namespace": "team", "labels": labels}
    ports = [{"name": "http-8501", "port": 8501, "protocol": "TCP"}]
    assert service["spec"] == {"clusterIP": "None", "ports": ports}
    assert [document.value for document in read_documents(annotations[CONFIG_ANNOTATION])] == [
        {
            "apiVersion": "getambassador.io/v2",
            "kind": "Mapping",
            "name": "echo",
            "prefix": "/echo/",
            "service": "127.0.0.1:8501",
            "timeout_ms": 60000,
            "idle_timeout_ms": 300000,
        }
    ]
    assert annotations["kfambassador/owner"] == "ada"
    assert json.loads(annotations[EXPOSURE_ANNOTATION]) == {
        "server": {"kind": "http"},
        "base": "/echo/",
        "variants": [{"name": "stable", "service": "127.0.0.1:8501"}],
        "attributes": {"timeout_ms": 60000},
        "labels": {"tier": "test"},
    }


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
    publication = publish_with(attributes, service=service, server=HTTPServer())
    assert publication.mappings[0].service == publication.backend == written
    with pytest.raises(MappingRejected, match="is this machine"):
        publish_with(attributes, service=service, server=HTTPServer(), reaches_here=False)


def test_a_service_elsewhere_is_written_with_its_namespace() -> None:
    assert publish(service="serving.prod:9000", server=HTTPServer()).carrier.name == "mnist"
    assert publish(service="serving.prod:9000").mappings[0].service == "serving.prod:9000"


@pytest.mark.parametrize("service", ["mnist:8501", "mnist.team", None])
def test_a_service_that_holds_the_models_name_is_left_alone(service: str | None) -> None:
    publication = publish(service=service)
    assert publication.carrier.name == "mnist-route"
    assert {mapping.service for mapping in publication.mappings} == {"mnist.team:8501"}


def test_a_service_of_that_name_elsewhere_takes_nothing() -> None:
    assert publish(service="mnist.prod:8501").carrier.name == "mnist"


def with_canary() -> Publication:
    return put_variant(publish(cors={"origins": ["https://a.example"]}), {"name": "v2", "service": "m2:1", "weight": 0})


@pytest.mark.parametrize(
    "publication",
    [
        publish(),
        publish(service="serving.prod:9000", server=HTTPServer(), method="POST", rewrite="/model/test/:predict"),
        publish(server=TFServing(model="m", signature="s"), prefix="/own/place/", host="models.example"),
        publish(server=TFServing(legacy=True)),
        publish(server=TFServing(grpc_port=8500), headers={"x-team": "a"}),
        with_canary(),
        promote(with_canary(), "v2"),
    ],
    ids=["usual", "http", "own-place", "legacy", "grpc", "canary", "promoted"],
)
def test_a_publication_is_read_back_as_it_was_written(publication: Publication) -> None:
    assert read_publication(write_carrier(publication)) == publication


@pytest.mark.parametrize(
    ("said", "silence"),
    [
        ({"timeout_ms": 60_000}, None),
        ({"timeout_ms": 600_000}, 600_000),
        ({"timeout_ms": 600_000, "idle_timeout_ms": 5}, 5),
    ],
)
def test_a_long_answer_is_not_cut_for_its_silence(said: dict[str, object], silence: int | None) -> None:
    assert publish_with(said).mappings[0].idle_timeout_ms == silence


def test_conditions_of_the_server_and_of_the_caller_must_both_hold() -> None:
    publication = publish(server=TFServing(grpc_port=8500), headers={"x-team": "a"})
    headers = {mapping.name: {**mapping.headers} for mapping in publication.mappings}
    assert headers["mnist"] == {"x-team": "a"}
    assert {"x-team": "a", "x-model": "mnist"} in headers.values()


def test_the_grpc_port_counts_whichever_port_the_caller_names() -> None:
    publication = publish(server=TFServing(grpc_port=8500), service=9999)
    services = {mapping.grpc: mapping.service for mapping in publication.mappings}
    assert services == {False: "127.0.0.1:9999", True: "127.0.0.1:8500"}


def test_without_our_note_a_service_behind_a_path_is_left() -> None:
    service: Any = write_carrier(publish())
    service["metadata"]["annotations"][EXPOSURE_ANNOTATION] = "{}"
    read = read_publication(service)
    assert (read.name, read.server, read.base) == ("mnist", HTTPServer(), "/models/mnist/")
    assert [variant.service for variant in read.variants] == ["127.0.0.1:8501"]


@pytest.mark.parametrize("name", ["", "Mnist", "mnist_v1", "-a", "a-", "1a", "a.b", "a" * 58])
def test_refuses_a_name_no_service_can_have(name: str) -> None:
    with pytest.raises(MappingRejected, match="cannot name a Service"):
        publish(name)


@pytest.mark.parametrize("field", sorted(TFServing().reserved))
def test_the_servers_own_attributes_are_not_the_callers(field: str) -> None:
    with pytest.raises(MappingRejected, match=rf"{field}: TFServing brings its own .* server=HTTPServer\(\)"):
        publish_with({field: "x"})


@pytest.mark.parametrize("prefix", ["/", "/models/mnist", "models/mnist/", "//", "/a b/", ""])
def test_refuses_a_public_path_that_is_no_place(prefix: object) -> None:
    with pytest.raises(MappingRejected, match="with a slash at both ends"):
        publish(prefix=prefix)


@pytest.mark.parametrize(
    ("prefix", "words"), [(7, "prefix: expected text, got 7"), ("m/", "write /m/"), ("", "write /")]
)
def test_refuses_a_prefix_that_never_matches(prefix: object, words: str) -> None:
    with pytest.raises(MappingRejected, match=words):
        publish(server=HTTPServer(), prefix=prefix)


def test_no_prefix_is_the_usual_one() -> None:
    assert publish(prefix=None).base == "/models/mnist/"


def test_an_expression_needs_no_slash() -> None:
    assert publish(server=HTTPServer(), prefix="(/a|/b)/.*", prefix_regex=True).mappings[0].prefix_regex


def test_a_cluster_cannot_reach_this_machine() -> None:
    with pytest.raises(MappingRejected, match=r"127\.0\.0\.1 is this machine.*connect\('local'\)"):
        publish(reaches_here=False)


def test_redirects_and_shadows_are_a_plain_servers() -> None:
    redirect: dict[str, object] = {"host_redirect": True, "path_redirect": "/n", "redirect_response_code": 308}
    assert publish_with(redirect, service="https://b.example", server=HTTPServer()).mappings[0].host_redirect
    assert publish(server=HTTPServer(), shadow=True).mappings[0].shadow


def test_a_mistake_is_told_with_its_value_and_place() -> None:
    with pytest.raises(MappingRejected) as caught:
        publish(timeout_ms=-1)
    assert [str(problem) for problem in caught.value.problems] == [
        "error: timeout_ms: expected at least 0, got -1 (Service team/mnist)"
    ]


def test_what_is_wrong_is_told_together() -> None:
    with pytest.raises(MappingRejected) as caught:
        publish("Mnist", service="a b", prefix="x")
    assert [problem.path for problem in caught.value.problems] == ["name", "prefix", "service"]
