"""Every server's routes: which paths reach the model, which never do, and what is not published at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.errors import MappingRejected
from kfambassador.sdk.servers.base import MODEL_HEADER
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV2
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe
from tests.unit.sdk.servers.published import KINDS, SERVERS, find_upstream, publish, publish_kinds

ALL = sorted(SERVERS)
METHODS = ("GET", "POST", "PUT")
ENDINGS = ("2", "s", "-v2", "-canary", "a1")

#: What may stand behind a model's path: its own end, verbs, versions, and odd things.
tails = st.one_of(
    st.sampled_from(["", "/", ":predict", "/infer", "/v1/models", "/versions/3:predict", "/ping", "/generate"]),
    st.text(alphabet="/:-.av13", max_size=8),
)


def test_every_kind_is_asked() -> None:
    assert {type(server) for server in SERVERS.values()} == set(KINDS)


@pytest.mark.parametrize("neighbour", ["same", "tfserving", "http"])
@pytest.mark.parametrize("kind", ALL)
@given(ending=st.sampled_from(ENDINGS), tail=tails, method=st.sampled_from(METHODS))
def test_a_model_never_takes_its_neighbours_requests(
    kind: str, neighbour: str, ending: str, tail: str, method: str
) -> None:
    other = kind if neighbour == "same" else neighbour
    names = {"mnist": kind, f"mnist{ending}": other}
    table = publish_kinds(*names.items())
    for name, served_by in names.items():
        path = SERVERS[served_by].base(name).rstrip("/") + (tail if tail[:1] in {"", "/", ":"} else f"/{tail}")
        upstream = find_upstream(table, method, path)
        assert upstream is None or upstream[0].startswith(f"{name}.kubeflow:")


@pytest.mark.parametrize("kind", ALL)
def test_both_spellings_of_its_path_reach_the_model(kind: str) -> None:
    server, table = SERVERS[kind], publish_kinds(("mnist", kind))
    base = server.base("mnist")
    predict = server.operations(base)["predict"]
    wanted = find_upstream(table, predict.method, predict.path)
    assert wanted is not None
    assert find_upstream(table, predict.method, base) == wanted
    assert find_upstream(table, predict.method, base.rstrip("/")) == wanted


@pytest.mark.parametrize("kind", ALL)
def test_every_operation_is_routed(kind: str) -> None:
    server, table = SERVERS[kind], publish_kinds(("mnist", kind))
    for operation in server.operations(server.base("mnist")).values():
        upstream = find_upstream(table, operation.method, operation.path)
        assert upstream is not None, operation
        assert upstream[0] == f"mnist.kubeflow:{server.port}"


@pytest.mark.parametrize("kind", ALL)
def test_the_probe_reaches_the_health_path(kind: str) -> None:
    server, table = SERVERS[kind], publish_kinds(("mnist", kind))
    first = server.routes("mnist", server.base("mnist"))[0]
    assert first.attributes.get("method") in {None, "GET"}
    asked = find_upstream(table, "GET", server.probe_path(server.base("mnist")))
    assert asked == (f"mnist.kubeflow:{server.port}", server.health_path("mnist"))


@pytest.mark.parametrize("kind", ALL)
def test_what_is_no_success_is_said(kind: str) -> None:
    server = SERVERS[kind]
    assert server.judge_probe("mnist", 200) == ""
    for status in (404, 500, 503):
        assert str(status) in server.judge_probe("mnist", status)


@pytest.mark.parametrize("kind", ALL)
def test_a_prediction_has_minutes(kind: str) -> None:
    server = SERVERS[kind]
    predicting = [
        route.attributes
        for route in server.routes("mnist", server.base("mnist"))
        if route.attributes.get("method") != "GET" and not route.attributes.get("grpc")
    ]
    assert predicting
    for attributes in predicting:
        # Either all of it has minutes, or the silence between two pieces has.
        assert attributes["timeout_ms"] == 300_000 or attributes["idle_timeout_ms"] == 300_000


@pytest.mark.parametrize("kind", [kind for kind in ALL if "http" in kind or kind in {"openai", "mlflow", "torchserve"}])
def test_what_may_stream_is_not_cut(kind: str) -> None:
    server = SERVERS[kind]
    base = server.base("mnist")
    assert any(operation.streams for operation in server.operations(base).values())
    assert all(
        route.attributes["timeout_ms"] == 0
        for route in server.routes("mnist", base)
        if route.attributes.get("method") != "GET"
    )


@pytest.mark.parametrize("kind", ALL)
def test_a_server_is_read_back_as_it_was(kind: str) -> None:
    server = SERVERS[kind]
    assert type(server).model_validate_json(server.model_dump_json(exclude_none=True)) == server


@pytest.mark.parametrize(
    ("server", "method", "path"),
    [
        (KServeV2(), "POST", "/models/mnist/trace/setting"),
        (KServeV2(), "POST", "/models/mnist/load"),
        (KServeV2(), "PUT", "/models/mnist/infer"),
        (KServeV2(), "GET", "/models/mnist/config"),
        (Seldon(), "GET", "/models/mnist/prometheus"),
        (SERVERS["http-only"], "GET", "/mnist/admin"),
        (SERVERS["http-only"], "GET", "/mnist/generate"),
        (SERVERS["openai"], "GET", "/models/mnist/metrics"),
    ],
)
def test_what_manages_a_server_is_not_published(server: KServeV2, method: str, path: str) -> None:
    assert find_upstream(publish(("mnist", server)), method, path) is None


def test_torchserves_management_api_is_not_published() -> None:
    routes = TorchServe().routes("mnist", "/models/mnist/")
    assert {route.port for route in routes} == {None}
    assert all(
        str(route.attributes["rewrite"]).startswith(("/predictions/", "/explanations/", "/ping"))
        or route.attributes["rewrite"] in {"/predictions/mnist", "/explanations/mnist"}
        for route in routes
    )


@pytest.mark.parametrize(
    ("server", "port", "taken", "refused"),
    [
        (
            TFServing(grpc_port=8500),
            8500,
            ["/tensorflow.serving.PredictionService/Predict", "/tensorflow.serving.ModelService/GetModelStatus"],
            ["/tensorflow.serving.ModelService/HandleReloadConfigRequest"],
        ),
        (
            KServeV2(grpc_port=8001),
            8001,
            ["/inference.GRPCInferenceService/ModelInfer", "/inference.GRPCInferenceService/ServerLive"],
            [
                "/inference.GRPCInferenceService/RepositoryModelLoad",
                "/inference.GRPCInferenceService/SystemSharedMemoryRegister",
                "/inference.GRPCInferenceService/LogSettings",
            ],
        ),
    ],
    ids=["tfserving", "kserve-v2"],
)
def test_grpc_goes_by_a_header(server: TFServing | KServeV2, port: int, taken: list[str], refused: list[str]) -> None:
    table = publish(("mnist", server), ("mnist2", server))
    for path in taken:
        assert find_upstream(table, "POST", path, {MODEL_HEADER: "mnist"}) == (f"mnist.kubeflow:{port}", path)
        assert find_upstream(table, "POST", path, {MODEL_HEADER: "mnist2"}) == (f"mnist2.kubeflow:{port}", path)
        assert find_upstream(table, "POST", path) is None
    for path in refused:
        assert find_upstream(table, "POST", path, {MODEL_HEADER: "mnist"}) is None
    grpc = [route for route in server.routes("mnist", "/models/mnist/") if route.attributes.get("grpc")]
    assert {(route.port, route.insists) for route in grpc} == {(port, True)}


@pytest.mark.parametrize(
    ("kind", "method", "path", "port", "served"),
    [
        ("tfserving", "POST", "/models/mnist", 8501, "/v1/models/mnist:predict"),
        ("tfserving", "POST", "/models/mnist:classify", 8501, "/v1/models/mnist:classify"),
        ("tfserving", "POST", "/models/mnist/versions/3:predict", 8501, "/v1/models/mnist/versions/3:predict"),
        ("tfserving", "POST", "/models/mnist/labels/stable:regress", 8501, "/v1/models/mnist/labels/stable:regress"),
        ("tfserving", "GET", "/models/mnist", 8501, "/v1/models/mnist"),
        ("tfserving", "GET", "/models/mnist/metadata", 8501, "/v1/models/mnist/metadata"),
        ("kserve-v1", "POST", "/models/mnist:explain", 8080, "/v1/models/mnist:explain"),
        ("kserve-v2", "POST", "/models/mnist", 8000, "/v2/models/mnist/infer"),
        ("kserve-v2", "POST", "/models/mnist/versions/2/infer", 8000, "/v2/models/mnist/versions/2/infer"),
        ("kserve-v2", "POST", "/models/mnist/generate_stream", 8000, "/v2/models/mnist/generate_stream"),
        ("kserve-v2", "GET", "/models/mnist/", 8000, "/v2/models/mnist"),
        ("kserve-v2", "GET", "/models/mnist/versions/2", 8000, "/v2/models/mnist/versions/2"),
        ("torchserve", "POST", "/models/mnist", 8080, "/predictions/mnist"),
        ("torchserve", "POST", "/models/mnist/1.0", 8080, "/predictions/mnist/1.0"),
        ("torchserve", "POST", "/models/mnist/explain", 8080, "/explanations/mnist"),
        ("torchserve", "POST", "/models/mnist/explain/1.0", 8080, "/explanations/mnist/1.0"),
        ("torchserve", "GET", "/models/mnist", 8080, "/ping"),
        ("mlflow", "POST", "/models/mnist/", 5000, "/invocations"),
        ("mlflow", "GET", "/models/mnist/version", 5000, "/version"),
        ("seldon", "POST", "/models/mnist", 8000, "/api/v1.0/predictions"),
        ("seldon-path", "POST", "/seldon/team/mnist/api/v1.0/predictions", 8000, "/api/v1.0/predictions"),
        ("seldon-path", "POST", "/seldon/team/mnist/api/v1.0/feedback", 8000, "/api/v1.0/feedback"),
        ("openai", "POST", "/models/mnist/v1/chat/completions", 8000, "/v1/chat/completions"),
        ("openai", "POST", "/models/mnist/v1/embeddings", 8000, "/v1/embeddings"),
        ("openai", "POST", "/models/mnist", 8000, "/v1/chat/completions"),
        ("http", "POST", "/mnist", 80, "/generate"),
        ("http", "DELETE", "/mnist/any/thing", 80, "/any/thing"),
        ("http-only", "PUT", "/mnist/run", 80, "/run"),
    ],
)
def test_the_server_sees_its_own_paths(kind: str, method: str, path: str, port: int, served: str) -> None:
    table = publish_kinds(("mnist", kind), ("mnist2", kind))
    assert find_upstream(table, method, path) == (f"mnist.kubeflow:{port}", served)


@pytest.mark.parametrize("path", ["/models/mnist3", "/models/mnist3:predict", "/models/", "/models/mnis"])
def test_nobody_takes_a_model_that_is_not_there(path: str) -> None:
    assert find_upstream(publish_kinds(("mnist", "tfserving"), ("mnist2", "tfserving")), "POST", path) is None


def test_the_server_may_call_its_model_otherwise() -> None:
    table = publish(("mnist", TFServing(model="mnist_v1")))
    assert find_upstream(table, "POST", "/models/mnist") == ("mnist.kubeflow:8501", "/v1/models/mnist_v1:predict")
    assert "'mnist_v1'" in TFServing(model="mnist_v1").judge_probe("mnist", 404)


@pytest.mark.parametrize("model", ["", "a/b", "a:b", "a b", "a?b", "a%2fb"])
def test_refuses_a_model_name_that_would_change_the_path(model: str) -> None:
    with pytest.raises(MappingRejected, match="model"):
        TFServing(model=model)


def test_legacy_is_kubeflows_annotation_to_the_letter() -> None:
    server = TFServing(legacy=True)
    assert server.api_version == "ambassador/v0"
    assert server.predict_path("/models/mnist/") == "/models/mnist/"
    assert [(route.name, route.attributes, route.port) for route in server.routes("mnist", "/models/mnist/")] == [
        ("tfserving-mapping-mnist-get", {"prefix": "/models/mnist/", "rewrite": "/", "method": "GET"}, 8000),
        (
            "tfserving-mapping-mnist-post",
            {"prefix": "/models/mnist/", "rewrite": "/model/mnist:predict", "method": "POST"},
            8000,
        ),
        (
            "tfserving-predict-mapping-mnist",
            {"prefix": "tfserving/models/mnist/", "rewrite": "/v1/models/mnist:predict", "method": "POST"},
            8500,
        ),
    ]


def test_plain_http_takes_its_prefix_off_and_lets_answers_last() -> None:
    (route,) = HTTPServer().routes("httpbin", "/httpbin/")
    assert route.attributes == {"prefix": "/httpbin/", "timeout_ms": 0, "idle_timeout_ms": 300_000}
    table = publish(("httpbin", HTTPServer()))
    assert find_upstream(table, "GET", "/httpbin/get") == ("httpbin.kubeflow:80", "/get")
    assert find_upstream(table, "GET", "/httpbin2/get") is None
    assert HTTPServer().judge_probe("httpbin", 404) == ""


@pytest.mark.parametrize("paths", [{"predict": "generate"}, {"predict": "/a b"}, {"a b": "/x"}, {"predict": "/x?y=1"}])
def test_refuses_paths_that_are_none(paths: dict[str, str]) -> None:
    with pytest.raises(MappingRejected, match="paths"):
        HTTPServer(paths=paths)


def test_only_gives_grpc_to_those_who_ask() -> None:
    assert not any(route.attributes.get("grpc") for route in TFServing().routes("mnist", "/models/mnist/"))
