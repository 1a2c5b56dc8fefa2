"""Model servers: which paths reach the model, and which never do."""

import pytest

from kfambassador.problems import Origin
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.explain import explain
from kfambassador.routing.model import RoutingTable
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.routing.requests import RequestLine
from kfambassador.sdk.publication import build_plan
from kfambassador.sdk.servers import HTTPServer, ModelServer, TFServing


def compile_models(*models: tuple[str, ModelServer]) -> RoutingTable:
    """Publish models and compile what that gives."""
    mappings = [
        SourcedMapping(mapping, Origin(), namespace="kubeflow")
        for name, server in models
        for mapping in build_plan(
            name, service=None, server=server, namespace="kubeflow", attributes={}, labels={}, reaches_here=True
        ).publication.mappings
    ]
    compiled = compile_routes(ResourceSet(mappings=tuple(mappings)), TenancyPolicy.laptop())
    assert not [problem for problem in compiled.problems if problem.code != "prefix-without-slash"]
    return compiled.table


def find_upstream(table: RoutingTable, method: str, path: str) -> tuple[str, str] | None:
    """Where a request goes: the service and the path it sees."""
    explanation = explain(table, RequestLine.read(method, path))
    if explanation.winner is None:
        return None
    split = explanation.winner.splits[0]
    return split.mapping.service, explanation.upstream_path(split)


MNIST = "mnist.kubeflow:8501"


@pytest.mark.parametrize(
    ("method", "path", "upstream"),
    [
        ("POST", "/models/mnist", (MNIST, "/v1/models/mnist:predict")),
        ("POST", "/models/mnist/", (MNIST, "/v1/models/mnist:predict")),
        ("POST", "/models/mnist:predict", (MNIST, "/v1/models/mnist:predict")),
        ("POST", "/models/mnist:classify", (MNIST, "/v1/models/mnist:classify")),
        ("POST", "/models/mnist/versions/3:predict", (MNIST, "/v1/models/mnist/versions/3:predict")),
        ("GET", "/models/mnist", (MNIST, "/v1/models/mnist")),
        ("GET", "/models/mnist/", (MNIST, "/v1/models/mnist")),
        ("GET", "/models/mnist/metadata", (MNIST, "/v1/models/mnist/metadata")),
        ("GET", "/models/mnist:predict", None),
        ("POST", "/models/mnist3", None),
        ("POST", "/models/mnist3:predict", None),
        ("GET", "/models/", None),
        ("POST", "/models/mnist2", ("mnist2.kubeflow:8501", "/v1/models/mnist2:predict")),
        ("POST", "/models/mnist2:predict", ("mnist2.kubeflow:8501", "/v1/models/mnist2:predict")),
        ("GET", "/models/mnist2/metadata", ("mnist2.kubeflow:8501", "/v1/models/mnist2/metadata")),
    ],
)
def test_a_models_paths_are_safe_by_segment(method: str, path: str, upstream: tuple[str, str] | None) -> None:
    table = compile_models(("mnist", TFServing()), ("mnist2", TFServing()))
    assert find_upstream(table, method, path) == upstream


def test_the_server_may_call_its_model_otherwise() -> None:
    table = compile_models(("mnist", TFServing(model="mnist_v1")))
    assert find_upstream(table, "POST", "/models/mnist") == (MNIST, "/v1/models/mnist_v1:predict")


def test_legacy_is_kubeflows_annotation_to_the_letter() -> None:
    plan = build_plan(
        "mnist",
        service=None,
        server=TFServing(legacy=True),
        namespace="kubeflow",
        attributes={},
        labels={},
        reaches_here=False,
    )
    written = [mapping.model_dump(exclude_unset=True) for mapping in plan.publication.mappings]
    assert plan.publication.server.api_version == "ambassador/v0"
    assert written == [
        {
            "name": "tfserving-mapping-mnist-get",
            "prefix": "/models/mnist/",
            "rewrite": "/",
            "method": "GET",
            "service": "mnist.kubeflow:8000",
        },
        {
            "name": "tfserving-mapping-mnist-post",
            "prefix": "/models/mnist/",
            "rewrite": "/model/mnist:predict",
            "method": "POST",
            "service": "mnist.kubeflow:8000",
        },
        {
            "name": "tfserving-predict-mapping-mnist",
            "prefix": "tfserving/models/mnist/",
            "rewrite": "/v1/models/mnist:predict",
            "method": "POST",
            "service": "mnist.kubeflow:8500",
        },
    ]


def test_plain_http_takes_its_prefix_off() -> None:
    table = compile_models(("httpbin", HTTPServer()))
    assert find_upstream(table, "GET", "/httpbin/get") == ("httpbin.kubeflow:80", "/get")
    assert find_upstream(table, "GET", "/httpbin2/get") is None


def test_request_and_answer_have_the_servers_shape() -> None:
    server = TFServing(signature="embed")
    assert server.write_request([1.0]) == {"signature_name": "embed", "instances": [1.0]}
    assert server.read_predictions({"predictions": [2.5]}) == [2.5]
    assert server.read_predictions({"outputs": [2.5]}) is None
    assert HTTPServer().write_request({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("model", ["", "a/b", "a:b", "a b"])
def test_refuses_a_model_name_that_would_change_the_path(model: str) -> None:
    with pytest.raises(ValueError, match="model"):
        TFServing(model=model)
